/** Waits that end early when the reaction stops, so that no timer outlives it. */
import type { Clock, Timer } from '../core/clock.js';

interface Pause {
  readonly timer: Timer;
  readonly end: () => void;
}

export class Pauses {
  readonly #clock: Clock;
  readonly #running = new Set<Pause>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether there are no waits any more: those who waited should give up. */
  get ended(): boolean {
    return this.#ended;
  }

  wait(ms: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const pause: Pause = {
        timer: this.#clock.setTimer(ms, () => pause.end()),
        end: () => {
          this.#running.delete(pause);
          resolve();
        },
      };
      this.#running.add(pause);
    });
  }

  end(): void {
    this.#ended = true;
    for (const pause of this.#running) {
      pause.timer.cancel();
      pause.end();
    }
  }
}
