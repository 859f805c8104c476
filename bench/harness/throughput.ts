/**
 * Loops that count how much is done in a time: bursts one after the other, or a number of operations kept in flight.
 *
 * They time a burst, or one lane of many, and not each operation, because asking for the time costs as much as a
 * message. Warm-up runs straight into the measurement, so that queues and caches are as they are under load. What
 * they return lacks only `processed`, which the arm asks of whoever did the work.
 */
import { quantile, sorted } from './statistics.js';
import type { ArmContext, Measurement } from './suite.js';
import { cpuSince, startWarmUp } from './warm-up.js';

/** A measurement whose work nobody has counted yet. */
export type Uncounted = Omit<Measurement, 'processed'>;

type Time = Pick<ArmContext, 'warmupMs' | 'measureMs'>;

/**
 * Runs bursts one after the other; the value is operations per second.
 *
 * @param burst does some operations, resolves when they are done, and returns how many they were.
 */
export async function countBursts(time: Time, burst: () => number | Promise<number>): Promise<Uncounted> {
  let sent = 0;
  const isWarm = startWarmUp(time.warmupMs);
  while (!isWarm()) sent += await burst();

  const perOperation: number[] = [];
  let measured = 0;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let now = startedAt;
  while (now - startedAt < time.measureMs) {
    const count = await burst();
    const end = performance.now();
    perOperation.push(((end - now) * 1_000) / count);
    measured += count;
    now = end;
  }
  const facts = { ...quantilesOf(perOperation), cpuUs: cpuSince(cpu) / measured };
  return { value: (measured * 1_000) / (now - startedAt), sent: sent + measured, ...facts };
}

/**
 * Keeps `lanes` operations in flight; the value is operations per second, the quantiles are those of the first lane.
 *
 * @param operation gets the number of the operation, from 0.
 */
export async function keepInFlight(
  time: Time,
  lanes: number,
  operation: (index: number) => Promise<unknown>,
): Promise<Uncounted> {
  let sent = 0;
  let done = 0;
  let ended = false;
  const latencies: number[] = [];
  let measured = 0;
  let measuredMs = 0;
  let cpuUs = 0;

  const lane = async (): Promise<void> => {
    while (!ended) {
      await operation(sent++);
      done += 1;
    }
  };
  const timedLane = async (): Promise<void> => {
    const isWarm = startWarmUp(time.warmupMs);
    while (!isWarm()) {
      await operation(sent++);
      done += 1;
    }
    const startedAt = performance.now();
    const doneBefore = done;
    const cpu = process.cpuUsage();
    let now = startedAt;
    while (now - startedAt < time.measureMs) {
      await operation(sent++);
      done += 1;
      const end = performance.now();
      latencies.push((end - now) * 1_000);
      now = end;
    }
    measured = done - doneBefore;
    measuredMs = now - startedAt;
    cpuUs = cpuSince(cpu) / measured;
    ended = true;
  };
  const others = Array.from({ length: lanes - 1 }, lane);
  try {
    await Promise.all([timedLane(), ...others]);
  } finally {
    // Also when one of them failed.
    ended = true;
    await Promise.allSettled(others);
  }
  return { value: (measured * 1_000) / measuredMs, sent, ...quantilesOf(latencies), cpuUs };
}

/** Does `count` operations, `lanes` at a time, unmeasured: to bring instances to life. */
export async function doAll(
  count: number,
  lanes: number,
  operation: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await operation(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Median and tails of times in microseconds. */
export function quantilesOf(microseconds: readonly number[]): Pick<Measurement, 'samples' | 'p50' | 'p99' | 'p999'> {
  const ascending = sorted(microseconds);
  return {
    samples: ascending.length,
    p50: quantile(ascending, 0.5),
    p99: quantile(ascending, 0.99),
    p999: quantile(ascending, 0.999),
  };
}
