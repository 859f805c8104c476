/**
 * Reading the file in order of position: catch-up, history, read models, tools; and the records.
 *
 * Needs no tail: what the file's index doesn't reach is searched page by page. So any process can read this way,
 * beside the one that writes.
 */
import { TroupeError } from '../core/troupe-error.js';
import { damaged, recordChecksum } from './checksums.js';
import { selectFrom } from './event-page.js';
import type { PageFilter } from './event-page.js';
import { IndexReach, REACH_COLUMNS, type ReachRow } from './index-reach.js';
import { spansAfter, storedRow } from './index-row.js';
import type { StoredPages } from './index-row.js';
import type { EventPage, EventQuery, RecordRange, StoredRecord } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { SqliteSession } from './sqlite-connection.js';
import { pagesHolding, pagesFrom, parseAnswer } from './sqlite-pages.js';

const HEAD = 'SELECT last_position AS position FROM event_page ORDER BY first_position DESC LIMIT 1';

/** Rows of one aggregate from the one that may hold the event behind a position on, up to a bound of characters. */
const INDEXED = `
WITH wanted AS (
  SELECT stream FROM stream WHERE aggregate = json_extract(?1, '$[0]') AND aggregate_id = json_extract(?1, '$[1]')
)
SELECT
  ${REACH_COLUMNS},
  coalesce((SELECT stream FROM wanted), 0) AS stream,
  coalesce((SELECT max(last_version) FROM stream_page WHERE stream = (SELECT stream FROM wanted)), 0) AS version,
  (
    SELECT json_group_array(json_array(held.first_version, last_version, first_position, pages, pages_checksum))
    FROM (
      SELECT first_version, sum(octet_length(pages)) OVER (ORDER BY first_version) - octet_length(pages) AS octets_before
      FROM stream_page
      WHERE stream = (SELECT stream FROM wanted) AND first_position >= coalesce((
        SELECT max(first_position) FROM stream_page WHERE stream = (SELECT stream FROM wanted) AND first_position <= ?2
      ), 0)
    ) AS chosen
    CROSS JOIN stream_page AS held
      ON held.stream = (SELECT stream FROM wanted) AND held.first_version = chosen.first_version
    WHERE octets_before < ${JOURNAL_LIMITS.indexChars}
  ) AS rows`;

const RECORDS =
  'SELECT key, value, checksum FROM record WHERE kind = ?1 AND key > ?2 AND key < ?3 ORDER BY key LIMIT ?4';

const RECORDS_AT =
  'SELECT record.key, record.value, record.checksum FROM json_each(?2) AS wanted CROSS JOIN record ON kind = ?1 AND record.key = wanted.value';

/** Behind every key. */
const LAST_KEY = '\u{10ffff}\u{10ffff}';

const IDENTITY = "SELECT value FROM meta WHERE key = 'identity'";

/** The journal's identity. */
export async function readIdentity(session: SqliteSession): Promise<string> {
  const row = await session.get<{ readonly value: string }>(IDENTITY);
  if (row === undefined)
    throw new TroupeError('TROUPE_JOURNAL_CORRUPT', 'the journal has no identity; restore a backup');
  return row.value;
}

/** Position of the last event. */
export async function readPosition(session: SqliteSession): Promise<number> {
  const row = await session.get<{ readonly position: number }>(HEAD);
  return row?.position ?? 0;
}

/** One answer of `Journal.read`; it may be empty and yet have searched far. */
export async function readEvents(session: SqliteSession, query: EventQuery): Promise<EventPage> {
  const { after, aggregate, id } = query;
  const filter: PageFilter = {
    after,
    aggregate,
    id,
    types: query.types === undefined ? undefined : new Set(query.types),
  };
  const limit = Math.max(1, Math.min(query.limit, JOURNAL_LIMITS.readEvents));
  if (aggregate !== undefined && id !== undefined) {
    const found = await readIndexed(session, filter, aggregate, id, limit);
    if (found !== undefined) return found;
  }
  // Where every event is wanted, each page holds at least one of them.
  const isWhole = filter.types === undefined && aggregate === undefined && id === undefined;
  const { readPages } = JOURNAL_LIMITS;
  const pages = await pagesFrom(session, after + 1, isWhole ? Math.min(readPages, limit) : readPages);
  return selectFrom(pages, filter, limit, after);
}

/** Events of one aggregate by the file's index; undefined where that has no more. */
async function readIndexed(
  session: SqliteSession,
  filter: PageFilter,
  aggregate: string,
  id: string,
  limit: number,
): Promise<EventPage | undefined> {
  const wanted = JSON.stringify([aggregate, id]);
  const row = await session.get<IndexedAnswer>(INDEXED, wanted, filter.after);
  if (row === undefined) return undefined;
  const indexedTo = IndexReach.read(row).of(row.stream);
  if (indexedTo <= filter.after) return undefined;
  // The columns of the query above.
  const found = parseAnswer(row.rows) as StoredPages[];
  const rows = found.map((stored) => storedRow(row.stream, stored));
  const spans = spansAfter(rows, (rows[0]?.firstVersion ?? 1) - 1);
  // What stands before the first span behind `after` may itself reach beyond it.
  const behind = spans.findIndex(({ position }) => position > filter.after);
  const chosen = spans.slice(Math.max(0, (behind < 0 ? spans.length : behind) - 1)).slice(0, JOURNAL_LIMITS.readPages);
  const pages =
    chosen.length === 0
      ? []
      : await pagesHolding(
          session,
          chosen.map(({ position }) => position),
        );
  const page = selectFrom(pages, filter, limit, filter.after);
  const last = chosen[pages.length - 1];
  const isWhole = page.searchedTo >= (pages.at(-1)?.lastPosition ?? 0) && (last?.lastVersion ?? 0) === row.version;
  return isWhole ? { ...page, searchedTo: Math.max(page.searchedTo, indexedTo) } : page;
}

interface IndexedAnswer extends ReachRow {
  /** Number of the aggregate; 0 when it is not in the file. */
  readonly stream: number;
  /** Version of the aggregate's last indexed event. */
  readonly version: number;
  readonly rows: string;
}

/**
 * The records of one kind, in order of key.
 *
 * @throws TROUPE_JOURNAL_CORRUPT when one is damaged.
 */
export async function readRecords(
  session: SqliteSession,
  kind: string,
  { after = '', before = LAST_KEY, limit = -1 }: RecordRange = {},
): Promise<StoredRecord[]> {
  const rows = await session.all<RecordRow>(RECORDS, kind, after, before, limit);
  return rows.map((row) => checkedRecord(kind, row));
}

/** The values of records, in the order of the keys; undefined where there is none. */
export async function findRecords(
  session: SqliteSession,
  kind: string,
  keys: readonly string[],
): Promise<readonly unknown[]> {
  const rows = await session.all<RecordRow>(RECORDS_AT, kind, JSON.stringify(keys));
  const found = new Map(rows.map((row) => [row.key, checkedRecord(kind, row).value]));
  return keys.map((key) => found.get(key));
}

interface RecordRow {
  readonly key: string;
  readonly value: string;
  readonly checksum: number;
}

function checkedRecord(kind: string, { key, value, checksum }: RecordRow): StoredRecord {
  if (recordChecksum(kind, key, value) !== checksum) throw damaged(`the record ${kind}/${key}`, { kind, key });
  return { key, value: JSON.parse(value) as unknown };
}
