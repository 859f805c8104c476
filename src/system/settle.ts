/** Waiting for a state of the whole system that no single part announces. */
import { systemClock } from '../core/clock.js';

/** Milliseconds between two looks: short for tests, long enough to cost nothing under load. */
const LOOK_EVERY_MS = 2;

/** Resolves true when the condition holds, false when it hasn't within the time. The pace is real time. */
export async function untilTrue(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = systemClock.monotonic() + timeoutMs;
  // What has been started in this turn counts: a look right away could find nothing yet.
  await new Promise<void>((resolve) => setImmediate(resolve));
  while (!(await condition())) {
    if (systemClock.monotonic() >= deadline) return false;
    await new Promise<void>((resolve) => systemClock.setTimer(LOOK_EVERY_MS, resolve));
  }
  return true;
}
