/**
 * Savina's Thread Ring: one message on its way round a ring of actors.
 */
import { actor } from 'troupe';
import { PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

export const ringer = actor({
  name: 'savina-ringer',
  initialState: (next: string): { next: string; count: number; over: number | undefined } => ({
    next,
    count: 0,
    over: undefined,
  }),
  receive: {
    pass(state, left: number, ctx) {
      state.count += 1;
      if (left > 0) ctx.ref(ringer, state.next).tell('pass', left - 1);
      else ctx.ref(ringer, 'ring-0').tell('ended');
    },
    ended(state, _payload: undefined, ctx) {
      state.over = 1;
      ctx.unstashAll();
    },
    over: (state, _payload: undefined, ctx) => whenDone(state.over, ctx),
    count: (state) => state.count,
  },
});

export const threadRing: SavinaBench = {
  name: 'thread-ring',
  question: 'one message goes round 100 actors, 100,000 times from one to the next',
  async play(system, scale) {
    const hops = sized(100_000, scale);
    const size = 100;
    const refs = await Promise.all(
      Array.from({ length: size }, (_, i) => system.spawn(ringer, { id: `ring-${i}`, args: `ring-${(i + 1) % size}` })),
    );
    refs[0]?.tell('pass', hops - 1);
    await refs[0]?.ask('over', undefined, PATIENT);
    const counts = await Promise.all(refs.map((ref) => ref.ask('count')));
    const counted = counts.reduce((sum, count) => sum + count, 0);
    return { expected: hops, counted, answer: counts[(hops - 1) % size] ?? 0, known: Math.ceil(hops / size) };
  },
};
