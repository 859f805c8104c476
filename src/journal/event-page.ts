/**
 * Pages of consecutive events as they stand in the journal, and how readers get events out of them.
 *
 * A page is parsed whole; what a query doesn't select is neither decoded nor frozen.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { EncodedEvent } from './event-codec.js';
import { decodeEvent, decodeForReplay, decodeOutcome } from './event-codec.js';
import type { StoredOutcome } from './journal.js';

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

/** Adds the events of one aggregate with `after < version <= to` to `events`. */
export function selectVersions(
  page: StoredPage,
  of: { readonly aggregate: string; readonly id: string; readonly after: number; readonly to: number },
  events: RecordedEvent[],
): void {
  let position = page.firstPosition - 1;
  for (const encoded of parsePage(page)) {
    position += 1;
    if (encoded[0] !== of.aggregate || encoded[1] !== of.id) continue;
    if (encoded[2] > of.after && encoded[2] <= of.to) events.push(decodeForReplay(encoded, position, page.recordedAt));
  }
}

/** The outcome that a command of an aggregate left in a page. */
export function outcomeIn(
  page: StoredPage,
  aggregate: string,
  id: string,
  commandId: string,
): StoredOutcome | undefined {
  let found: StoredOutcome | undefined;
  let position = page.firstPosition - 1;
  for (const encoded of parsePage(page)) {
    position += 1;
    if (encoded[0] !== aggregate || encoded[1] !== id || encoded[6] !== commandId) continue;
    found = decodeOutcome(encoded, position) ?? found;
  }
  return found;
}

/** Searching a text costs a tenth of parsing it; what a page must contain in order to match is known. */
function mayMatch(page: StoredPage, filter: PageFilter): boolean {
  if (page.lastPosition <= filter.after) return false;
  const { types, aggregate, id } = filter;
  if (aggregate !== undefined) {
    const head = id === undefined ? `["${aggregate}",` : `["${aggregate}",${JSON.stringify(id)},`;
    if (!page.body.includes(head)) return false;
  }
  if (types === undefined) return true;
  for (const type of types) if (page.body.includes(JSON.stringify(type))) return true;
  return false;
}

/** @throws TROUPE_JOURNAL_CORRUPT when the body is not what the journal writes. */
function parsePage(page: StoredPage): readonly EncodedEvent[] {
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
