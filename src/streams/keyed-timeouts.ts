/**
 * Timeouts of one length for many keys, at the price of one timer.
 *
 * Because all are equally long they end in the order they began, which is the order of a Map; the timer is set for
 * the oldest. Keys whose time is endless are kept too, so that the oldest can be asked for.
 */
import type { SchedulerLike, Subscription } from 'rxjs';

export class KeyedTimeouts<Key> {
  readonly #scheduler: SchedulerLike;
  readonly #delayMs: number;
  readonly #onDue: (key: Key) => void;
  /** When each one is due, the earliest first. */
  readonly #dueMs = new Map<Key, number>();
  #timer: Subscription | undefined;

  /** @param delayMs may be Infinity. */
  constructor(scheduler: SchedulerLike, delayMs: number, onDue: (key: Key) => void) {
    this.#scheduler = scheduler;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  /** Of those that run, the key that began first. */
  get oldest(): Key | undefined {
    const { value } = this.#dueMs.keys().next();
    return value;
  }

  /** Begins a key's time, or begins it anew. */
  start(key: Key): void {
    this.#dueMs.delete(key);
    this.#dueMs.set(key, this.#scheduler.now() + this.#delayMs);
    if (this.#timer === undefined) this.#setTimer(this.#delayMs);
  }

  cancel(key: Key): void {
    this.#dueMs.delete(key);
    if (this.#dueMs.size === 0) this.stop();
  }

  /** Ends the timer; nothing is called any more. */
  stop(): void {
    this.#dueMs.clear();
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #setTimer(delayMs: number): void {
    if (delayMs === Infinity) return;
    this.#timer = this.#scheduler.schedule(() => this.#expire(), Math.max(0, delayMs));
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#scheduler.now();
    for (const [key, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) break;
      this.#dueMs.delete(key);
      this.#onDue(key);
    }
    // A key may have begun meanwhile, and set the timer for itself.
    const { value } = this.#dueMs.values().next();
    if (value !== undefined && this.#timer === undefined) this.#setTimer(value - nowMs);
  }
}
