/**
 * Sagas that are not in memory: what brings each of them back.
 *
 * Each costs its key and what it waits for; its function, its history and its timers are in the journal. An event
 * that may be the one wakes it; whether it is decides the run itself, with its filter.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { IdleFacts, IdleWait } from './saga-records.js';
import type { Waiter, WaitIndex } from './wait-index.js';
import type { WaitSearch } from './wait-search.js';

/** Stands in the index for a run that isn't here. */
class IdleWaiter implements Waiter {
  readonly type: string;
  readonly aggregateId: string | undefined;
  readonly correlationId: string | undefined;
  readonly #wake: () => void;

  constructor({ type, aggregateId, correlationId }: IdleWait, wake: () => void) {
    this.type = type;
    this.aggregateId = aggregateId;
    this.correlationId = correlationId;
    this.#wake = wake;
  }

  offer(_event: RecordedEvent): boolean {
    this.#wake();
    return true;
  }
}

interface IdleSaga {
  readonly facts: IdleFacts;
  readonly waiters: readonly IdleWaiter[];
}

export class IdleSagas {
  readonly #index: WaitIndex;
  readonly #search: WaitSearch;
  readonly #wake: (key: string) => void;
  readonly #idle = new Map<string, IdleSaga>();

  /** @param wake brings a saga back; called once for each that was added */
  constructor(index: WaitIndex, search: WaitSearch, wake: (key: string) => void) {
    this.#index = index;
    this.#search = search;
    this.#wake = wake;
  }

  add(key: string, facts: IdleFacts): void {
    const waits = facts.waits ?? [];
    const waiters = waits.map((wait) => new IdleWaiter(wait, () => this.#wake(key)));
    this.#idle.set(key, { facts, waiters });
    for (const [place, waiter] of waiters.entries()) {
      const after = waits[place]?.searchedTo ?? 0;
      if (!this.#index.add(waiter, after)) this.#search.add(waiter, after);
    }
  }

  get(key: string): IdleFacts | undefined {
    return this.#idle.get(key)?.facts;
  }

  /** Forgets it; false: it isn't here. */
  remove(key: string): boolean {
    const idle = this.#idle.get(key);
    if (idle === undefined) return false;
    this.#idle.delete(key);
    for (const waiter of idle.waiters) {
      this.#index.remove(waiter);
      this.#search.remove(waiter);
    }
    return true;
  }

  entries(): IterableIterator<[string, IdleSaga]> {
    return this.#idle.entries();
  }

  get size(): number {
    return this.#idle.size;
  }
}
