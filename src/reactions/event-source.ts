/**
 * Where a reaction's events come from: the feed, one event at a time, and how far it has come.
 *
 * Holds one page, because a feed near the head searches a whole commit for each pull. A page that the journal
 * can't give is asked for again after a while.
 */
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { EventPage } from '../journal/journal.js';
import type { EventFeed } from '../streams/event-feed.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import { backoffMs } from './backoff.js';
import type { Pauses } from './pauses.js';

const EMPTY: EventPage = { events: [], searchedTo: 0 };

export interface SourceSurroundings {
  readonly name: string;
  readonly pauses: Pauses;
  readonly warnings: ThrottledLog;
  /** There is something to take after a time when there was nothing. */
  readonly wake: () => void;
}

export class EventSource {
  readonly #feed: EventFeed;
  readonly #around: SourceSurroundings;
  #page = EMPTY;
  #next = 0;
  #taken: number;
  #reading = false;

  constructor(feed: EventFeed, around: SourceSurroundings) {
    this.#feed = feed;
    this.#around = around;
    this.#taken = feed.position;
  }

  /** Every matching event up to here has been taken. */
  get taken(): number {
    return this.#taken;
  }

  get atHead(): boolean {
    return !this.#reading && this.#next >= this.#page.events.length && this.#feed.atHead;
  }

  /** The next event; `'page'`: there may be one, ask again; undefined: `wake` will tell, or a commit. */
  next(): RecordedEvent | 'page' | undefined {
    const event = this.#page.events[this.#next];
    if (event !== undefined) {
      this.#next += 1;
      this.#taken = event.position;
      if (this.#next === this.#page.events.length) this.#endPage();
      return event;
    }
    if (this.#reading) return undefined;
    const pulled = this.#feed.pull(LIMITS.reactionConcurrency);
    if (pulled === undefined) return undefined;
    if (pulled instanceof Promise) {
      this.#reading = true;
      void this.#read(pulled);
      return undefined;
    }
    this.#turn(pulled);
    return 'page';
  }

  #turn(page: EventPage): void {
    this.#page = page;
    this.#next = 0;
    if (page.events.length === 0) this.#endPage();
  }

  #endPage(): void {
    this.#taken = this.#page.searchedTo;
    this.#page = EMPTY;
    this.#next = 0;
  }

  async #read(pulled: Promise<EventPage>): Promise<void> {
    const { name, pauses, warnings, wake } = this.#around;
    let page: Promise<EventPage> | EventPage | undefined = pulled;
    for (let failures = 1; page !== undefined; failures += 1) {
      try {
        this.#turn(await page);
        break;
      } catch (error) {
        const where = `reaction ${name}: events behind position ${this.#taken}`;
        warnings.write('read failed', `${where} can't be read; trying again`, { error });
        await pauses.wait(backoffMs(failures, LIMITS.loadBackoffMinMs, LIMITS.loadBackoffMaxMs));
        if (pauses.ended) return;
        page = this.#feed.pull(LIMITS.reactionConcurrency);
      }
    }
    this.#reading = false;
    wake();
  }
}
