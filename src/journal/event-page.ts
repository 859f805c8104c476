/**
 * Pages of consecutive events as they stand in the journal, and how readers get events out of them.
 *
 * A page is parsed whole; what a query doesn't select is neither decoded nor frozen.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { EncodedEvent } from './event-codec.js';
import { decodeEvent, decodeForReplay, decodeOutcome } from './event-codec.js';
import type { EventPage, StoredOutcome } from './journal.js';
import type { TypeSearch } from './type-search.js';

/** One page of events. */
export interface StoredPage {
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly recordedAt: number;
  /** A JSON array of encoded events. */
  readonly body: string;
}

/** Which events of a page are meant; what is undefined matches all. */
export interface PageFilter {
  readonly after: number;
  readonly types: ReadonlySet<string> | undefined;
  /** For these types, of whoever reads on and on. */
  readonly search?: TypeSearch | undefined;
  readonly aggregate: string | undefined;
  readonly id: string | undefined;
}

/** Adds the selected events of a page to `events`, up to `limit` of them; returns the position searched to. */
export function selectEvents(page: StoredPage, filter: PageFilter, limit: number, events: RecordedEvent[]): number {
  if (!mayMatch(page, filter)) return page.lastPosition;
  const { after, types, aggregate, id } = filter;
  let position = page.firstPosition - 1;
  for (const encoded of parsePage(page)) {
    position += 1;
    if (position <= after) continue;
    if (aggregate !== undefined && encoded[0] !== aggregate) continue;
    if (id !== undefined && encoded[1] !== id) continue;
    if (types !== undefined && !types.has(encoded[3])) continue;
    if (events.length >= limit) return position - 1;
    events.push(decodeEvent(encoded, position, page.recordedAt));
  }
  return position;
}

/** The events selected of pages in a row, up to `limit` of them. */
export function selectFrom(pages: readonly StoredPage[], filter: PageFilter, limit: number, after: number): EventPage {
  const events: RecordedEvent[] = [];
  let searchedTo = after;
  for (const page of pages) {
    if (events.length >= limit) break;
    const to = selectEvents(page, filter, limit, events);
    searchedTo = Math.max(searchedTo, to);
    if (to < page.lastPosition) break;
  }
  return { events, searchedTo };
}

/** The versions of one aggregate that are wanted of a page: those that the index says are there, or some of them. */
export interface Versions {
  readonly aggregate: string;
  readonly id: string;
  readonly firstVersion: number;
  readonly lastVersion: number;
  /** Position of the first one, if it is known. */
  readonly position?: number;
}

/** Adds these events to `events`, decoded for replay. */
export function selectVersions(page: StoredPage, of: Versions, events: RecordedEvent[]): void {
  for (const [encoded, position] of versionsIn(page, of)) {
    events.push(decodeForReplay(encoded, position, page.recordedAt));
  }
}

/** The outcome that a command left with one of these events. */
export function outcomeIn(page: StoredPage, of: Versions, commandId: string): StoredOutcome | undefined {
  let found: StoredOutcome | undefined;
  for (const [encoded, position] of versionsIn(page, of)) {
    if (encoded[6] === commandId) found = decodeOutcome(encoded, position) ?? found;
  }
  return found;
}

/** Adds those of these events to `events` that were given one of the ids, decoded for replay. */
export function selectIds(page: StoredPage, of: Versions, ids: ReadonlySet<string>, events: RecordedEvent[]): void {
  for (const [encoded, position] of versionsIn(page, of)) {
    if (encoded[10] !== null && ids.has(encoded[10])) events.push(decodeForReplay(encoded, position, page.recordedAt));
  }
}

/** The events of one aggregate in a page, with their positions. */
function versionsIn(page: StoredPage, of: Versions): [EncodedEvent, number][] {
  if (of.position !== undefined && of.firstVersion === of.lastVersion) {
    const alone = extractOne(page.body, `["${of.aggregate}",${JSON.stringify(of.id)},${of.firstVersion},"`);
    if (alone !== undefined) return [[alone, of.position]];
  }
  const found: [EncodedEvent, number][] = [];
  let position = page.firstPosition - 1;
  for (const encoded of parsePage(page)) {
    position += 1;
    if (encoded[0] !== of.aggregate || encoded[1] !== of.id) continue;
    if (encoded[2] >= of.firstVersion && encoded[2] <= of.lastVersion) found.push([encoded, position]);
  }
  return found;
}

/**
 * The one event that starts with `start`, without parsing its neighbours; undefined when the text occurs elsewhere
 * too (in the data of an event), so that it takes a parser to tell. The caller knows that the event is there.
 */
export function extractOne(body: string, start: string): EncodedEvent | undefined {
  const from = body.indexOf(start);
  if (from < 0 || body.indexOf(start, from + 1) >= 0) return undefined;
  // Written by event-codec.ts, and the checksum says that it was not changed since.
  return JSON.parse(body.slice(from, endOfArray(body, from))) as EncodedEvent;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The place behind the JSON array that starts at `from`. */
function endOfArray(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i += 1) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) i = endOfString(text, i);
    else if (char === 0x5b || char === 0x7b) depth += 1;
    else if (char === 0x5d || char === 0x7d) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}

/** The place of the quote that ends the string whose quote is at `from`. */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, place: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(place - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

const FEW_TYPES = 4;

/** Searching a text costs a tenth of parsing it; what a page must contain in order to match is known. */
function mayMatch(page: StoredPage, filter: PageFilter): boolean {
  if (page.lastPosition <= filter.after) return false;
  const { types, aggregate, id } = filter;
  if (aggregate !== undefined) {
    const head = id === undefined ? `["${aggregate}",` : `["${aggregate}",${JSON.stringify(id)},`;
    if (!page.body.includes(head)) return false;
  }
  if (filter.search !== undefined) return filter.search.mayHold(page.body);
  // Looking for many types one by one costs as much as parsing, and one of them is nearly always there.
  if (types === undefined || types.size > FEW_TYPES) return true;
  for (const type of types) if (page.body.includes(JSON.stringify(type))) return true;
  return false;
}

/** @throws TROUPE_JOURNAL_CORRUPT when the body is not what the journal writes. */
export function parsePage(page: StoredPage): readonly EncodedEvent[] {
  let events: unknown;
  try {
    events = JSON.parse(page.body);
  } catch (cause) {
    throw corruptPage(page.firstPosition, 'its text is no JSON', cause);
  }
  if (!Array.isArray(events) || events.length !== page.lastPosition - page.firstPosition + 1) {
    throw corruptPage(page.firstPosition, `it does not hold the events up to position ${page.lastPosition}`);
  }
  // Written by event-codec.ts, and the checksum says that it was not changed since.
  return events as EncodedEvent[];
}

export function corruptPage(position: number, why: string, cause?: unknown): TroupeError {
  return new TroupeError(
    'TROUPE_JOURNAL_CORRUPT',
    `the page of events from position ${position} on is damaged: ${why}; restore a backup of the journal`,
    { cause, details: { position } },
  );
}
