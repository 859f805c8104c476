/**
 * A log of events for tests of projections: a journal that only reads, and the window that follows it.
 *
 * Events are there as soon as they are added. A test can make reads fail, and have further events than a window holds.
 */
import { LIMITS } from '../../src/core/limits.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import type { EventPage, EventQuery, Journal } from '../../src/journal/journal.js';
import { EventWindow } from '../../src/streams/event-window.js';

/** An event to be added: its type, the id of its aggregate, and data. */
export interface NewEvent {
  readonly type: string;
  readonly id?: string;
  readonly aggregate?: string;
  readonly data?: unknown;
}

export class EventLog {
  readonly identity: string;
  readonly events: RecordedEvent[] = [];
  readonly journal: Journal;
  /** Called before each read; what it throws is what the reader gets. */
  onRead: (() => void) | undefined;
  #window: EventWindow;
  readonly #versions = new Map<string, number>();

  constructor(identity = 'journal-1') {
    this.identity = identity;
    this.#window = new EventWindow(0);
    const read = (query: EventQuery): Promise<EventPage> => this.#read(query);
    const head = (): number => this.events.length;
    // All that projections use of a journal.
    this.journal = {
      identity,
      get head() {
        return head();
      },
      read,
    } as Journal;
  }

  get head(): number {
    return this.events.length;
  }

  get window(): EventWindow {
    return this.#window;
  }

  /** As after a start: the window knows the head, and none of the events. */
  reopen(windowEvents: number = LIMITS.windowEvents): void {
    this.#window = new EventWindow(this.head, { maxEvents: windowEvents, maxCharacters: LIMITS.windowCharacters });
  }

  /** Adds events as one commit. */
  add(...added: readonly NewEvent[]): void {
    const firstPosition = this.head + 1;
    const encoded: unknown[][] = [];
    for (const { type, id = 'a', aggregate = 'thing', data = {} } of added) {
      const version = (this.#versions.get(`${aggregate}/${id}`) ?? 0) + 1;
      this.#versions.set(`${aggregate}/${id}`, version);
      encoded.push([aggregate, id, version, type, 1, data, `c${version}`, `c${version}`, null, null, null, null]);
      this.events.push(
        Object.freeze({
          position: this.head + 1,
          aggregate,
          aggregateId: id,
          version,
          type,
          schemaVersion: 1,
          data: Object.freeze(data),
          id: `${aggregate}/${id}@${version}`,
          commandId: `c${version}`,
          correlationId: `c${version}`,
          causationId: null,
          metadata: {},
          recordedAt: 1_000,
        }),
      );
    }
    const page = { firstPosition, lastPosition: this.head, body: JSON.stringify(encoded) };
    this.#window.add({ firstPosition, lastPosition: this.head, recordedAt: 1_000, pages: [page] });
  }

  /** Loses the newest events, as a journal restored from a backup has. */
  truncate(head: number): void {
    this.events.length = head;
    this.reopen();
  }

  async #read({ after, limit, types }: EventQuery): Promise<EventPage> {
    await new Promise((resolve) => setImmediate(resolve));
    this.onRead?.();
    const events: RecordedEvent[] = [];
    let searchedTo = after;
    for (let i = after; i < this.head && events.length < limit; i += 1) {
      // i < head
      const event = this.events[i] as RecordedEvent;
      searchedTo = event.position;
      if (types === undefined || types.includes(event.type)) events.push(event);
    }
    return { events, searchedTo };
  }
}
