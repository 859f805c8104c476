/**
 * The dispatcher: who runs next on this thread.
 *
 * Cells with work stand in a queue and run in turns of some messages each, so that a busy one cannot starve its
 * neighbours. Turns run as microtasks (the cheapest wake-up there is) until the time of one round is used up;
 * then timers and I/O get theirs, because the next round starts with `setImmediate`. The time is looked at after each
 * turn while turns are slow, and rarely while they are quick. Hot path: suite `mailbox`.
 */
import type { Clock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import { atMicrotask } from '../core/microtask.js';
import { RingBuffer } from '../core/ring-buffer.js';

/** Something that handles messages when it is its turn. */
export interface Runnable {
  /** Handles up to `budget` messages. True: there is more to do now. It must not throw. */
  run(budget: number): boolean;
}

/** Looking at the time costs as much as a small message: while turns are quick, once in so many of them. */
const MOST_TURNS = 16;
/** Milliseconds between two looks below which the next one may come later. */
const QUICK_MS = 0.25;

export class Dispatcher {
  readonly #clock: Clock;
  readonly #queue = new RingBuffer<Runnable>(64);
  #scheduled = false;
  /** Whether a round is under way, whose end `#newRound` will announce. */
  #inRound = false;
  /** Monotonic time at which the round is used up. */
  #roundEndsMs = 0;
  #usedUp = false;
  /** Turns until the next look at the time. */
  #turnsLeft = 1;
  #stride = 1;
  #lookedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether any cell has work that it could do now. */
  get busy(): boolean {
    return this.#queue.size > 0;
  }

  /** Puts a cell into the queue; the cell sees to it that it stands there only once. */
  schedule(runnable: Runnable): void {
    this.#queue.push(runnable);
    if (!this.#scheduled) {
      this.#scheduled = true;
      if (this.#usedUp) setImmediate(this.#run);
      else atMicrotask(this.#run);
    }
  }

  readonly #run = (): void => {
    if (!this.#inRound) this.#beginRound();
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (next.run(LIMITS.dispatcherThroughput)) this.#queue.push(next);
        this.#turnsLeft -= 1;
        if (this.#turnsLeft === 0 && this.#timeIsUp()) break;
      }
    } catch (error) {
      // One that throws is a defect of the runtime and surfaces as such, not as a rejection; it takes no other with it.
      queueMicrotask(() => {
        throw error;
      });
    } finally {
      if (this.#queue.size > 0) setImmediate(this.#run);
      else this.#scheduled = false;
    }
  };

  #beginRound(): void {
    this.#inRound = true;
    this.#lookedMs = this.#clock.monotonic();
    this.#roundEndsMs = this.#lookedMs + LIMITS.dispatcherTurnMs;
    setImmediate(this.#newRound);
  }

  #timeIsUp(): boolean {
    const now = this.#clock.monotonic();
    this.#stride = now - this.#lookedMs < QUICK_MS ? Math.min(MOST_TURNS, this.#stride * 2) : 1;
    this.#turnsLeft = this.#stride;
    this.#lookedMs = now;
    this.#usedUp = now > this.#roundEndsMs;
    return this.#usedUp;
  }

  /** Timers and I/O have had their turn. */
  readonly #newRound = (): void => {
    this.#inRound = false;
    this.#usedUp = false;
  };
}
