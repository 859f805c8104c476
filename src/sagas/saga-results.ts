/** Who waits for the results of sagas: each is told once, of the end or of what the saga stands still with. */
import { fromWireError, toWireError } from '../core/wire-error.js';
import type { EndedHead } from './saga-records.js';

/** One who waits for a result. */
export interface ResultWaiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class SagaResults {
  readonly #waiting = new Map<string, Set<ResultWaiter>>();

  add(key: string, waiter: ResultWaiter): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, new Set([waiter]));
    else waiting.add(waiter);
  }

  /** Tells one of them. */
  settle(key: string, waiter: ResultWaiter, end: EndedHead | Error): void {
    const waiting = this.#waiting.get(key);
    if (waiting?.delete(waiter) === true && waiting.size === 0) this.#waiting.delete(key);
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
  }
}
