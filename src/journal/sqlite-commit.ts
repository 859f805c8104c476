/**
 * A commit as one SQL statement, so that it is one trip to the driver and atomic by itself.
 *
 * The statement inserts one row into a temporary view; the view's trigger takes the row apart and writes the
 * tables. Pages of events are bound one by one, verbatim, never parsed; everything that is one row per aggregate
 * or record comes as one JSON text. Twice as fast as BEGIN, inserts, COMMIT in calls of their own. A commit of nothing
 * but some pages, which most are, is a plain insert: looking for what isn't there costs the trigger as much again.
 */
import { outcomeChecksum, pageChecksum, recordChecksum, snapshotChecksum } from './checksums.js';
import type { CommitGroup } from './commit-group.js';
import type { MergeSlice } from './index-merge.js';
import { encodeAhead, NOTHING_AHEAD } from './index-reach.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { SqliteValue } from './sqlite-connection.js';
import { timerTexts, WRITE_TIMERS } from './sqlite-timers.js';

const SLOTS = Array.from({ length: JOURNAL_LIMITS.groupPages }, (_, slot) => slot);
const FIELDS = [
  'recorded_at',
  'pages',
  'streams',
  'index_rows',
  'indexed_to',
  'index_ahead',
  'outcomes',
  'outdated',
  'snapshots',
  'records',
  'gone',
  'timers_set',
  'timers_gone',
];

/** The body in the slot of a page, in two steps, because CASE looks at one alternative after the other. */
const STEP = 16;
const BODY_OF_KEY = `CASE key / ${STEP} ${SLOTS.filter((slot) => slot % STEP === 0)
  .map((first) => {
    const slots = SLOTS.slice(first, first + STEP).map((slot) => `WHEN ${slot} THEN NEW.body${slot}`);
    return `WHEN ${first / STEP} THEN CASE key ${slots.join(' ')} END`;
  })
  .join(' ')} END`;

/** Run once on the connection that commits. */
export const PREPARE_COMMITS = `
CREATE TEMP VIEW commit_group AS
SELECT ${[...FIELDS, ...SLOTS.map((slot) => `body${slot}`)].map((name) => `NULL AS ${name}`).join(', ')};

CREATE TEMP TRIGGER commit_group_insert INSTEAD OF INSERT ON commit_group BEGIN
  INSERT INTO event_page (first_position, last_position, recorded_at, checksum, body)
  SELECT value ->> 0, value ->> 1, NEW.recorded_at, value ->> 2,
    ${BODY_OF_KEY}
  FROM json_each(NEW.pages);

  INSERT INTO stream (stream, aggregate, aggregate_id)
  SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.streams);

  INSERT INTO stream_page (
    stream, first_version, last_version, first_position, pages, pages_checksum, command_hashes, hashes_checksum
  )
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
  FROM json_each(NEW.index_rows)
  -- A slice comes again when the answer of a commit without events was lost. Another row in its place is a fault.
  WHERE NOT EXISTS (
    SELECT 1 FROM stream_page AS held WHERE held.stream = value ->> 0 AND held.first_version = value ->> 1
      AND held.last_version = value ->> 2 AND held.pages_checksum = value ->> 5 AND held.hashes_checksum = value ->> 7
  );

  UPDATE meta SET value = iif(key = 'indexed_to', NEW.indexed_to, -NEW.indexed_to)
  WHERE key IN ('indexed_to', 'indexed_to_negated') AND NEW.indexed_to IS NOT NULL;

  INSERT OR REPLACE INTO meta (key, value) SELECT 'index_ahead', NEW.index_ahead WHERE NEW.index_ahead IS NOT NULL;

  INSERT INTO outcome (stream, seq, command_hash, hash_negated, command_id, fingerprint, outcome, checksum)
  SELECT value ->> 0, value ->> 1, value ->> 2, -(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6
  FROM json_each(NEW.outcomes);

  DELETE FROM outcome WHERE (stream, seq) IN (
    SELECT old.stream, old.seq FROM json_each(NEW.outdated) AS bound
    CROSS JOIN outcome AS old ON old.stream = bound.value ->> 0 AND old.seq <= bound.value ->> 1
  );

  INSERT OR REPLACE INTO snapshot (stream, version, schema_version, state, checksum, recorded_at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, NEW.recorded_at FROM json_each(NEW.snapshots);

  DELETE FROM snapshot WHERE (stream, version) IN (
    SELECT old.stream, old.version FROM json_each(NEW.snapshots) AS fresh
    CROSS JOIN snapshot AS old ON old.stream = fresh.value ->> 0
    WHERE fresh.value ->> 5 <= (
      SELECT count(*) FROM snapshot AS newer WHERE newer.stream = old.stream AND newer.version > old.version
    )
  );

  INSERT OR REPLACE INTO record (kind, key, value, checksum)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(NEW.records);

  DELETE FROM record WHERE (kind, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(NEW.gone));
${WRITE_TIMERS}
END;`;

