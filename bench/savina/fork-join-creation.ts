/**
 * Savina's Fork Join, creation: actors that live for one message each.
 */
import { actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

export const forker = actor({
  name: 'savina-forker',
  initialState: (): { born: number; wanted: number; done: number | undefined } => ({
    born: 0,
    wanted: 0,
    done: undefined,
  }),
  mailbox: LARGE,
  receive: {
    fork(state, count: number, ctx) {
      state.wanted = count;
      for (let i = 0; i < count; i += 1) ctx.spawn(forked).tell('work', 37.2);
    },
    joined(state, _payload: undefined, ctx) {
      state.born += 1;
      if (state.born < state.wanted) return;
      state.done = state.born;
      ctx.unstashAll();
    },
    result: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

export const forked = actor({
  name: 'savina-forked',
  initialState: () => 0,
  receive: {
    work(_state, angle: number, ctx) {
      if (Math.sin(angle) ** 2 > 1) throw new Error('there is no such angle');
      ctx.sender?.tell('joined');
      ctx.stop();
    },
  },
});

export const forkJoinCreation: SavinaBench = {
  name: 'fork-join-creation',
  question: '40,000 actors are created for one message each',
  async play(system, scale) {
    const count = sized(40_000, scale);
    const ref = await system.spawn(forker, { id: 'forker' });
    ref.tell('fork', count);
    const answer = (await ref.ask('result', undefined, PATIENT)) ?? 0;
    return { expected: 2 * count, counted: 2 * answer, answer, known: count };
  },
};
