/** How long an aggregate that could not be loaded waits before it is tried again: doubling, up to a bound. */
import { LIMITS } from '../core/limits.js';
import type { TroupeError } from '../core/troupe-error.js';

export class LoadBackoff {
  readonly #longestMs: number;
  #failures = 0;
  #lastError: TroupeError | undefined;

  /** @param askTimeoutMs what waits has to hear the error of loading, not a timeout: the wait stays well below it */
  constructor(askTimeoutMs: number) {
    this.#longestMs = Math.min(LIMITS.loadBackoffMaxMs, askTimeoutMs / 4);
  }

  /** The error of what waits: from the second failure in a row on, the last one. The first may mend itself. */
  get verdict(): TroupeError | undefined {
    return this.#failures > 1 ? this.#lastError : undefined;
  }

  /** Counts a failure; the wait before the next try, in milliseconds. */
  failed(error: TroupeError): number {
    this.#failures += 1;
    this.#lastError = error;
    return Math.min(this.#longestMs, LIMITS.loadBackoffMinMs * 2 ** (this.#failures - 1));
  }
}
