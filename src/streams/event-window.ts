/**
 * The event window: the last committed events, in memory, for everyone who follows the log closely.
 *
 * The journal tells each commit; readers pull (`event-feed.ts`) and find in the window what would else cost a
 * read from disk. Pages stay text until the first reader asks. Bounded by events and by characters; who falls
 * behind the window reads from the journal, so a slow reader costs no memory.
 */
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { decodeEvent, type EncodedEvent } from '../journal/event-codec.js';
import type { CommittedEvents } from '../journal/journal.js';

/** One commit in the window. */
interface WindowPart {
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly recordedAt: number;
  readonly characters: number;
  pages: readonly string[];
  events: readonly RecordedEvent[] | undefined;
}

/** The window as its readers use it; on a worker it may be the far end of a port. */
export type FollowedWindow = Pick<EventWindow, 'head' | 'follow' | 'partAfter'>;

export class EventWindow {
  readonly #maxEvents: number;
  readonly #maxCharacters: number;
  readonly #parts: WindowPart[] = [];
  readonly #followers = new Set<() => void>();
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
    return this.#parts[0]?.firstPosition ?? this.#head + 1;
  }

  /** Takes a commit and wakes the followers. */
  add(committed: CommittedEvents): void {
    let characters = 0;
    for (const page of committed.pages) characters += page.length;
    const { firstPosition, lastPosition, recordedAt, pages } = committed;
    this.#parts.push({ firstPosition, lastPosition, recordedAt, characters, pages, events: undefined });
    this.#head = lastPosition;
    this.#events += lastPosition - firstPosition + 1;
    this.#characters += characters;
    let dropped = 0;
    while (
      this.#parts.length - dropped > 1 &&
      (this.#events > this.#maxEvents || this.#characters > this.#maxCharacters)
    ) {
      // The loop's condition keeps the index within the array.
      const oldest = this.#parts[dropped] as WindowPart;
      this.#events -= oldest.lastPosition - oldest.firstPosition + 1;
      this.#characters -= oldest.characters;
      dropped += 1;
    }
    if (dropped > 0) this.#parts.splice(0, dropped);
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
    if (position >= this.#head) return 'head';
    const first = this.#parts[0];
    if (first === undefined || position + 1 < first.firstPosition) return 'evicted';
    let low = 0;
    let high = this.#parts.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // low <= middle < high < length
      if ((this.#parts[middle] as WindowPart).lastPosition > position) high = middle;
      else low = middle + 1;
    }
    return decoded(this.#parts[low] as WindowPart);
  }
}

function decoded(part: WindowPart): readonly RecordedEvent[] {
  if (part.events === undefined) {
    const events: RecordedEvent[] = [];
    let position = part.firstPosition;
    for (const page of part.pages) {
      // The writer made the page of encoded events (event-codec.ts).
      for (const encoded of JSON.parse(page) as EncodedEvent[]) {
        events.push(decodeEvent(encoded, position, part.recordedAt));
        position += 1;
      }
    }
    part.events = events;
    part.pages = [];
  }
  return part.events;
}
