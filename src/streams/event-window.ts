/**
 * The event window: the last committed events, in memory, for everyone who follows the log closely.
 *
 * The journal tells each commit; readers pull (`event-feed.ts`) and find in the window what would else cost a
 * read from disk. Pages stay text until a reader asks for events of a type that they may hold: most events of a busy
 * log are nobody's here, and an event that is decoded outlives the young generation. Bounded by events and by characters;
 * who falls behind the window reads from the journal, so a slow reader costs no memory.
 */
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { decodeEvent, type EncodedEvent } from '../journal/event-codec.js';
import type { StoredPage } from '../journal/event-page.js';
import type { CommittedEvents, EventPage, Journal } from '../journal/journal.js';
import { TypeSearch } from '../journal/type-search.js';

/** One commit in the window. */
interface WindowPart {
  readonly committed: CommittedEvents;
  readonly characters: number;
  /** All its events, when somebody has asked for all. */
  events: readonly RecordedEvent[] | undefined;
  /** Those of the types of a search, which all who named types share. */
  selected: readonly RecordedEvent[] | undefined;
  search: TypeSearch | undefined;
}

/** The window as its readers use it; on a worker it may be the far end of a port. */
export type FollowedWindow = Pick<EventWindow, 'head' | 'follow' | 'partAfter' | 'selectAfter'>;

/** Types that readers may have named before all events are decoded for them; the cast has fewer, readers may name any. */
const MOST_TYPES = 256;

/** Characters of pages that are handed over at once, a commit more at most: some 2,000 events. */
const MOST_CHARACTERS = 500_000;

const NOTHING: readonly RecordedEvent[] = [];

export class EventWindow {
  readonly #maxEvents: number;
  readonly #maxCharacters: number;
  readonly #parts = new RingBuffer<WindowPart>();
  readonly #followers = new Set<() => void>();
  /** For all types that readers have named; undefined: too many. */
  #search: TypeSearch | undefined = new TypeSearch(new Set());
  #events = 0;
  #characters = 0;
  #head: number;

  /** @param head position of the last event committed before the window was opened */
  constructor(
    head: number,
    limits: { readonly maxEvents: number; readonly maxCharacters: number } = {
      maxEvents: LIMITS.windowEvents,
      maxCharacters: LIMITS.windowCharacters,
    },
  ) {
    this.#head = head;
    this.#maxEvents = limits.maxEvents;
    this.#maxCharacters = limits.maxCharacters;
  }

  /** Position of the last committed event. */
  get head(): number {
    return this.#head;
  }

  /** Position of the first event in the window; one behind the head while it is empty. */
  get oldest(): number {
    return this.#parts.peek()?.committed.firstPosition ?? this.#head + 1;
  }