/** The statement of a commit with up to so many pages; the slots that it doesn't name are empty. */
function commitSql(slots: number): string {
  const names = [...FIELDS, ...SLOTS.slice(0, slots).map((slot) => `body${slot}`)];
  return `INSERT INTO commit_group (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
}

const COMMIT_MANY = { slots: SLOTS.length, sql: commitSql(SLOTS.length) };
const COMMIT_FEW = { slots: JOURNAL_LIMITS.fewPages, sql: commitSql(JOURNAL_LIMITS.fewPages) };

const PLAIN_COMMITS = Array.from({ length: JOURNAL_LIMITS.plainPages }, (_, more) => {
  const rows = Array.from({ length: more + 1 }, () => '(?, ?, ?, ?, ?)');
  return `INSERT INTO event_page (first_position, last_position, recorded_at, checksum, body) VALUES ${rows.join(', ')}`;
});

interface CommitStatement {
  readonly sql: string;
  readonly params: SqliteValue[];
}

/** The statement and the parameters that write a group, and the index rows that go with it. */
export function commitStatement(
  group: CommitGroup,
  merge: MergeSlice | undefined,
  outcomesKept: number,
): CommitStatement {
  const plain = merge === undefined && group.hasOnlyEvents ? PLAIN_COMMITS[group.pages.length - 1] : undefined;
  return plain === undefined ? wholeCommit(group, merge, outcomesKept) : { sql: plain, params: pageRows(group) };
}

function pageRows({ pages, recordedAt }: CommitGroup): SqliteValue[] {
  const params: SqliteValue[] = [];
  for (const { firstPosition, lastPosition, body } of pages) {
    const checksum = pageChecksum(firstPosition, lastPosition, recordedAt, body);
    params.push(firstPosition, lastPosition, recordedAt, checksum, body);
  }
  return params;
}

function wholeCommit(group: CommitGroup, merge: MergeSlice | undefined, outcomesKept: number): CommitStatement {
  const { sql, slots } = group.pages.length <= COMMIT_FEW.slots ? COMMIT_FEW : COMMIT_MANY;
  const params: SqliteValue[] = [
    group.recordedAt,
    list(group.pages, ({ firstPosition, lastPosition, body }) => {
      const checksum = pageChecksum(firstPosition, lastPosition, group.recordedAt, body);
      return `[${firstPosition},${lastPosition},${checksum}]`;
    }),
    list(group.newStreams, ({ number, aggregate, id }) => JSON.stringify([number, aggregate, id])),
    merge?.text ?? null,
    ...(merge === undefined ? NO_REACH : reachAfter(merge)),
    list(group.outcomes, ({ stream, seq, commandHash, commandId, fingerprint, outcome }) => {
      const text = JSON.stringify(outcome);
      const checksum = outcomeChecksum(stream.number, seq, commandId, fingerprint, text);
      return JSON.stringify([stream.number, seq, commandHash, commandId, fingerprint, text, checksum]);
    }),
    list(group.outcomes, ({ stream, seq }) => `[${stream.number},${seq - outcomesKept}]`),
    list(group.snapshots, ({ stream, version, schemaVersion, state, keep }) => {
      const checksum = snapshotChecksum(stream.number, version, schemaVersion, state);
      return JSON.stringify([stream.number, version, schemaVersion, state, checksum, keep]);
    }),
    ...recordTexts(group),
    ...(group.timers.size === 0 ? NO_TIMERS : timerTexts(group.timers.values())),
  ];
  for (let slot = 0; slot < slots; slot += 1) params.push(group.pages[slot]?.body ?? null);
  return { sql, params };
}

const NO_REACH = [null, null] as const;

/** How far the index reaches with a slice of a merge: for all, or so far for some. */
function reachAfter({ indexedTo, below }: MergeSlice): [indexedTo: number | null, indexAhead: string] {
  return below === undefined ? [indexedTo, NOTHING_AHEAD] : [null, encodeAhead(indexedTo, below)];
}

const NO_TIMERS = [null, null] as const;

/** Records that are set, and records that go. */
function recordTexts(group: CommitGroup): [set: string | null, gone: string | null] {
  if (group.records.size === 0) return [null, null];
  const records = Array.from(group.records.values());
  return [
    list(
      records.filter(({ text }) => text !== undefined),
      ({ kind, key, text = '' }) => JSON.stringify([kind, key, text, recordChecksum(kind, key, text)]),
    ),
    list(
      records.filter(({ text }) => text === undefined),
      ({ kind, key }) => JSON.stringify([kind, key]),
    ),
  ];
}

function list<Item>(items: readonly Item[], encode: (item: Item) => string): string | null {
  return items.length === 0 ? null : `[${items.map(encode).join(',')}]`;
}
