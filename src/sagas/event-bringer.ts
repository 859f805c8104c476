/** Brings committed events, in order, to the sagas that wait for them; a journal that can't be read is asked again. */
import { LIMITS } from '../core/limits.js';
import type { Journal } from '../journal/journal.js';
import { backoffMs } from '../reactions/backoff.js';
import type { Pauses } from '../reactions/pauses.js';
import { EventFeed } from '../streams/event-feed.js';
import type { EventWindow } from '../streams/event-window.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import type { WaitIndex } from './wait-index.js';
import type { WaitSearch } from './wait-search.js';

export interface EventBringerOptions {
  readonly journal: Journal;
  readonly window: EventWindow;
  readonly index: WaitIndex;
  readonly search: WaitSearch;
  readonly pauses: Pauses;
  readonly warnings: ThrottledLog;
}

export class EventBringer {
  readonly #options: EventBringerOptions;
  readonly #feed: EventFeed;
  #taking = false;
  #ended = false;
  #moved: (() => void)[] = [];
  #unfollow: (() => void) | undefined;

  constructor(options: EventBringerOptions) {
    this.#options = options;
    const { window, journal } = options;
    this.#feed = new EventFeed(window, journal, { after: window.head });
  }

  start(): void {
    this.#unfollow = this.#options.window.follow(() => this.take());
  }

  end(): void {
    this.#ended = true;
    this.#unfollow?.();
    this.tellMoved();
  }

  /** Whether everything committed has been offered to those who wait. */
  get idle(): boolean {
    const { index, search } = this.#options;
    return index.atHead && search.idle;
  }

  /** Resolves when everything committed up to now has been offered to those who wait. */
  async caughtUp(): Promise<void> {
    await this.#options.journal.flushed();
    while (!this.idle && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#moved.push(resolve);
      });
    }
  }

  tellMoved(): void {
    for (const resolve of this.#moved.splice(0)) resolve();
  }

  take(): void {
    if (this.#taking || this.#ended) return;
    this.#taking = true;
    queueMicrotask(() => void this.#takeAll());
  }

  async #takeAll(): Promise<void> {
    const { index, pauses, warnings } = this.#options;
    for (let failures = 0; !this.#ended; ) {
      try {
        const pulled = this.#feed.pull(LIMITS.readPage);
        if (pulled === undefined) break;
        const page = pulled instanceof Promise ? await pulled : pulled;
        failures = 0;
        for (const event of page.events) index.take(event);
        index.skipTo(page.searchedTo);
      } catch (error) {
        failures += 1;
        warnings.write('read', 'events that sagas may wait for can not be read; trying again', { error });
        await pauses.wait(backoffMs(failures, LIMITS.loadBackoffMinMs, LIMITS.loadBackoffMaxMs));
      }
    }
    this.#taking = false;
    this.tellMoved();
    if (!this.#feed.atHead) this.take();
  }
}
