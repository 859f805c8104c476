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
    if (this.#types !== undefined) return this.#select(this.#types, max);
    const part = this.#window.partAfter(this.#position);
    if (part === 'head') return undefined;
    if (part === 'evicted') return this.#fromJournal(max);
    // A part in the window holds at least one event.
    return this.#take(part, part.at(-1)?.position ?? 0, undefined, max);
  }

  #select(types: ReadonlySet<string>, max: number): EventPage | Promise<EventPage> | undefined {
    const part = this.#window.selectAfter(this.#position, types);
    if (part === 'head') return undefined;
    if (part === 'evicted') return this.#fromJournal(max);
    return this.#take(part.events, part.searchedTo, types, max);
  }

  /** What is wanted of a commit's events, and has not been handed out. */
  #take(
    part: readonly RecordedEvent[],
    lastPosition: number,
    types: ReadonlySet<string> | undefined,
    max: number,
  ): EventPage {
    let events: RecordedEvent[] | undefined;
    let searchedTo = lastPosition;
    for (const event of part) {
      if (event.position <= this.#position || (types !== undefined && !types.has(event.type))) continue;
      if (events !== undefined && events.length >= max) {
        searchedTo = event.position - 1;
        break;
      }
      (events ??= []).push(event);
    }
    this.#position = searchedTo;
    return { events: events ?? NOTHING, searchedTo };
  }

  async #fromJournal(max: number): Promise<EventPage> {
    const page = await this.#journal.read({ after: this.#position, limit: max, types: this.#typeList });
    this.#position = page.searchedTo;
    return page;
  }
}
