/**
 * `summarize`: folds many events into one, per key, and emits it after so many events or so much time.
 */
import { asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { Duration } from '../core/duration.js';
import { OptionReader } from '../core/option-reader.js';
import { KeyedTimeouts } from './keyed-timeouts.js';
import { stage } from './stage.js';

export interface SummarizeOptions<Item, Key> {
  /** Each key has a summary of its own. Default: all items share one. */
  readonly by?: (item: Item) => Key;
  /** A summary is emitted this long after its first item. */
  readonly every?: Duration;
  /** A summary is emitted with its so-many-th item. */
  readonly count?: number;
  /** Summaries open at the same time; with one more, the oldest is emitted early. Default 10,000. */
  readonly keys?: number;
  /** Whose time `every` goes by. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

interface Open<Summary> {
  summary: Summary;
  items: number;
}

const OPTIONS = ['by', 'every', 'count', 'keys', 'scheduler'];
const DEFAULT_KEYS = 10_000;

/**
 * Folds the items of each key into a summary, and emits it with the `count`-th item, or `every` so long after the first
 * one, whichever comes first; then the key starts anew. What is open when the source ends is emitted.
 *
 * Only the summary is kept, never the items. A key without items emits nothing.
 *
 * @param reduce gets the summary so far, undefined with the first item, and returns the new one.
 * @throws TROUPE_INVALID_OPTIONS when an option is unusable, or neither `every` nor `count` is given.
 * @example
 * system.events.pipe(
 *   ofType('order.created'),
 *   summarize({ every: '1s', count: 1_000 }, (orders: number | undefined) => (orders ?? 0) + 1),
 * );
 */
export function summarize<Item, Summary, Key = undefined>(
  options: SummarizeOptions<Item, Key>,
  reduce: (summary: Summary | undefined, item: Item, key: Key) => Summary,
): OperatorFunction<Item, Summary> {
  const given = new OptionReader('operator summarize', options, OPTIONS);
  given.optionalFunction('by', '(item) => key');
  if (typeof reduce !== 'function') throw given.refusal('reduce', 'give a function (summary, item, key) => summary');
  const { by, scheduler = asyncScheduler } = options;
  if (options.every === undefined && options.count === undefined) {
    throw given.refusal('every', 'give a duration, or a number as "count", or both');
  }
  const everyMs = given.durationMs('every', Infinity, { min: 1 });
  const count = given.integer('count', { min: 1, infinite: true }, Infinity);
  const maxKeys = given.integer('keys', { min: 1, infinite: true }, DEFAULT_KEYS);

  return stage<Item, Summary>((out) => {
    /** In the order of their first items. */
    const open = new Map<Key, Open<Summary>>();
    const emit = (key: Key): void => {
      const found = open.get(key);
      if (found === undefined) return;
      open.delete(key);
      due.cancel(key);
      out.next(found.summary);
    };
    const due = new KeyedTimeouts<Key>(scheduler, everyMs, emit);
    return {
      next(item) {
        // Without `by` there is one key, undefined, which is the default of Key.
        const key = by === undefined ? (undefined as Key) : by(item);
        const found = open.get(key);
        if (found === undefined) {
          open.set(key, { summary: reduce(undefined, item, key), items: 1 });
          due.start(key);
          // More than one, so there is an oldest.
          if (open.size > maxKeys) emit(due.oldest as Key);
        } else {
          found.summary = reduce(found.summary, item, key);
          found.items += 1;
        }
        if ((found?.items ?? 1) >= count) emit(key);
      },
      complete() {
        for (const key of open.keys()) emit(key);
        out.complete();
      },
      stop: () => due.stop(),
    };
  });
}
