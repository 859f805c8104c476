/**
 * Savina's Big: many to many; each actor pings others at random, one ping at a time.
 */
import { actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

export const big = actor({
  name: 'savina-big',
  mailbox: LARGE,
  initialState: (args: { me: number; actors: number; pings: number }) => ({
    ...args,
    seed: args.me + 1,
    pongs: 0,
    pinged: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    start(state, _payload: undefined, ctx) {
      ctx.ref(big, `big-${anyOther(state)}`).tell('ping');
    },
    ping(state, _payload: undefined, ctx) {
      state.pinged += 1;
      ctx.sender?.tell('pong');
    },
    pong(state, _payload: undefined, ctx) {
      state.pongs += 1;
      if (state.pongs < state.pings) ctx.ref(big, `big-${anyOther(state)}`).tell('ping');
      else {
        state.done = state.pongs;
        ctx.unstashAll();
      }
    },
    result: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
    pinged: (state) => state.pinged,
  },
});

function anyOther(state: { seed: number; actors: number }): number {
  state.seed = (Math.imul(state.seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return state.seed % state.actors;
}

export const bigBench: SavinaBench = {
  name: 'big',
  question: '120 actors ping one another at random, 20,000 pings each',
  async play(system, scale) {
    const actors = 120;
    const pings = sized(20_000, scale);
    const refs = await Promise.all(
      Array.from({ length: actors }, (_, me) => system.spawn(big, { id: `big-${me}`, args: { me, actors, pings } })),
    );
    for (const ref of refs) ref.tell('start');
    let pongs = 0;
    for (const ref of refs) {
      const some = (await ref.ask('result', undefined, PATIENT)) ?? 0;
      pongs += some;
    }
    let pinged = 0;
    for (const ref of refs) {
      const some = await ref.ask('pinged');
      pinged += some;
    }
    return { expected: 2 * actors * pings, counted: pongs + pinged, answer: pinged, known: actors * pings };
  },
};
