/**
 * Wakes runs in memory by the wall clock: never early, and within a second of a jump of the clock.
 *
 * One timer for all of them; they stand in a heap by time. What has to survive this process stands in the history
 * of the run, or, when the run leaves memory, among the durable timers.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';

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
  #heap: Sleeper[] = [];
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
      this.#push(sleeper);
      this.#arm();
    }
    return {
      cancel: () => {
        if (sleeper.wake === undefined) return;
        sleeper.wake = undefined;
        this.#cancelled += 1;
        if (this.#cancelled > FEW && this.#cancelled > this.#heap.length / 2) this.#sweep();
      },
    };
  }

  /** Wakes nobody any more. */
  end(): void {
    this.#ended = true;
    this.#alarm?.cancel();
    this.#heap.length = 0;
  }

  /** Long waits that were given up hold no memory until their time. */
  #sweep(): void {
    // A sorted array is a heap.
    this.#heap = this.#heap.filter(({ wake }) => wake !== undefined).sort((a, b) => a.dueMs - b.dueMs);
    this.#cancelled = 0;
  }

  #arm(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].wake === undefined) this.#drop();
    const next = this.#heap[0];
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
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
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
    if (this.#heap[0]?.wake === undefined) this.#cancelled = Math.max(0, this.#cancelled - 1);
    this.#pop();
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    let place = heap.push(sleeper) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.dueMs <= sleeper.dueMs) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = sleeper;
  }

  #pop(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const a = heap[left];
      if (a === undefined) break;
      const b = heap[left + 1];
      const smaller = b !== undefined && b.dueMs < a.dueMs ? b : a;
      if (moved.dueMs <= smaller.dueMs) break;
      heap[place] = smaller;
      place = smaller === a ? left : left + 1;
    }
    heap[place] = moved;
  }
}
