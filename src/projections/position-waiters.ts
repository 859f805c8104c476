/** Those who wait until a projection has come to a position, each with a deadline. */
import type { Clock, Timer } from '../core/clock.js';
import type { TroupeError } from '../core/troupe-error.js';

interface Waiter {
  readonly position: number;
  readonly timer: Timer | undefined;
  resolve(): void;
  reject(error: TroupeError): void;
}

export class PositionWaiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `reach` is called with the position or a greater one; rejects with what `late` makes after the time. */
  wait(position: number, timeoutMs: number, late: () => TroupeError): Promise<void> {
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        this.#waiting.delete(waiter);
        reject(late());
      };
      const timer = Number.isFinite(timeoutMs) ? this.#clock.setTimer(timeoutMs, expire) : undefined;
      const waiter: Waiter = { position, timer, resolve, reject };
      this.#waiting.add(waiter);
    });
  }

  reach(position: number): void {
    for (const waiter of this.#waiting) {
      if (waiter.position > position) continue;
      this.#end(waiter);
      waiter.resolve();
    }
  }

  /** Everyone who still waits gets the error. */
  fail(error: TroupeError): void {
    for (const waiter of this.#waiting) {
      this.#end(waiter);
      waiter.reject(error);
    }
  }

  #end(waiter: Waiter): void {
    waiter.timer?.cancel();
    this.#waiting.delete(waiter);
  }
}
