/**
 * Loaded before a program (`node --import`), measures how late the event loop of its main thread is, and writes that
 * to the file that `LOOP_DELAY_FILE` names when the program ends. The program doesn't know of it.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** How late, in microseconds, and how often that was looked at. */
export interface LoopDelay {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Milliseconds between two looks. */
const LOOK_EVERY_MS = 10;

const file = process.env['LOOP_DELAY_FILE'];
// Workers inherit what is loaded before a program.
if (file !== undefined && isMainThread) {
  const histogram = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  histogram.enable();
  process.on('exit', () => {
    // In nanoseconds, the time between two looks included.
    const late = (percentile: number): number =>
      Math.max(0, histogram.percentile(percentile) / 1_000 - LOOK_EVERY_MS * 1_000);
    const delay: LoopDelay = { samples: histogram.count, p50: late(50), p99: late(99), p999: late(99.9) };
    writeFileSync(file, JSON.stringify(delay));
  });
}
