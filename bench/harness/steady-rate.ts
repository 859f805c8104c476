/**
 * Latency under load: operations begin at a fixed rate, whether the earlier ones have ended or not.
 *
 * Each latency counts from the moment at which its operation was meant to begin. One that began late because the system
 * or the thread was busy has waited since then, as a user would have: a loop that measures from the actual start omits
 * exactly the worst waits (coordinated omission).
 *
 * @see Gil Tene, How NOT to Measure Latency, 2015
 */
import { setImmediate as turn } from 'node:timers/promises';
import { keepInFlight, quantilesOf, type Uncounted } from './throughput.js';
import type { ArmContext } from './suite.js';
import { cpuSince } from './warm-up.js';

type Time = Pick<ArmContext, 'warmupMs' | 'measureMs'>;

/** Unfinished operations beyond which the system has plainly fallen behind. */
const FALLEN_BEHIND = 100_000;

/**
 * Finds how many operations a second are done with `lanes` in flight, and then begins half as many, evenly; the value
 * is the median in microseconds.
 *
 * @param operation gets the number of the operation, from 0.
 * @throws Error when the system can't keep up with half of what it has just shown.
 */
export async function timeAtHalfCapacity(
  time: Time,
  lanes: number,
  operation: (index: number) => Promise<unknown>,
): Promise<Uncounted> {
  const half = { warmupMs: time.warmupMs, measureMs: time.measureMs / 2 };
  const capacity = await keepInFlight(half, lanes, operation);
  const found = await timeAtRate(capacity.value / 2, time.measureMs, (index) => operation(capacity.sent + index));
  return { ...found, sent: capacity.sent + found.sent };
}

/** Begins so many operations a second; the value is the median in microseconds, counted from when each was due. */
export async function timeAtRate(
  perSecond: number,
  measureMs: number,
  operation: (index: number) => Promise<unknown>,
): Promise<Uncounted> {
  const latencies: number[] = [];
  const everyMs = 1_000 / perSecond;
  const underWay = new Set<Promise<void>>();
  let failure: Error | undefined;
  let sent = 0;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const begin = (dueAt: number): void => {
    const one = operation(sent++)
      .then(() => void latencies.push((performance.now() - dueAt) * 1_000))
      .catch((cause: unknown) => {
        failure ??= new Error('an operation has failed', { cause });
      })
      .then(() => void underWay.delete(one));
    underWay.add(one);
  };
  // Also those that were due while the thread stood still at the end: they have waited the longest.
  const total = Math.ceil((measureMs * perSecond) / 1_000);
  const nextDueAt = (): number => startedAt + sent * everyMs;
  while (sent < total) {
    const now = performance.now();
    for (let dueAt = nextDueAt(); sent < total && dueAt <= now; dueAt = nextDueAt()) begin(dueAt);
    if (failure !== undefined) throw failure;
    if (underWay.size > FALLEN_BEHIND)
      throw new Error(`${underWay.size} operations are unfinished at ${Math.round(perSecond)}/s: it does not keep up`);
    await turn();
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure;
  const times = quantilesOf(latencies);
  return { ...times, value: times.p50, sent, cpuUs: cpuSince(cpu) / sent };
}
