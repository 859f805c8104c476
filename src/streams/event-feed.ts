/**
 * An event feed: one reader's way through the log, from any position to the head and on, by pulling.
 *
 * Close to the head the events come from the window, further back in pages from the journal; the reader doesn't
 * see the difference. No gap, no repeat, order of position. Reactions, projections and `readAll` stand on it.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { EventPage, Journal } from '../journal/journal.js';
import type { FollowedWindow } from './event-window.js';

export interface FeedOptions {
  /** Only events with a greater position. */
  readonly after: number;
  /** Only these types; undefined: all. */
  readonly types?: ReadonlySet<string> | undefined;
}

const NOTHING: readonly RecordedEvent[] = [];

export class EventFeed {
  readonly #window: FollowedWindow;
  readonly #journal: Journal;
  readonly #types: ReadonlySet<string> | undefined;
  readonly #typeList: readonly string[] | undefined;
  #position: number;

  constructor(window: FollowedWindow, journal: Journal, options: FeedOptions) {
    this.#window = window;
    this.#journal = journal;
    this.#position = options.after;
    this.#types = options.types;
    this.#typeList = options.types === undefined ? undefined : [...options.types];
  }

  /** Every matching event up to here has been handed out. */
  get position(): number {
    return this.#position;
  }

  /** Whether there is anything behind the position. */
  get atHead(): boolean {
    return this.#position >= this.#window.head;
  }

  /**
   * The next events, at most `max`: at once from the window, as a promise from the journal. The page may be empty
   * although the feed isn't at the head yet, when none of the events searched matched; `searchedTo` tells how far
   * it got. Undefined at the head: wait for `EventWindow.follow`. Call again only after the promise has resolved.
   */
  pull(max: number): EventPage | Promise<EventPage> | undefined {
    const part = this.#window.partAfter(this.#position);
    if (part === 'head') return undefined;
    if (part === 'evicted') return this.#fromJournal(max);
    return this.#fromWindow(part, max);
  }

  #fromWindow(part: readonly RecordedEvent[], max: number): EventPage {
    const events: RecordedEvent[] = [];
    for (const event of part) {
      if (event.position <= this.#position) continue;
      if (events.length >= max) break;
      this.#position = event.position;
      if (this.#types === undefined || this.#types.has(event.type)) events.push(event);
    }
    return { events: events.length === 0 ? NOTHING : events, searchedTo: this.#position };
  }

  async #fromJournal(max: number): Promise<EventPage> {
    const page = await this.#journal.read({ after: this.#position, limit: max, types: this.#typeList });
    this.#position = page.searchedTo;
    return page;
  }
}
