/**
 * Reads sagas from the journal: whether an id is taken, how one ended, and what a living one begins with.
 *
 * Questions of one tick are one query, for a burst of starts asks the same of each.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Journal } from '../journal/journal.js';
import { TickBatch } from '../journal/tick-batch.js';
import { History } from './saga-entries.js';
import { type EndedHead, entriesIn, rowsOf, SAGA, SAGA_ENDED, SAGA_HISTORY, type SagaHead } from './saga-records.js';
import type { RunStart } from './run-surroundings.js';

/** What the journal knows of an id. */
export interface StoredSaga {
  readonly head: SagaHead | undefined;
  readonly end: EndedHead | undefined;
}

/** Ids per query. */
const BATCH = 512;

export class SagaStore {
  readonly #journal: Pick<Journal, 'readRecords' | 'findRecords' | 'read'>;
  readonly #present: (event: RecordedEvent) => RecordedEvent;
  readonly #lookups: TickBatch<string, StoredSaga>;

  constructor(
    journal: Pick<Journal, 'readRecords' | 'findRecords' | 'read'>,
    present: (event: RecordedEvent) => RecordedEvent,
  ) {
    this.#journal = journal;
    this.#present = present;
    this.#lookups = new TickBatch(BATCH, (keys) => this.#find(keys));
  }

  /** What is durable of a saga. */
  find(key: string): Promise<StoredSaga> {
    return this.#lookups.ask(key);
  }

  /** Heads of the sagas that have not ended, page by page. */
  async *heads(): AsyncGenerator<{ readonly key: string; readonly head: SagaHead }> {
    for (let after = ''; ; ) {
      const page = await this.#journal.readRecords(SAGA, { after, limit: 1_000 });
      // Only `headRecord` writes records of this kind.
      for (const { key, value } of page) yield { key, head: value as SagaHead };
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.key;
    }
  }

  /** What a run begins with, read from its history. */
  async load(key: string, id: string, head: SagaHead): Promise<RunStart> {
    const rows = await this.#journal.readRecords(SAGA_HISTORY, rowsOf(head.run));
    const history = new History(entriesIn(rows));
    const events = new Map<number, RecordedEvent>();
    for (const position of history.events()) events.set(position, await this.#eventAt(position));
    const input = head.byEvent ? this.#present(await this.#eventAt(head.position)) : history.input?.input;
    const searchedTo = new Map(head.idle?.waits?.map((wait) => [wait.step, wait.searchedTo]));
    return { key, id, head: { ...head, idle: undefined }, input, history, rows: rows.length, events, searchedTo };
  }

  async #find(keys: readonly string[]): Promise<StoredSaga[]> {
    const [heads, ends] = await Promise.all([
      this.#journal.findRecords(SAGA, keys),
      this.#journal.findRecords(SAGA_ENDED, keys),
    ]);
    // What these kinds hold is written by saga-records.ts alone.
    return keys.map((_key, i) => ({
      head: heads[i] as SagaHead | undefined,
      end: ends[i] as EndedHead | undefined,
    }));
  }

  async #eventAt(position: number): Promise<RecordedEvent> {
    const { events } = await this.#journal.read({ after: position - 1, limit: 1 });
    const event = events[0];
    if (event?.position === position) return event;
    throw new TroupeError('TROUPE_JOURNAL_CORRUPT', `the journal has no event at position ${position}`);
  }
}
