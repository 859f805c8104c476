/**
 * Those who watch what a query finds: each gets the rows as they are, then anew after changes.
 *
 * Coalesced: while one read is under way, however many batches come, one more follows. Rows that are the same as
 * those told last are not told again. All who watch one projection share its care for subscribers that throw.
 */
import type { Subscriber } from 'rxjs';
import type { Clock, Timer } from '../core/clock.js';
import { LiveObservable, type LiveValues } from '../streams/live-values.js';
import type { SubscriberCare } from '../streams/safe-observable.js';
import type { Row } from './row-shape.js';
import type { RowQuery } from './sqlite-view-query.js';

/** Reads what a query finds. */
export type FindRows = (query: RowQuery) => Promise<readonly Row[]>;

interface QueryWatcher {
  readonly query: RowQuery;
  readonly everyMs: number;
  readonly subscriber: Subscriber<readonly Row[]>;
  /** Rows may have changed since the last read began. */
  stale: boolean;
  reading: boolean;
  /** Between two reads, if there is a pause. */
  pause: Timer | undefined;
  /** JSON of what was told last. */
  told: string | undefined;
}

export class QueryWatchers {
  readonly #find: FindRows;
  readonly #care: SubscriberCare;
  readonly #clock: Clock;
  readonly #all = new Set<QueryWatcher>();
  #ended = false;

  constructor(find: FindRows, care: SubscriberCare, clock: Clock) {
    this.#find = find;
    this.#care = care;
    this.#clock = clock;
  }

  /** @param everyMs milliseconds between two reads, at least */
  watch(query: RowQuery, everyMs: number): LiveValues<readonly Row[]> {
    return new LiveObservable<readonly Row[]>(this.#care, (subscriber) => {
      if (this.#ended) {
        subscriber.complete();
        return undefined;
      }
      const watcher: QueryWatcher = {
        query,
        everyMs,
        subscriber,
        stale: true,
        reading: false,
        pause: undefined,
        told: undefined,
      };
      this.#all.add(watcher);
      void this.#read(watcher);
      return () => {
        watcher.pause?.cancel();
        this.#all.delete(watcher);
      };
    });
  }

  /** Whether a change is on its way to somebody who doesn't wait for a pause to end. */
  get reading(): boolean {
    for (const { reading } of this.#all) if (reading) return true;
    return false;
  }

  /** Rows have been written, or another table answers. */
  changed(): void {
    for (const watcher of this.#all) {
      watcher.stale = true;
      if (!watcher.reading && watcher.pause === undefined) void this.#read(watcher);
    }
  }

  /** No change comes after this. */
  end(): void {
    this.#ended = true;
    for (const watcher of this.#all) {
      watcher.pause?.cancel();
      watcher.subscriber.complete();
    }
    this.#all.clear();
  }

  async #read(watcher: QueryWatcher): Promise<void> {
    watcher.reading = true;
    while (watcher.stale && this.#all.has(watcher)) {
      watcher.stale = false;
      try {
        const rows = await this.#find(watcher.query);
        if (this.#all.has(watcher)) tell(watcher, rows);
      } catch (error) {
        if (this.#all.has(watcher)) watcher.subscriber.error(error);
        break;
      }
      if (watcher.everyMs > 0) {
        this.#pause(watcher);
        break;
      }
    }
    watcher.reading = false;
  }

  #pause(watcher: QueryWatcher): void {
    if (!this.#all.has(watcher)) return;
    watcher.pause = this.#clock.setTimer(
      watcher.everyMs,
      () => {
        watcher.pause = undefined;
        if (watcher.stale) void this.#read(watcher);
      },
      true,
    );
  }
}

function tell(watcher: QueryWatcher, rows: readonly Row[]): void {
  const text = JSON.stringify(rows);
  if (text === watcher.told) return;
  watcher.told = text;
  watcher.subscriber.next(Object.freeze(rows));
}
