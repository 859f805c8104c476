/**
 * Wakes runs in memory by the wall clock: never early, and within a second of a jump of the clock.
 *
 * One timer for all of them. What has to survive this process stands in the history
 * of the run, or, when the run leaves memory, among the durable timers.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import { TimeHeap } from '../core/time-heap.js';

/** A wait that can be given up. */
export interface Wake {
  cancel(): void;
}

/** Waits given up before it is worth looking for them. */
const FEW = 1_024;

interface Sleeper {
  readonly dueMs: number;
  wake: (() => void) | undefined;
}

export class WakeClock {
  readonly #clock: Clock;
  readonly #heap = new TimeHeap<Sleeper>(({ dueMs }) => dueMs);
  #cancelled = 0;
  #alarm: Timer | undefined;
  #alarmAt = Infinity;
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `wake` once `dueMs` (epoch milliseconds) has come, never within this call. */
  at(dueMs: number, wake: () => void): Wake {
    const sleeper: Sleeper = { dueMs, wake };
    if (dueMs < Infinity && !this.#ended) {
      this.#heap.push(sleeper);
      this.#arm();
    }
    return {
      cancel: () => {
        if (sleeper.wake === undefined) return;
        sleeper.wake = undefined;
        this.#cancelled += 1;
        if (this.#cancelled > FEW && this.#cancelled > this.#heap.size / 2) this.#sweep();
      },
    };
  }

  /** Wakes nobody any more. */
  end(): void {
    this.#ended = true;
    this.#alarm?.cancel();
    this.#heap.clear();
  }

  /** Long waits that were given up hold no memory until their time. */
  #sweep(): void {
    this.#heap.keepOnly(({ wake }) => wake !== undefined);
    this.#cancelled = 0;
  }

  #arm(): void {
    let next = this.#heap.peek();
    for (; next !== undefined && next.wake === undefined; next = this.#heap.peek()) this.#drop();
    if (next === undefined || (this.#alarm !== undefined && this.#alarmAt <= next.dueMs)) return;
    this.#alarm?.cancel();
    const now = this.#clock.now();
    // Looked at now and then as well, because the wall clock may jump and no timer would notice.
    const waitMs = Math.min(Math.max(0, next.dueMs - now), LIMITS.timerLookMs);
    this.#alarmAt = now + waitMs;
    this.#alarm = this.#clock.setTimer(waitMs, () => this.#look());
  }

  #look(): void {
    this.#alarm = undefined;
    const now = this.#clock.now();
    for (let first = this.#heap.peek(); first !== undefined; first = this.#heap.peek()) {
      if (first.wake !== undefined && first.dueMs > now) break;
      this.#drop();
      const { wake } = first;
      first.wake = undefined;
      wake?.();
    }
    this.#arm();
  }

  /** Takes the top away, which may have been given up. */
  #drop(): void {
    if (this.#heap.pop()?.wake === undefined) this.#cancelled = Math.max(0, this.#cancelled - 1);
  }
}
