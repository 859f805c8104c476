/**
 * Deadlines of many waits at the price of one timer for each duration, and one look at the clock for each turn of the loop.
 *
 * Most waits are over before the event loop turns: they are never dated. Those that are not get their time then, or
 * when there are many of them.
 *
 * Waits of one duration end in the order they began, so each duration has a queue; settled waits leave when they come
 * to its head, or when the queue has doubled since they were last looked for: one long wait retains no others.
 * Timers never fire early; they are at most some milliseconds late.
 */
import { RingBuffer } from './ring-buffer.js';
import type { Clock, Timer } from './clock.js';

/** Something that ends at a deadline unless it is settled before. */
export interface Expiring {
  readonly settled: boolean;
  /** Kept here for whom it waits on: monotonic milliseconds, whole ones, which cost no object. At first 0. */
  dueMs: number;
  expire(): void;
}

/** Waits in one queue before it is worth looking for settled ones behind its head. */
const FEW = 1_024;
/** Undated waits that are dated without waiting for the loop, so that few settled ones are kept. */
const MOST_UNDATED = 256;

class DeadlineQueue {
  readonly #waiting = new RingBuffer<Expiring>();
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #empty: () => void;
  readonly #undated: Expiring[] = [];
  #timer: Timer | undefined;
  /** Size of the queue at which settled waits are looked for in all of it. */
  #sweepAt = FEW;

  constructor(clock: Clock, durationMs: number, empty: () => void) {
    this.#clock = clock;
    this.#durationMs = durationMs;
    this.#empty = empty;
  }

  add(one: Expiring): void {
    if (this.#undated.push(one) >= MOST_UNDATED) this.date();
  }

  /** Those that still wait get their time, which begins now: a moment late, never early. */
  date(): void {
    if (this.#undated.length === 0) return;
    this.#dropSettled();
    const dueMs = Math.ceil(this.#clock.monotonic() + this.#durationMs);
    for (const one of this.#undated) {
      if (one.settled) continue;
      one.dueMs = dueMs;
      this.#waiting.push(one);
    }
    this.#undated.length = 0;
    this.#timer ??= this.#clock.setTimer(this.#durationMs, () => this.#expire());
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#undated.length = 0;
    this.#waiting.drain();
  }

  #dropSettled(): void {
    while (this.#waiting.peek()?.settled === true) this.#waiting.shift();
    if (this.#waiting.size < this.#sweepAt) return;
    for (const one of this.#waiting.drain()) if (!one.settled) this.#waiting.push(one);
    this.#sweepAt = Math.max(FEW, 2 * this.#waiting.size);
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (!next.settled && next.dueMs > now) break;
      this.#waiting.shift();
      if (!next.settled) next.expire();
    }
    const next = this.#waiting.peek();
    if (next === undefined) {
      // The undated begin anew.
      if (this.#undated.length === 0) this.#empty();
    } else this.#timer = this.#clock.setTimer(Math.max(0, next.dueMs - now), () => this.#expire());
  }
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #queues = new Map<number, DeadlineQueue>();
  /** Most waits last as long as the one before. */
  #lastMs = Number.NaN;
  #last: DeadlineQueue | undefined;
  /** Whether the undated are dated when the loop turns. */
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `one.expire()` is called after `durationMs`, unless it is settled by then. Infinity: never. */
  add(one: Expiring, durationMs: number): void {
    if (durationMs !== this.#lastMs || this.#last === undefined) {
      if (!Number.isFinite(durationMs)) return;
      this.#last = this.#queueFor(durationMs);
      this.#lastMs = durationMs;
    }
    this.#last.add(one);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#dateAll);
  }

  /** Forgets all of them; nothing keeps the process alive. */
  clear(): void {
    for (const queue of this.#queues.values()) queue.clear();
    this.#queues.clear();
    this.#last = undefined;
  }

  #queueFor(durationMs: number): DeadlineQueue {
    const known = this.#queues.get(durationMs);
    if (known !== undefined) return known;
    const queue = new DeadlineQueue(this.#clock, durationMs, () => {
      this.#queues.delete(durationMs);
      if (this.#last === queue) this.#last = undefined;
    });
    this.#queues.set(durationMs, queue);
    return queue;
  }

  readonly #dateAll = (): void => {
    this.#scheduled = false;
    for (const queue of this.#queues.values()) queue.date();
  };
}
