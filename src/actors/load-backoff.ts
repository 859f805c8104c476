/** How long an aggregate that could not be loaded waits before it is tried again: doubling, up to a bound. */
import { LIMITS } from '../core/limits.js';

export class LoadBackoff {
  readonly #longestMs: number;
  #failures = 0;

  /** @param askTimeoutMs what waits has to hear the error of loading, not a timeout: the wait stays well below it */
  constructor(askTimeoutMs: number) {
    this.#longestMs = Math.min(LIMITS.loadBackoffMaxMs, askTimeoutMs / 4);
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure; the wait before the next try, in milliseconds. */
  failed(): number {
    this.#failures += 1;
    return Math.min(this.#longestMs, LIMITS.loadBackoffMinMs * 2 ** (this.#failures - 1));
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
