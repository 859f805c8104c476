/**
 * The pace of batches: at once after a quiet time, and under steady load rarer and rarer, down to ten a second.
 *
 * Each batch costs some trips to the driver, however small it is: 0.1 ms of the thread that runs the actors. With a
 * commit every 2 ms and six projections that would be a quarter of its time; at this pace it is 1 %. Whoever waits
 * for a projection (`caughtUp`, `settled`) hurries it.
 */
import { systemClock, type Timer } from '../core/clock.js';

/** Milliseconds between the beginnings of two batches: what an event may wait for company, at first and in the end. */
const EVERY_MIN_MS = 10;
const EVERY_MAX_MS = 100;
/** By how much it grows with each batch that found work at once. */
const GROWTH = 1.25;

export class BatchPace {
  #begunMs = -Infinity;
  #everyMs = EVERY_MIN_MS;
  #hurried = false;
  #timer: Timer | undefined;
  #resume: (() => void) | undefined;

  /** Resolves when the next batch may begin, and takes it as begun. The pace is real time, whatever clock tests hand in. */
  async next(): Promise<void> {
    const waitMs = this.#begunMs + this.#everyMs - systemClock.monotonic();
    this.#everyMs = waitMs > 0 ? Math.min(EVERY_MAX_MS, this.#everyMs * GROWTH) : EVERY_MIN_MS;
    if (waitMs > 0 && !this.#hurried) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        this.#timer = systemClock.setTimer(waitMs, resolve, true);
      });
      this.#resume = undefined;
    }
    this.#hurried = false;
    this.#begunMs = systemClock.monotonic();
  }

  /** Somebody waits for the next batch: it begins now, or as soon as there is something to do. */
  hurry(): void {
    this.#hurried = true;
    this.#timer?.cancel();
    this.#resume?.();
  }
}
