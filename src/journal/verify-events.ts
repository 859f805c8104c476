/**
 * The events of a journal, one after the other, against all that has to hold of them; part of `verify-journal.ts`.
 *
 * Of each aggregate it keeps what its index has to say as sums over places and hashes, whatever their order.
 */
import { hashText } from '../core/fingerprint.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { pageChecksum } from './checksums.js';
import { decodeEvent, type EncodedEvent } from './event-codec.js';
import type { IndexReach } from './index-reach.js';
import type { SqliteSession } from './sqlite-connection.js';
import type { JournalVisitor } from './verify-journal.js';

/** What is known of an aggregate. */
export interface Tally {
  readonly aggregate: string;
  readonly id: string;
  /** Of its last event. */
  version: number;
  readonly indexed: IndexSums;
  /** The same of what a merge that is on its way has in the index of some aggregates. */
  readonly ahead: IndexSums;
}

/** What the index of an aggregate should say. */
export interface IndexSums {
  /** Sum over the places that it should name. */
  spans: number;
  /** Sum over the hashes of its commands and of given event ids. */
  hashes: number;
}

export function newTally(aggregate: string, id: string): Tally {
  return { aggregate, id, version: 0, indexed: { spans: 0, hashes: 0 }, ahead: { spans: 0, hashes: 0 } };
}

interface PageRow {
  readonly first: number;
  readonly last: number;
  readonly recordedAt: number;
  readonly checksum: number;
  readonly body: string;
}

/** Pages in one answer. */
const PAGES = 200;

const PAGES_BEHIND = `
SELECT first_position AS first, last_position AS last, recorded_at AS recordedAt, checksum, body
FROM event_page WHERE first_position > ? ORDER BY first_position LIMIT ?`;

export class EventWalk {
  readonly tallies = new Map<string, Tally>();
  head = 0;
  events = 0;
  pages = 0;
  readonly #visitor: JournalVisitor;
  readonly #reach: IndexReach;
  #recordedAt = 0;

  constructor(visitor: JournalVisitor, reach: IndexReach) {
    this.#visitor = visitor;
    this.#reach = reach;
  }

  async run(session: SqliteSession): Promise<void> {
    for (let key = Number.MIN_SAFE_INTEGER; ; ) {
      const pages = await session.all<PageRow>(PAGES_BEHIND, key, PAGES);
      const last = pages.at(-1);
      if (last === undefined) break;
      key = last.first;
      for (const page of pages) this.#page(page);
    }
    const { indexedTo, aheadTo } = this.#reach;
    if (Math.max(indexedTo, aheadTo) > this.head) {
      const message = `it reaches to position ${Math.max(indexedTo, aheadTo)}, the events end at ${this.head}`;
      this.#visitor.found({ check: 'index', message });
    }
  }

  #page(page: PageRow): void {
    const { first, last, recordedAt, checksum, body } = page;
    const { found } = this.#visitor;
    this.pages += 1;
    const next = this.head + 1;
    if (first !== next) {
      const what = first > next ? `events ${next} to ${first - 1} are missing` : `events from ${first} on stand twice`;
      found({ check: 'positions', message: `${what}: a page begins at position ${first}`, position: first });
    }
    if (recordedAt < this.#recordedAt) {
      const message = `the page from position ${first} on was recorded before the one in front of it`;
      found({ check: 'positions', message, position: first });
    }
    if (pageChecksum(first, last, recordedAt, body) !== checksum) {
      const message = `the page from position ${first} on is not as it was written`;
      found({ check: 'checksums', message, position: first });
    }
    this.head = Math.max(this.head, last);
    this.#recordedAt = Math.max(this.#recordedAt, recordedAt);
    const encoded = this.#parsed(page);
    const events: RecordedEvent[] = [];
    const spans = new Map<IndexSums, string>();
    for (const [i, event] of encoded.entries()) {
      const position = first + i;
      const tally = this.#count(event, position);
      if (tally === undefined) continue;
      events.push(decodeEvent(event, position, recordedAt));
      const { indexedTo, aheadTo } = this.#reach;
      if (position > indexedTo && position > aheadTo) continue;
      const sums = position <= indexedTo ? tally.indexed : tally.ahead;
      if (!spans.has(sums)) spans.set(sums, `${event[2]},${position}`);
      const given = event[10];
      if (given !== null) sums.hashes = sum(sums.hashes, hashText(given));
      const after = encoded[i + 1];
      if (after === undefined || after[6] !== event[6] || after[1] !== event[1] || after[0] !== event[0]) {
        sums.hashes = sum(sums.hashes, hashText(event[6]));
      }
    }
    for (const [sums, span] of spans) sums.spans = sum(sums.spans, hashText(span));
    this.events += events.length;
    this.#visitor.events?.(events);
  }

  #parsed({ first, last, body }: PageRow): readonly EncodedEvent[] {
    let why = 'it is no list';
    try {
      const encoded: unknown = JSON.parse(body);
      if (Array.isArray(encoded)) {
        if (encoded.length === last - first + 1) return encoded as EncodedEvent[];
        why = `it holds ${encoded.length} events`;
      }
    } catch (error) {
      why = String(error);
    }
    const message = `the page of positions ${first} to ${last} can't be read: ${why}`;
    this.#visitor.found({ check: 'positions', message, position: first });
    return [];
  }

  /** Counts an event for its aggregate; undefined when it is none. */
  #count(event: EncodedEvent, position: number): Tally | undefined {
    const [aggregate, id, version, type, , , commandId] = Array.isArray(event) ? event : [];
    const { found } = this.#visitor;
    if (
      typeof aggregate !== 'string' ||
      typeof id !== 'string' ||
      typeof version !== 'number' ||
      typeof type !== 'string' ||
      typeof commandId !== 'string'
    ) {
      found({ check: 'positions', message: `what stands at position ${position} is no event`, position });
      return undefined;
    }
    const key = `${aggregate}/${id}`;
    let tally = this.tallies.get(key);
    if (tally === undefined) {
      tally = newTally(aggregate, id);
      this.tallies.set(key, tally);
    }
    if (version !== tally.version + 1) {
      const message = `${key}: version ${version}, at position ${position}, follows version ${tally.version}`;
      found({ check: 'versions', message, position, aggregate, id, version });
    }
    tally.version = version;
    return tally;
  }
}

/** A sum that stays exact however many are added. */
export function sum(one: number, other: number): number {
  return (one + other) | 0;
}
