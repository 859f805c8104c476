/**
 * The tables beside the events: numbers of aggregates, index, outcomes, snapshots, records, timers; part of `verify-journal.ts`.
 */
import { hashText } from '../core/fingerprint.js';
import {
  indexHashesChecksum,
  indexPagesChecksum,
  outcomeChecksum,
  recordChecksum,
  snapshotChecksum,
  timerChecksum,
} from './checksums.js';
import type { IndexReach } from './index-reach.js';
import type { SqliteSession } from './sqlite-connection.js';
import type { StoredTimer } from './timer-change.js';
import { newTally, sum, type Tally } from './verify-events.js';
import type { JournalVisitor } from './verify-journal.js';

interface Tables {
  readonly session: SqliteSession;
  readonly visitor: JournalVisitor;
  /** The aggregates by number. */
  readonly numbers: ReadonlyMap<number, Tally>;
  readonly reach: IndexReach;
  /** Position of the last event. */
  readonly head: number;
}

/** Rows in one answer. */
const ROWS = 1_000;

/** Rows of a table, some at a time. Each has its `place`, a JSON list or a number, behind which the next answer begins. */
async function* rowsOf<Row extends { readonly place: string | number }>(
  session: SqliteSession,
  sql: string,
  start: Row['place'],
): AsyncGenerator<Row, void, undefined> {
  for (let place: string | number = start; ; ) {
    const rows: Row[] = await session.all<Row>(sql, place, ROWS);
    const last = rows.at(-1);
    if (last === undefined) return;
    place = last.place;
    for (const row of rows) yield row;
  }
}

const STREAMS = `
SELECT stream AS place, aggregate, aggregate_id AS id FROM stream WHERE stream > ? ORDER BY stream LIMIT ?`;

/** Numbers of aggregates: each has one, of its own. */
export async function verifyStreams(
  session: SqliteSession,
  { found }: JournalVisitor,
  tallies: ReadonlyMap<string, Tally>,
): Promise<ReadonlyMap<number, Tally>> {
  const numbers = new Map<number, Tally>();
  const known = new Set<Tally>();
  for await (const row of rowsOf<{ place: number; aggregate: string; id: string }>(session, STREAMS, -1)) {
    const { place: stream, aggregate, id } = row;
    // One that has outcomes and no events is no fault.
    const tally = tallies.get(`${aggregate}/${id}`) ?? newTally(aggregate, id);
    known.add(tally);
    numbers.set(stream, tally);
  }
  for (const tally of tallies.values()) {
    if (known.has(tally)) continue;
    const { aggregate, id } = tally;
    const message = `${aggregate}/${id} has events but no number, so that nobody finds them`;
    found({ check: 'index', message, aggregate, id });
  }
  return numbers;
}

interface IndexedRow {
  readonly place: string;
  readonly stream: number;
  readonly first: number;
  readonly last: number;
  readonly position: number;
  readonly pages: string;
  readonly pagesChecksum: number;
  readonly hashes: string;
  readonly hashesChecksum: number;
}

const INDEX = `
SELECT json_array(stream, first_version) AS place, stream, first_version AS first, last_version AS last,
  first_position AS position, pages, pages_checksum AS pagesChecksum, command_hashes AS hashes,
  hashes_checksum AS hashesChecksum
FROM stream_page WHERE (stream, first_version) > (?1 ->> 0, ?1 ->> 1) ORDER BY stream, first_version LIMIT ?2`;

/** The index leads to every event it reaches, and knows every command. */
export async function verifyIndex({ session, visitor: { found }, numbers, reach }: Tables): Promise<void> {
  const stored = new Map<number, { next: number; spans: number; hashes: number }>();
  for await (const row of rowsOf<IndexedRow>(session, INDEX, '[-1,-1]')) {
    const { stream, first, last, position, pages, hashes } = row;
    const tally = numbers.get(stream);
    const name = tally === undefined ? `the aggregate with number ${stream}` : `${tally.aggregate}/${tally.id}`;
    if (
      indexPagesChecksum(stream, first, last, position, pages) !== row.pagesChecksum ||
      indexHashesChecksum(stream, first, last, hashes) !== row.hashesChecksum
    ) {
      const message = `the index of ${name} from version ${first} on is not as it was written`;
      found({ check: 'checksums', message, position });
    }
    if (tally === undefined)
      found({ check: 'index', message: `${name} stands in the index and nowhere else`, position });
    const sums = stored.get(stream) ?? { next: 1, spans: 0, hashes: 0 };
    stored.set(stream, sums);
    if (first !== sums.next) {
      found({
        check: 'index',
        message: `${name}: version ${sums.next} should follow, ${first} stands there`,
        position,
      });
    }
    sums.next = last + 1;
    const numbersOf = pages.split(',');
    for (let i = 0; i + 1 < numbersOf.length; i += 2) {
      sums.spans = sum(sums.spans, hashText(`${numbersOf[i] ?? ''},${numbersOf[i + 1] ?? ''}`));
    }
    for (const hash of hashes.split(/[,;]/)) if (hash !== '') sums.hashes = sum(sums.hashes, Number(hash));
  }
  for (const [stream, { aggregate, id, indexed, ahead }] of numbers) {
    const isAhead = stream < reach.aheadBelow;
    const spans = isAhead ? sum(indexed.spans, ahead.spans) : indexed.spans;
    const hashes = isAhead ? sum(indexed.hashes, ahead.hashes) : indexed.hashes;
    const sums = stored.get(stream) ?? { spans: 0, hashes: 0 };
    if (sums.spans === spans && sums.hashes === hashes) continue;
    const what = sums.spans === spans ? 'knows other commands than its events' : 'leads elsewhere than to its events';
    found({ check: 'index', message: `${aggregate}/${id}: the index ${what}`, aggregate, id });
  }
}

