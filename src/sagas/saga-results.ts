/**
 * Who waits for the results of sagas: each is told once, of the end or of what the saga stands still with.
 *
 * As long as somebody waits the process stays: a saga that sleeps has left memory, and durable timers alone keep nobody.
 */
import type { Clock, Timer } from '../core/clock.js';
import { fromWireError, toWireError } from '../core/wire-error.js';
import type { EndedHead } from './saga-records.js';

/** One who waits for a result. */
export interface ResultWaiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Milliseconds between two renewals of what keeps the process. */
const STAY_MS = 86_400_000;

export class SagaResults {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<ResultWaiter>>();
  #stay: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(key: string, waiter: ResultWaiter): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, new Set([waiter]));
    else waiting.add(waiter);
    if (this.#stay === undefined) this.#keepProcess();
  }

  /** Tells one of them. */
  settle(key: string, waiter: ResultWaiter, end: EndedHead | Error): void {
    const waiting = this.#waiting.get(key);
    if (waiting?.delete(waiter) === true && waiting.size === 0) this.#waiting.delete(key);
    if (this.#waiting.size === 0) this.#letProcessGo();
    if (end instanceof Error) waiter.reject(end);
    else if (end.state === 'done') waiter.resolve(end.result);
    else waiter.reject(fromWireError(end.error ?? toWireError(undefined)));
  }

  /** Tells all who wait for one saga. */
  settleAll(key: string, end: EndedHead | Error): void {
    for (const waiter of this.#waiting.get(key) ?? []) this.settle(key, waiter, end);
  }

  /** Nobody is told of an end any more. */
  refuseAll(refusal: (key: string) => Error): void {
    for (const [key, waiters] of this.#waiting) for (const one of waiters) one.reject(refusal(key));
    this.#waiting.clear();
    this.#letProcessGo();
  }

  #keepProcess(): void {
    this.#stay = this.#clock.setTimer(STAY_MS, () => this.#keepProcess());
  }

  #letProcessGo(): void {
    this.#stay?.cancel();
    this.#stay = undefined;
  }
}
