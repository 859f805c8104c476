/**
 * Whether a projection that has something to do does it. Health is progress: what looks alive and doesn't move is ill.
 */
import type { Clock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { FollowedWindow } from '../streams/event-window.js';

export class StallWatch {
  readonly #clock: Clock;
  readonly #window: FollowedWindow;
  readonly #position: () => number;
  readonly #unfollow: () => void;
  /** Since when it is behind without having moved; undefined at the head. Monotonic. */
  #sinceMs: number | undefined;

  constructor(window: FollowedWindow, clock: Clock, position: () => number) {
    this.#clock = clock;
    this.#window = window;
    this.#position = position;
    // It may begin behind.
    this.#sinceMs = clock.monotonic();
    this.#unfollow = window.follow(() => {
      this.#sinceMs ??= clock.monotonic();
    });
  }

  /** The projection has moved. */
  moved(): void {
    this.#sinceMs = this.#position() >= this.#window.head ? undefined : this.#clock.monotonic();
  }

  /** Milliseconds that it has been standing still although it is behind; undefined when that is not long. */
  get stalledMs(): number | undefined {
    if (this.#sinceMs === undefined || this.#position() >= this.#window.head) return undefined;
    const stalledMs = this.#clock.monotonic() - this.#sinceMs;
    return stalledMs >= LIMITS.projectionStalledMs ? stalledMs : undefined;
  }

  end(): void {
    this.#unfollow();
  }
}
