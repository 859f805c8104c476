/**
 * A flight: code of an actor that has returned a promise, until that is settled or left behind.
 *
 * Nothing else of the actor runs meanwhile. Who has to wait for it can, within a limit; what is left behind may go
 * on, but nobody hears of it.
 */
import type { Clock } from '../core/clock.js';
import type { Envelope } from '../core/envelope.js';

export class Flight {
  /** The message being handled; undefined for a hook. */
  readonly envelope: Envelope | undefined;
  #over = false;
  #released: (() => void) | undefined;

  constructor(envelope: Envelope | undefined) {
    this.envelope = envelope;
  }

  /** Calls one of the two when the promise is settled, unless the flight has been left behind by then. */
  follow(promise: Promise<unknown>, done: (value: unknown) => void, failed: (error: unknown) => void): void {
    promise.then(
      (value) => this.#settle(done, value),
      (error: unknown) => this.#settle(failed, error),
    );
  }

  /** Resolves when the flight is over; calls `late` if it isn't after `limitMs`. */
  released(clock: Clock, limitMs: number, late: () => void): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.setTimer(limitMs, late);
      this.#released = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Whatever comes of it, nobody hears of it. */
  leaveBehind(): void {
    this.#over = true;
    this.#released?.();
  }

  #settle(how: (value: unknown) => void, value: unknown): void {
    if (this.#over) return;
    this.#over = true;
    how(value);
    this.#released?.();
  }
}

/** What was returned, as a promise if it is one. A stranger's may call back twice, or at once; a real one doesn't. */
export function asPromise(value: unknown): Promise<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Promise) return value;
  // Reading a field of an object as unknown is safe.
  if (typeof (value as { readonly then?: unknown }).then !== 'function') return undefined;
  return Promise.resolve(value as PromiseLike<unknown>);
}
