/**
 * Suite `savina`: the actor benchmarks of Imam and Sarkar, on the caller's thread and on two workers.
 *
 * Each arm plays its benchmark once in a system of its own and checks the known answer: a wrong one is an error, not a
 * row. Parameters are the defaults of the original; with --quick they are smaller.
 */
import { ActorSystem } from 'troupe';
import { bankTransaction } from '../savina/bank-transaction.js';
import { bigBench } from '../savina/big.js';
import { boundedBuffer } from '../savina/bounded-buffer.js';
import { chameneos } from '../savina/chameneos.js';
import { concurrentDictionary } from '../savina/concurrent-dictionary.js';
import { counting } from '../savina/counting.js';
import { diningPhilosophers } from '../savina/dining-philosophers.js';
import { fibonacci } from '../savina/fibonacci.js';
import { forkJoinCreation } from '../savina/fork-join-creation.js';
import { forkJoinThroughput } from '../savina/fork-join-throughput.js';
import { logisticMap } from '../savina/logistic-map.js';
import { queens } from '../savina/n-queens.js';
import { pingPong } from '../savina/ping-pong.js';
import { sieve } from '../savina/sieve.js';
import { threadRing } from '../savina/thread-ring.js';
import type { SavinaBench } from '../savina/savina-bench.js';
import { type Arm, defineSuite } from '../harness/suite.js';

const BENCHES: readonly SavinaBench[] = [
  pingPong,
  counting,
  forkJoinThroughput,
  forkJoinCreation,
  threadRing,
  chameneos,
  bigBench,
  concurrentDictionary,
  boundedBuffer,
  diningPhilosophers,
  logisticMap,
  bankTransaction,
  sieve,
  queens,
  fibonacci,
];
const WORKERS = 2;
/** These say something at the size of a quick run, too. */
const QUICK: readonly SavinaBench[] = [counting, chameneos, bigBench];

export const savina = defineSuite({
  name: 'savina',
  question: "How fast are Savina's actor benchmarks, on one thread and on two workers, with their answers checked?",
  // Some run for ten seconds by themselves.
  pace: { full: { rounds: 1 }, quick: { scale: 0.1 } },
  arms: BENCHES.flatMap((bench) => [armOf(bench, 0), armOf(bench, WORKERS)]),
});

function armOf(bench: SavinaBench, workers: number): Arm {
  return {
    name: `${bench.name}-${workers}-workers`,
    question: `${bench.question}; ${workers === 0 ? "on the caller's thread" : `${workers} workers`}`,
    unit: 'messages/s',
    notQuick: !QUICK.includes(bench),
    ...(workers === 0 ? {} : { baselines: [`${bench.name}-0-workers`] }),
    async run({ scale }) {
      const cast = new URL('../cast/savina.js', import.meta.url);
      const system = await ActorSystem.start({ name: 'savina', cast, workers, journal: ':memory:' });
      const cpu = process.cpuUsage();
      const startedAt = performance.now();
      const { expected, counted, answer, known } = await bench.play(system, scale);
      const ms = performance.now() - startedAt;
      const { user, system: inKernel } = process.cpuUsage(cpu);
      await system.stop();
      if (answer !== known) throw new Error(`${bench.name}: the answer is ${answer}, and should be ${known}`);
      const each = (ms * 1_000) / expected;
      const times = { samples: 1, p50: each, p99: each, p999: each, cpuUs: (user + inKernel) / expected };
      return { ...times, value: (expected * 1_000) / ms, sent: expected, processed: counted };
    },
  };
}
