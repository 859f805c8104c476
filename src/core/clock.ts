/**
 * Time, handed in: wall time, monotonic time and timers behind one small interface.
 *
 * Timeouts and backoff use monotonic time, what is stored uses wall time. This is the only file that
 * touches `Date.now()` and `setTimeout`; tests and the simulation hand in a clock of their own.
 */

/** A pending timer. */
export interface Timer {
  /** Cancels the timer; a second call, or one after it has fired, does nothing. */
  cancel(): void;
}

/** A source of time. */
export interface Clock {
  /** Wall time in epoch milliseconds; may jump in either direction. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number;
  /**
   * Calls `fire` once, not before `delayMs` have passed (monotonic).
   * A timer keeps the process alive unless `background` is true.
   */
  setTimer(delayMs: number, fire: () => void, background?: boolean): Timer;
}

/** Node's timers overflow beyond 2^31 - 1 ms (24.8 days) and would fire at once; longer waits are cut into pieces. */
const LONGEST_TIMER_MS = 2_147_483_647;

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout | undefined;
  readonly #fire: () => void;
  readonly #background: boolean;
  readonly #dueMs: number;

  constructor(delayMs: number, fire: () => void, background: boolean) {
    this.#fire = fire;
    this.#background = background;
    this.#dueMs = performance.now() + delayMs;
    this.#arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #arm(delayMs: number): void {
    const waitMs = Math.min(Math.max(0, Math.ceil(delayMs)), LONGEST_TIMER_MS);
    this.#handle = setTimeout(() => {
      // setTimeout may fire up to 1 ms early, and a long wait comes in pieces.
      const leftMs = this.#dueMs - performance.now();
      if (leftMs > 0) this.#arm(leftMs);
      else {
        this.#handle = undefined;
        this.#fire();
      }
    }, waitMs);
    if (this.#background) this.#handle.unref();
  }
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, fire, background = false) => new SystemTimer(delayMs, fire, background),
};

/** Chance, handed in like time: from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/** The chance of the machine. */
export const systemRandom: Random = () => Math.random();
