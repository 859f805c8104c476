/**
 * Those who watch single rows: each gets the row as it is, then each change, the latest of a batch.
 *
 * A change is told once its batch is written. The first row is read; if a batch comes in between, its row is newer
 * than what is read, and the read one is dropped.
 */
import type { Subscriber } from 'rxjs';
import { type Clock, systemClock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { SubscriberCare } from '../streams/safe-observable.js';
import { LiveObservable, type LiveValues } from '../streams/live-values.js';
import { ThrottledLog } from '../streams/throttled-log.js';
import type { Row, RowKey } from './row-shape.js';

/** The rows that exist of some keys. */
export type ReadRows = (keys: readonly RowKey[]) => Promise<ReadonlyMap<RowKey, Row>>;

interface Watcher {
  readonly key: RowKey;
  readonly subscriber: Subscriber<Row | undefined>;
  /** JSON of what was told last; undefined before the first time. */
  told: string | undefined;
  /** Counts what was told, so that a read knows whether it is too late. */
  changes: number;
}

export class RowWatchers implements SubscriberCare {
  /** Each subscription reads for itself, so there is nothing to subscribe to anew. */
  readonly emitted = undefined;
  readonly #name: string;
  readonly #read: ReadRows;
  readonly #log: ThrottledLog;
  readonly #byKey = new Map<RowKey, Set<Watcher>>();
  #ended = false;
  #refreshing = false;
  #stale = false;

  constructor(name: string, read: ReadRows, log: Logger, clock: Clock = systemClock) {
    this.#name = name;
    this.#read = read;
    this.#log = new ThrottledLog(log, clock, 'error');
  }

  watch(key: RowKey): LiveValues<Row | undefined> {
    return new LiveObservable<Row | undefined>(this, (subscriber) => {
      if (this.#ended) {
        subscriber.complete();
        return undefined;
      }
      const watcher: Watcher = { key, subscriber, told: undefined, changes: 0 };
      const watchers = this.#byKey.get(key) ?? new Set();
      watchers.add(watcher);
      this.#byKey.set(key, watchers);
      void this.#readFor([watcher]);
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0 && this.#byKey.get(key) === watchers) this.#byKey.delete(key);
      };
    });
  }

  /** Whether anybody watches a row. */
  get observed(): boolean {
    return this.#byKey.size > 0;
  }

  /** Whether a change is on its way to somebody. */
  get reading(): boolean {
    return this.#refreshing;
  }

  /** Rows have been written; null is a deleted one. */
  changed(rows: ReadonlyMap<RowKey, Row | null>): void {
    if (this.#byKey.size === 0) return;
    // The smaller of the two is gone through.
    if (rows.size <= this.#byKey.size) {
      for (const [key, row] of rows) for (const watcher of this.#byKey.get(key) ?? []) tell(watcher, row ?? undefined);
      return;
    }
    for (const [key, watchers] of this.#byKey) {
      const row = rows.get(key);
      if (row !== undefined) for (const watcher of watchers) tell(watcher, row ?? undefined);
    }
  }

  /** Any row may have changed: reads those that are watched. Calls that come meanwhile lead to one more read. */
  anyChanged(): void {
    if (this.#byKey.size === 0) return;
    this.#stale = true;
    if (!this.#refreshing) void this.#refresh();
  }

  /** No change comes after this. */
  end(): void {
    this.#ended = true;
    for (const watchers of this.#byKey.values()) for (const watcher of watchers) watcher.subscriber.complete();
    this.#byKey.clear();
    this.#log.close();
  }

  caught(error: unknown): void {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#log.write('', `a subscriber of ${this.#name} threw; it stays subscribed: ${text}`, { error });
  }

  async #refresh(): Promise<void> {
    this.#refreshing = true;
    while (this.#stale && !this.#ended) {
      this.#stale = false;
      await this.#readFor([...this.#byKey.values()].flatMap((watchers) => [...watchers]));
    }
    this.#refreshing = false;
  }

  async #readFor(watchers: readonly Watcher[]): Promise<void> {
    const before = watchers.map((watcher) => watcher.changes);
    try {
      const rows = await this.#read([...new Set(watchers.map((watcher) => watcher.key))]);
      watchers.forEach((watcher, i) => {
        if (watcher.changes === before[i]) tell(watcher, rows.get(watcher.key));
      });
    } catch (error) {
      for (const watcher of watchers) if (!this.#ended) watcher.subscriber.error(error);
    }
  }
}

/** JSON has no undefined; no row's text is empty. */
const ABSENT = '';

function tell(watcher: Watcher, row: Row | undefined): void {
  watcher.changes += 1;
  const text = row === undefined ? ABSENT : JSON.stringify(row);
  if (text === watcher.told) return;
  watcher.told = text;
  watcher.subscriber.next(row);
}
