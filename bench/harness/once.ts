/**
 * Work of a fixed size, timed once: where a burst can't be repeated, as a recovery or a scenario.
 */
import type { Measurement } from './suite.js';

/**
 * Times `work` once; the value is operations per second, the quantiles are the mean of one operation.
 *
 * @param count operations; what `work` returns is how many were processed.
 */
export async function timeOnce(count: number, work: () => Promise<number>): Promise<Measurement> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const processed = await work();
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const each = (ms * 1_000) / count;
  const value = (count * 1_000) / ms;
  return {
    value,
    samples: 1,
    p50: each,
    p99: each,
    p999: each,
    cpuUs: (user + system) / count,
    sent: count,
    processed,
  };
}

/** A size for this run: the full one times the scale, and at least `least`. */
export function scaled(full: number, scale: number, least: number): number {
  return Math.max(least, Math.round(full * scale));
}
