/**
 * `deduplicate`: drops what has been let through before, within a window of items or of time.
 *
 * The window is kept in the order of what was let through, so that forgetting is taking from its front: no timer, and
 * never more keys than the bound.
 */
import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { Duration } from '../core/duration.js';
import { OptionReader } from '../core/option-reader.js';
import { stage } from './stage.js';

export interface DeduplicateOptions<Item> {
  /** What makes two items the same; compared as the keys of a Map are. */
  readonly by: (item: Item) => unknown;
  /** A number: so many different keys are remembered. A text such as `'10s'`: for so long. */
  readonly window: number | (Duration & string);
  /** Whose time a window of time goes by. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** Keys that a window of time remembers at most. 100,000 short texts are about 10 MB. */
const KEYS_IN_TIME = 100_000;

const OPTIONS = ['by', 'window', 'scheduler'];

/**
 * Drops an item when one with the same key was let through before, within the window.
 *
 * The window counts from the item that was let through; a repeat doesn't prolong it. As a number it remembers that
 * many different keys, the oldest is forgotten first; as a text it remembers each key for that long, and never more
 * than the last 100,000 keys.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is missing or unusable.
 * @example
 * system.events.pipe(deduplicate({ by: (event) => event.commandId, window: 10_000 }));
 * system.events.pipe(deduplicate({ by: (event) => event.aggregateId, window: '30s' })); // at most every 30 s
 */
export function deduplicate<Item>(options: DeduplicateOptions<Item>): MonoTypeOperatorFunction<Item> {
  const given = new OptionReader('operator deduplicate', options, OPTIONS);
  given.function('by', '(item) => key');
  const { by, window, scheduler = asyncScheduler } = options;
  const timed = typeof window === 'string';
  const keys = timed ? KEYS_IN_TIME : given.integer('window', { min: 1 });
  const windowMs = timed ? given.durationMs('window', Infinity, { min: 1 }) : Infinity;

  return stage<Item, Item>((out) => {
    /** When each key was let through, the longest ago first. */
    const passedMs = new Map<unknown, number>();
    return {
      next(item) {
        const key = by(item);
        const nowMs = timed ? scheduler.now() : 0;
        for (const [oldest, atMs] of passedMs) {
          if (nowMs - atMs < windowMs) break;
          passedMs.delete(oldest);
        }
        if (passedMs.has(key)) return;
        passedMs.set(key, nowMs);
        if (passedMs.size > keys) forgetFirst(passedMs);
        out.next(item);
      },
    };
  });
}

function forgetFirst(map: Map<unknown, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
