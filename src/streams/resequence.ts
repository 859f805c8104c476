/**
 * `resequence`: puts the items of each key back into the order of their sequence numbers.
 *
 * @see Hohpe and Woolf, Enterprise Integration Patterns, 2003: Resequencer
 */
import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { Duration } from '../core/duration.js';
import { OptionReader } from '../core/option-reader.js';
import { TroupeError } from '../core/troupe-error.js';
import { KeyedTimeouts } from './keyed-timeouts.js';
import { stage } from './stage.js';

export interface ResequenceOptions<Item, Key> {
  /** Each key has a sequence of its own. Default: all items have one. */
  readonly by?: (item: Item) => Key;
  /** The item's place in its sequence: an integer, one more than that of the item before. */
  readonly sequence: (item: Item) => number;
  /** The first number of a sequence. Default 1. */
  readonly from?: number | ((key: Key) => number);
  /** How long the next number may be missing while later ones wait. Default: endlessly, within `capacity`. */
  readonly timeout?: Duration;
  /** Told when a missing number is given up: `expected` did not come, `buffered` waited for it, in order. */
  readonly onGap?: (key: Key, expected: number, buffered: readonly Item[]) => void;
  /** Early items kept, over all keys; with one more, the key that has waited longest gives up. Default 10,000. */
  readonly capacity?: number;
  /** Keys whose place is remembered; with one more, the one unused for longest is forgotten. Default 100,000. */
  readonly keys?: number;
  /** Whose time `timeout` goes by. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** The sequence of one key. */
interface Line<Item> {
  expected: number;
  /** Items that came too early, by number. */
  readonly early: Map<number, Item>;
}

const OPTIONS = ['by', 'sequence', 'from', 'timeout', 'onGap', 'capacity', 'keys', 'scheduler'];
const DEFAULT_CAPACITY = 10_000;
const DEFAULT_KEYS = 100_000;

/**
 * Emits the items of each key in the order of their numbers: keeps what is early, drops what is late or repeated.
 *
 * When the next number stays away for `timeout` (or `capacity` is used up, or the source ends), `onGap` is told, and
 * the key goes on with the lowest number that waits; should the missing one still come, it is late. A key that had to
 * be forgotten starts at `from` again: its next item waits as if early, and passes as after a gap.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is missing or unusable. The stream fails with TROUPE_INVALID_MESSAGE
 * when a number is no integer.
 * @example
 * shuffled.pipe(
 *   resequence({
 *     by: (event) => event.aggregateId,
 *     sequence: (event) => event.version,
 *     timeout: '5s',
 *     onGap: (key, expected) => console.warn(`${key}: version ${expected} is missing`),
 *   }),
 * );
 */
export function resequence<Item, Key = undefined>(
  options: ResequenceOptions<Item, Key>,
): MonoTypeOperatorFunction<Item> {
  const given = new OptionReader('operator resequence', options, OPTIONS);
  given.function('sequence', '(item) => number');
  given.optionalFunction('by', '(item) => key');
  given.optionalFunction('onGap', '(key, expected, buffered)');
  const { by, sequence, from: start = 1, onGap, scheduler = asyncScheduler } = options;
  if (typeof start !== 'function') given.integer('from', { min: Number.MIN_SAFE_INTEGER }, 1);
  const timeoutMs = given.durationMs('timeout', Infinity, { infinite: true });
  const capacity = given.integer('capacity', { min: 1, infinite: true }, DEFAULT_CAPACITY);
  const maxKeys = given.integer('keys', { min: 1, infinite: true }, DEFAULT_KEYS);

  return stage<Item, Item>((out) => {
    /** By key, the one unused for longest first. */
    const lines = new Map<Key, Line<Item>>();
    let buffered = 0;

    /** Emits what follows without a gap. State first: an emission may lead to the next item at once. */
    const emitRun = (key: Key, line: Line<Item>): void => {
      while (line.early.has(line.expected) && !out.closed) {
        // Just found to be there.
        const item = line.early.get(line.expected) as Item;
        line.early.delete(line.expected);
        buffered -= 1;
        line.expected += 1;
        out.next(item);
      }
      if (line.early.size > 0) waiting.start(key);
      else waiting.cancel(key);
    };
    const giveUp = (key: Key, line: Line<Item>): void => {
      const early = [...line.early].sort(([one], [other]) => one - other);
      onGap?.(
        key,
        line.expected,
        early.map(([, item]) => item),
      );
      // Whoever was told may have sent the missing one.
      line.expected = Math.max(line.expected, Math.min(...early.slice(0, 1).map(([number]) => number)));
      emitRun(key, line);
    };
    const waiting = new KeyedTimeouts<Key>(scheduler, timeoutMs, (key) => {
      const line = lines.get(key);
      try {
        if (line !== undefined && line.early.size > 0) giveUp(key, line);
      } catch (error) {
        out.error(error);
      }
    });
    const emitAll = (key: Key, line: Line<Item>): void => {
      while (line.early.size > 0 && !out.closed) giveUp(key, line);
    };
    const lineOf = (key: Key): Line<Item> => {
      const line = lines.get(key) ?? { expected: typeof start === 'function' ? start(key) : start, early: new Map() };
      lines.delete(key);
      lines.set(key, line);
      if (lines.size > maxKeys) {
        const [[oldest, forgotten] = [key, line]] = lines;
        emitAll(oldest, forgotten);
        lines.delete(oldest);
      }
      return line;
    };

    return {
      next(item) {
        // Without `by` there is one key, undefined, which is the default of Key.
        const key = by === undefined ? (undefined as Key) : by(item);
        const number = sequence(item);
        if (!Number.isSafeInteger(number)) throw noInteger(number);
        const line = lineOf(key);
        if (number < line.expected || line.early.has(number)) return;
        if (number === line.expected) {
          line.expected += 1;
          out.next(item);
          if (line.early.size > 0) emitRun(key, line);
          return;
        }
        line.early.set(number, item);
        buffered += 1;
        if (line.early.size === 1) waiting.start(key);
        while (buffered > capacity && !out.closed) {
          // Something is buffered, so somebody waits.
          const oldest = waiting.oldest as Key;
          giveUp(oldest, lines.get(oldest) ?? line);
        }
      },
      complete() {
        for (const [key, line] of lines) emitAll(key, line);
        out.complete();
      },
      stop: () => waiting.stop(),
    };
  });
}

function noInteger(found: unknown): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_MESSAGE',
    `operator resequence: options.sequence gave ${String(found)} for an item; give an integer`,
    { details: { sequence: String(found) } },
  );
}
