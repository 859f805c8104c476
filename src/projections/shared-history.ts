/**
 * The past of the journal, read once for all projections that are far behind.
 *
 * Reading and decoding a page costs more than folding it, so pages are kept for those who come to the same place
 * soon. Who is ahead waits for who is behind, as long as that one keeps reading: then each page is read once, and a
 * few pages are all that is held. Close to the head nobody comes here; the window has these events.
 */
import { systemClock } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { EventPage, EventQuery, Journal } from '../journal/journal.js';

/** Pages held at most: 8 of 2,000 events take some 20 MB. */
const PAGES_HELD = 8;

/** Milliseconds after which one who hasn't read is not waited for: it is stuck, or has much to do for few events. */
const PATIENCE_MS = 500;

/** A page that was read, or is being read. */
interface HeldPage {
  readonly after: number;
  readonly read: Promise<EventPage>;
  /** Undefined while it is being read. */
  searchedTo: number | undefined;
}

export class SharedHistory {
  readonly #journal: Pick<Journal, 'read'>;
  /** Of all its readers that have come so far. */
  readonly #types: Set<string>;
  /** Whether one of them wants events of all types. */
  #all = false;
  readonly #readers = new Set<HistoryReader>();
  #pages: HeldPage[] = [];
  #waiting: (() => void)[] = [];

  /** @param types of readers that are going to come; those of others are learned when they do */
  constructor(journal: Pick<Journal, 'read'>, types: Iterable<string> = []) {
    this.#journal = journal;
    this.#types = new Set(types);
  }

  /** A reader for one projection. */
  open(): HistoryReader {
    return new HistoryReader(this);
  }

  /** The next events that a reader wants. */
  async read(reader: HistoryReader, { after, limit, types }: EventQuery): Promise<EventPage> {
    this.#readers.add(reader);
    this.#learn(types);
    this.#goOn();
    const held = this.#held(after) ?? (await this.#next(reader, after));
    const page = await held.read;
    return select(page, after, limit, types);
  }

  /** The reader needs no pages for now; the last one takes them along. */
  leave(reader: HistoryReader): void {
    if (!this.#readers.delete(reader)) return;
    if (this.#readers.size === 0) this.#pages = [];
    this.#goOn();
  }

  /** Pages that were read before a reader came with further types lack its events, and are held for nobody any more. */
  #learn(types: EventQuery['types']): void {
    const known = this.#types.size;
    for (const type of types ?? []) this.#types.add(type);
    const isFirst = types === undefined && !this.#all;
    if (isFirst) this.#all = true;
    if (isFirst || (!this.#all && this.#types.size > known)) this.#pages = [];
  }

  #held(after: number): HeldPage | undefined {
    return this.#pages.find((page) =>
      page.searchedTo === undefined ? page.after === after : page.after <= after && after < page.searchedTo,
    );
  }

  /** Reads a page that isn't held, once there is room for it. */
  async #next(reader: HistoryReader, after: number): Promise<HeldPage> {
    for (;;) {
      const behind = this.#slowest(reader);
      this.#pages = this.#pages.filter(
        (page) => page.searchedTo === undefined || page.searchedTo > Math.min(behind, after),
      );
      if (this.#pages.length < PAGES_HELD || after <= behind) break;
      await this.#progress();
      const held = this.#held(after);
      if (held !== undefined) return held;
    }
    if (this.#pages.length >= PAGES_HELD) this.#pages.shift();
    const read = this.#journal.read({
      after,
      limit: LIMITS.projectionBatch,
      types: this.#all ? undefined : [...this.#types],
    });
    const page: HeldPage = { after, read, searchedTo: undefined };
    this.#pages.push(page);
    try {
      page.searchedTo = (await read).searchedTo;
      // At the head there is nothing to hold: what comes behind it would be missing.
      if (page.searchedTo <= after) this.#drop(page);
    } catch (error) {
      this.#drop(page);
      throw error;
    }
    return page;
  }

  #drop(page: HeldPage): void {
    this.#pages = this.#pages.filter((one) => one !== page);
  }

  /** The position of the reader that is furthest behind, of those that keep reading; not counting the one that asks. */
  #slowest(asking: HistoryReader): number {
    const since = systemClock.monotonic() - PATIENCE_MS;
    let slowest = Infinity;
    for (const reader of this.#readers) {
      if (reader !== asking && reader.readAtMs >= since) slowest = Math.min(slowest, reader.position);
    }
    return slowest;
  }

  /** Resolves when any reader has moved, or patience is at its end. */
  async #progress(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(PATIENCE_MS, resolve, true);
      this.#waiting.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/** One projection's way through the shared history. */
export class HistoryReader {
  readonly #history: SharedHistory;
  /** Where it reads next. */
  position = 0;
  /** When it last read; monotonic. */
  readAtMs = 0;

  constructor(history: SharedHistory) {
    this.#history = history;
  }

  /** As `Journal.read`. */
  read(query: EventQuery): Promise<EventPage> {
    this.position = query.after;
    this.readAtMs = systemClock.monotonic();
    return this.#history.read(this, query);
  }

  /** It needs no pages for now. */
  leave(): void {
    this.#history.leave(this);
  }
}

/** What one reader wants of a page. */
function select(page: EventPage, after: number, limit: number, types: EventQuery['types']): EventPage {
  const wanted = types === undefined ? undefined : new Set(types);
  const events: RecordedEvent[] = [];
  for (const event of page.events) {
    if (event.position <= after || wanted?.has(event.type) === false) continue;
    if (events.length >= limit) return { events, searchedTo: event.position - 1 };
    events.push(event);
  }
  return { events, searchedTo: page.searchedTo };
}
