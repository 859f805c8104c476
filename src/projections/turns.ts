/**
 * Turns: a slice of work for one projection at a time, and between two slices a turn of the event loop.
 *
 * Without it several projections that are far behind would fold one after the other, and timers, sockets and the
 * commits of the journal would wait for all of them.
 */
import { LIMITS } from '../core/limits.js';
import type { Clock } from '../core/clock.js';

export class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #armed = false;
  #endMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is the caller's turn, in the order asked; the slice then lasts `LIMITS.dispatcherTurnMs`. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#arm();
    });
  }

  /** Whether the slice is used up. To be asked every few events, not for each. */
  get over(): boolean {
    return this.#clock.monotonic() >= this.#endMs;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(() => {
      this.#armed = false;
      const start = this.#waiting.shift();
      if (this.#waiting.length > 0) this.#arm();
      this.#endMs = this.#clock.monotonic() + LIMITS.dispatcherTurnMs;
      start?.();
    });
  }
}