interface OutcomeRow {
  readonly place: string;
  readonly stream: number;
  readonly seq: number;
  readonly hash: number;
  readonly hashAgain: number;
  readonly commandId: string;
  readonly fingerprint: number;
  readonly outcome: string;
  readonly checksum: number;
}

const OUTCOMES = `
SELECT json_array(stream, seq) AS place, stream, seq, command_hash AS hash, -hash_negated AS hashAgain, command_id AS commandId, fingerprint,
  outcome, checksum
FROM outcome WHERE (stream, seq) > (?1 ->> 0, ?1 ->> 1) ORDER BY stream, seq LIMIT ?2`;

/** Outcomes without events; how many there are. */
export async function verifyOutcomes({ session, visitor: { found }, numbers }: Tables): Promise<number> {
  let count = 0;
  for await (const row of rowsOf<OutcomeRow>(session, OUTCOMES, '[-1,-1]')) {
    count += 1;
    const { stream, seq, hash, hashAgain, commandId, fingerprint, outcome, checksum } = row;
    const { aggregate, id } = numbers.get(stream) ?? {};
    const name = `the outcome of command ${commandId}`;
    if (aggregate === undefined || id === undefined) {
      found({ check: 'outcomes', message: `${name} belongs to aggregate number ${stream}, which is none` });
    } else if (
      outcomeChecksum(stream, seq, commandId, fingerprint, outcome) !== checksum ||
      hashText(commandId) !== hash ||
      hashAgain !== hash
    ) {
      found({ check: 'checksums', message: `${aggregate}/${id}: ${name} is not as it was written`, aggregate, id });
    }
  }
  return count;
}

interface SnapshotRow {
  readonly place: string;
  readonly stream: number;
  readonly version: number;
  readonly schemaVersion: number;
  readonly state: string;
  readonly checksum: number;
}

const SNAPSHOTS = `
SELECT json_array(stream, version) AS place, stream, version, schema_version AS schemaVersion, state, checksum
FROM snapshot WHERE (stream, version) > (?1 ->> 0, ?1 ->> 1) ORDER BY stream, version LIMIT ?2`;

/** Snapshots; how many there are. A damaged one does no harm, it is passed over; but somebody should know. */
export async function verifySnapshots({ session, visitor: { found }, numbers }: Tables): Promise<number> {
  let count = 0;
  for await (const { stream, version, schemaVersion, state, checksum } of rowsOf<SnapshotRow>(
    session,
    SNAPSHOTS,
    '[-1,-1]',
  )) {
    count += 1;
    const tally = numbers.get(stream);
    if (tally === undefined) {
      found({ check: 'snapshots', message: `a snapshot belongs to aggregate number ${stream}, which is none` });
      continue;
    }
    const { aggregate, id } = tally;
    const facts = { aggregate, id, version };
    if (snapshotChecksum(stream, version, schemaVersion, state) !== checksum) {
      const message = `${aggregate}/${id}: the snapshot of version ${version} is not as it was written`;
      found({ check: 'checksums', message, ...facts });
    }
    if (version > tally.version) {
      const message = `${aggregate}/${id}: there is a snapshot of version ${version}, its events end at ${tally.version}`;
      found({ check: 'snapshots', message, ...facts });
    }
  }
  return count;
}

interface RecordRow {
  readonly place: string;
  readonly kind: string;
  readonly key: string;
  readonly value: string;
  readonly checksum: number;
}

const RECORDS = `
SELECT json_array(kind, key) AS place, kind, key, value, checksum
FROM record WHERE (kind, key) > (?1 ->> 0, ?1 ->> 1) ORDER BY kind, key LIMIT ?2`;

/** Records of the runtime; how many there are. No place that one names may lie beyond the last event. */
export async function verifyRecords({ session, visitor: { found, record }, head }: Tables): Promise<number> {
  let count = 0;
  for await (const { kind, key, value, checksum } of rowsOf<RecordRow>(session, RECORDS, '["",""]')) {
    count += 1;
    if (recordChecksum(kind, key, value) !== checksum) {
      found({ check: 'checksums', message: `the record ${kind}/${key} is not as it was written` });
      continue;
    }
    const content: unknown = JSON.parse(value);
    record?.({ kind, key, value: content });
    for (const position of placesIn(content)) {
      if (position <= head) continue;
      const message = `the record ${kind}/${key} is at position ${position}, the events end at ${head}`;
      found({ check: 'checkpoints', message, position });
    }
  }
  return count;
}

interface TimerRow extends StoredTimer {
  readonly place: string;
  readonly checksum: number;
}

const TIMERS = `
SELECT json_array(owner, name) AS place, owner, name, setting, wake_at AS wakeAt, body, checksum
FROM timer WHERE (owner, name) > (?1 ->> 0, ?1 ->> 1) ORDER BY owner, name LIMIT ?2`;

/** Durable timers; how many there are. */
export async function verifyTimers({ session, visitor: { found, timer: told } }: Tables): Promise<number> {
  let count = 0;
  for await (const { place: _, checksum, ...timer } of rowsOf<TimerRow>(session, TIMERS, '["",""]')) {
    count += 1;
    if (timerChecksum(timer) === checksum) told?.(timer);
    else found({ check: 'checksums', message: `the timer ${timer.name} of ${timer.owner} is not as it was written` });
  }
  return count;
}

/** Positions that a record names: of checkpoints, keys of reactions, and parked events. */
function placesIn(value: unknown): number[] {
  if (typeof value !== 'object' || value === null) return [];
  // Fields of an object that is looked at as data.
  const { position, after } = value as { readonly position?: unknown; readonly after?: unknown };
  return [position, after].filter((place) => typeof place === 'number');
}
