/**
 * Savina's Fork Join, throughput: many actors get many messages, in turns.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, sized } from './savina-bench.js';

/** Each message is a little arithmetic, as in the original. */
export const forkWorker = actor({
  name: 'savina-fork-worker',
  mailbox: LARGE,
  initialState: () => ({ count: 0 }),
  receive: {
    work(state, angle: number) {
      if (Math.sin(angle) ** 2 > 1) throw new Error('there is no such angle');
      state.count += 1;
    },
    count: (state) => state.count,
  },
});

const ANGLE = 37.2;
/** Messages to each actor between two that wait for room. */
const AHEAD = 50;

export const forkJoinThroughput: SavinaBench = {
  name: 'fork-join-throughput',
  question: '60 actors get 10,000 messages each, in turns',
  async play(system, scale) {
    const actors = 60;
    const each = sized(10_000, scale);
    const refs = await Promise.all(
      Array.from({ length: actors }, (_, i) => system.spawn(forkWorker, { id: `fj-${i}` })),
    );
    for (let i = 0; i < each; i += 1) {
      const wait = (i + 1) % AHEAD === 0;
      for (const ref of refs) if (!wait) ref.tell('work', ANGLE);
      if (!wait) continue;
      await Promise.all(refs.map((ref) => ref.send('work', ANGLE, PATIENT)));
      await turn();
    }
    const counts = await Promise.all(refs.map((ref) => ref.ask('count', undefined, PATIENT)));
    const counted = counts.reduce((sum, count) => sum + count, 0);
    return { expected: actors * each, counted, answer: Math.min(...counts), known: each };
  },
};
