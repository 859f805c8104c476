/**
 * Savina's Ping Pong: two actors, one message between them, to and fro.
 */
import { type ActorRef, actor } from 'troupe';
import { PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

export const ponger = actor({
  name: 'ponger',
  initialState: () => ({ count: 0 }),
  receive: {
    ping(state, left: number, ctx) {
      state.count += 1;
      ctx.sender?.tell('pong', left);
    },
    count: (state) => state.count,
  },
});

export const pinger = actor({
  name: 'pinger',
  initialState: (): { count: number; over: number | undefined } => ({ count: 0, over: undefined }),
  receive: {
    start(_state, { pong, pings }: { pong: ActorRef<typeof ponger>; pings: number }, ctx) {
      ctx.ref(ponger, pong.id).tell('ping', pings - 1);
    },
    pong(state, left: number, ctx) {
      state.count += 1;
      if (left > 0) ctx.sender?.tell('ping', left - 1);
      else {
        state.over = state.count;
        ctx.unstashAll();
      }
    },
    result: (state, _payload: undefined, ctx) => whenDone(state.over, ctx),
  },
});

export const pingPong: SavinaBench = {
  name: 'ping-pong',
  question: '40,000 pings and as many pongs',
  async play(system, scale) {
    const pings = sized(40_000, scale);
    const pong = await system.spawn(ponger, { id: 'pong' });
    const ping = await system.spawn(pinger, { id: 'ping' });
    ping.tell('start', { pong, pings });
    const pongs = (await ping.ask('result', undefined, PATIENT)) ?? 0;
    return { expected: 2 * pings, counted: pongs + (await pong.ask('count')), answer: pongs, known: pings };
  },
};