  /** Takes a commit and wakes the followers. */
  add(committed: CommittedEvents): void {
    let characters = 0;
    for (const page of committed.pages) characters += page.body.length;
    this.#parts.push({ committed, characters, events: undefined, selected: undefined, search: undefined });
    this.#head = committed.lastPosition;
    this.#events += eventsIn(committed);
    this.#characters += characters;
    while (this.#parts.size > 1 && (this.#events > this.#maxEvents || this.#characters > this.#maxCharacters)) {
      const oldest = this.#parts.shift();
      if (oldest === undefined) break;
      this.#events -= eventsIn(oldest.committed);
      this.#characters -= oldest.characters;
    }
    for (const wake of this.#followers) wake();
  }

  /** Calls `wake` after each commit, synchronously; it must not throw. Returns the way to stop. */
  follow(wake: () => void): () => void {
    this.#followers.add(wake);
    return () => this.#followers.delete(wake);
  }

  /**
   * The events of the first commit that goes beyond `position`, all of them (also those up to `position`);
   * `'evicted'` if they have left the window, `'head'` if there is nothing beyond.
   */
  partAfter(position: number): readonly RecordedEvent[] | 'evicted' | 'head' {
    const part = this.#partAfter(position);
    return typeof part === 'string' ? part : allOf(part);
  }

  /**
   * As `partAfter`, but only events of these types, and perhaps of some others; `searchedTo` is the commit's last
   * position.
   */
  selectAfter(position: number, types: ReadonlySet<string>): EventPage | 'evicted' | 'head' {
    const part = this.#partAfter(position);
    if (typeof part === 'string') return part;
    return { events: this.#selectedOf(part, types), searchedTo: part.committed.lastPosition };
  }

  /**
   * Pages as they were committed, from the one that holds the event behind `position` on, some of them; undefined if it
   * has left the window.
   */
  pagesAfter(position: number): readonly StoredPage[] | undefined {
    const pages: StoredPage[] = [];
    for (let characters = 0, after = position; characters < MOST_CHARACTERS; ) {
      const part = this.#partAfter(after);
      if (part === 'evicted') return undefined;
      if (part === 'head') break;
      const { committed, characters: more } = part;
      for (const { firstPosition, lastPosition, body } of committed.pages) {
        if (lastPosition > position)
          pages.push({ firstPosition, lastPosition, recordedAt: committed.recordedAt, body });
      }
      characters += more;
      after = committed.lastPosition;
    }
    return pages;
  }

  #partAfter(position: number): WindowPart | 'evicted' | 'head' {
    if (position >= this.#head) return 'head';
    const first = this.#parts.peek();
    if (first === undefined || position + 1 < first.committed.firstPosition) return 'evicted';
    let low = 0;
    let high = this.#parts.size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // low <= middle < high < size
      if ((this.#parts.at(middle) as WindowPart).committed.lastPosition > position) high = middle;
      else low = middle + 1;
    }
    return this.#parts.at(low) as WindowPart;
  }

  #selectedOf(part: WindowPart, types: ReadonlySet<string>): readonly RecordedEvent[] {
    const search = this.#searchFor(types);
    if (search === undefined || part.events !== undefined) return allOf(part);
    // A part that was searched before a reader came with further types is searched again.
    if (part.selected === undefined || (part.search !== search && !covers(part.search, types))) {
      part.selected = selected(part.committed, search);
      part.search = search;
    }
    return part.selected;
  }

  /** The search for all types named so far, these included. */
  #searchFor(types: ReadonlySet<string>): TypeSearch | undefined {
    if (this.#search === undefined || covers(this.#search, types)) return this.#search;
    const all = new Set([...this.#search.types, ...types]);
    this.#search = all.size > MOST_TYPES ? undefined : new TypeSearch(all);
    return this.#search;
  }
}

/** The pages of a journal: those of the window as they stand there, the others from the file. */
export function pagesNearby(
  window: EventWindow,
  journal: Pick<Journal, 'readPages'>,
): Pick<Journal, 'head' | 'readPages'> {
  return {
    get head() {
      return window.head;
    },
    readPages: async (after) => window.pagesAfter(after) ?? journal.readPages(after),
  };
}

function covers(search: TypeSearch | undefined, types: ReadonlySet<string>): boolean {
  if (search === undefined) return false;
  for (const type of types) if (!search.types.has(type)) return false;
  return true;
}

function eventsIn({ firstPosition, lastPosition }: CommittedEvents): number {
  return lastPosition - firstPosition + 1;
}

function allOf(part: WindowPart): readonly RecordedEvent[] {
  part.events ??= selected(part.committed, undefined);
  part.selected = undefined;
  return part.events;
}

/** The events of a commit, or those of the types that are searched for. */
function selected({ pages, recordedAt }: CommittedEvents, search: TypeSearch | undefined): readonly RecordedEvent[] {
  let events: RecordedEvent[] | undefined;
  for (const { firstPosition, body } of pages) {
    if (search !== undefined && !search.mayHold(body)) continue;
    let position = firstPosition;
    // The writer made the page of encoded events (event-codec.ts).
    for (const encoded of JSON.parse(body) as EncodedEvent[]) {
      if (search === undefined || search.types.has(encoded[3]))
        (events ??= []).push(decodeEvent(encoded, position, recordedAt));
      position += 1;
    }
  }
  return events ?? NOTHING;
}
