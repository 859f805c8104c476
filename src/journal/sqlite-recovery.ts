/**
 * Reading single aggregates out of the file: where they stand, their events, the outcome of a command.
 *
 * The file's index reaches to `indexedTo`; what is behind it stands in the tail, in memory. A query answers with
 * the `indexedTo` that it saw; when the tail has moved on meanwhile, it is asked again. Questions of one tick share
 * a query, and pages come as one text (`bench journal` watches recovery).
 */
import { hashText } from '../core/fingerprint.js';
import { damaged, outcomeChecksum } from './checksums.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { outcomeIn, selectIds, selectVersions } from './event-page.js';
import type { StoredPage } from './event-page.js';
import { hashesOf, lastIndexed, spansAfter, spansWithHash, storedHashes, storedRow } from './index-row.js';
import type { IndexRow, Span, StoredHashes, StoredPages } from './index-row.js';
import type { IndexTail } from './index-tail.js';
import type { Outcome, StoredOutcome, StoredSnapshot } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { SqliteSession } from './sqlite-connection.js';
import { notThere, pagesAt, parseAnswer } from './sqlite-pages.js';
import type { SnapshotRow } from './sqlite-snapshots.js';
import { SqliteSnapshots } from './sqlite-snapshots.js';
import { TickBatch } from './tick-batch.js';

/** Answers a list of questions, each about one aggregate, with one JSON text; `columns` may use `wanted` and `stream`. */
function aboutStreams<Columns extends readonly unknown[]>(columns: string): StreamQuery<Columns> {
  const sql = `
SELECT
  (SELECT value FROM meta WHERE key = 'indexed_to') AS indexedTo,
  json_group_array(json_array(wanted.key, stream.stream, ${columns})) AS answers
FROM json_each(?) AS wanted CROSS JOIN stream
  ON stream.aggregate = wanted.value ->> 0 AND stream.aggregate_id = wanted.value ->> 1`;
  // The columns are what whoever wrote the query says they are.
  return { sql, parse: (text) => parseAnswer(text) as StreamAnswer<Columns>[] };
}

/** A query about many aggregates, and the type of its answers. */
interface StreamQuery<Columns extends readonly unknown[]> {
  readonly sql: string;
  readonly parse: (text: string) => StreamAnswer<Columns>[];
}

/** The place of the question, the number of the aggregate, and the columns of the query. */
type StreamAnswer<Columns extends readonly unknown[]> = readonly [place: number, stream: number, ...Columns];

/** Instead of the hashes of outcomes, when they are not those that were written. */
const DAMAGED = 'damaged';

const LOAD = aboutStreams<
  [rows: readonly StoredHashes[], outcomes: string | null, outcomeSeq: number, snapshot: SnapshotRow | null]
>(`
  json((
    SELECT json_group_array(json_array(first_version, last_version, command_hashes, hashes_checksum)) FROM (
      SELECT * FROM stream_page WHERE stream = stream.stream ORDER BY first_version
    )
  )),
  (
    SELECT iif(sum(command_hash <> -hash_negated) > 0, '${DAMAGED}', group_concat(command_hash))
    FROM outcome WHERE stream = stream.stream
  ),
  coalesce((SELECT max(seq) FROM outcome WHERE stream = stream.stream), 0),
  json((
    SELECT json_array(version, schema_version, checksum, state) FROM snapshot
    WHERE stream = stream.stream AND wanted.value ->> 2 ORDER BY version DESC LIMIT 1
  ))`);

const FIND_ROWS = aboutStreams<[rows: readonly StoredPages[]]>(`
  json((
    SELECT json_group_array(json_array(first_version, last_version, first_position, pages, pages_checksum)) FROM (
      SELECT *, sum(length(pages)) OVER (ORDER BY first_version) AS chars FROM stream_page
      WHERE stream = stream.stream AND first_version >= coalesce((
        SELECT max(first_version) FROM stream_page WHERE stream = stream.stream AND first_version <= wanted.value ->> 2 + 1
      ), 0)
    )
    WHERE chars - length(pages) < ${JOURNAL_LIMITS.indexChars}
  ))`);

type HashedRow = readonly [StoredPages, StoredHashes];

type StoredOutcomeRow = readonly [
  seq: number,
  commandId: string,
  fingerprint: number,
  outcome: string,
  checksum: number,
];

const FIND_OUTCOMES = aboutStreams<[rows: readonly HashedRow[], eventless: readonly StoredOutcomeRow[]]>(`
  json((
    SELECT json_group_array(json_array(
      json_array(first_version, last_version, first_position, pages, pages_checksum),
      json_array(first_version, last_version, command_hashes, hashes_checksum)
    )) FROM stream_page
    WHERE stream = stream.stream AND instr(command_hashes, wanted.value ->> 2)
  )),
  json((
    SELECT json_group_array(json_array(seq, command_id, fingerprint, outcome, checksum)) FROM (
      SELECT * FROM outcome WHERE stream = stream.stream AND command_hash = wanted.value ->> 2 ORDER BY seq
    )
  ))`);

const FIND_EVENT_IDS = aboutStreams<[rows: readonly HashedRow[]]>(`
  json((
    SELECT json_group_array(json_array(
      json_array(first_version, last_version, first_position, pages, pages_checksum),
      json_array(first_version, last_version, command_hashes, hashes_checksum)
    )) FROM stream_page
    WHERE stream = stream.stream
      AND EXISTS (SELECT 1 FROM json_each(wanted.value, '$[2]') AS hash WHERE instr(command_hashes, hash.value))
  ))`);

/** Where an aggregate stands. */
export interface LoadedPosition {
  /** Its number; 0 when nothing of it is in the file. */
  readonly number: number;
  readonly version: number;
  readonly outcomeSeq: number;
  readonly commandHashes: readonly number[];
  readonly snapshot: StoredSnapshot | undefined;
}

interface LoadQuestion {
  readonly aggregate: string;
  readonly id: string;
  readonly schemaVersion: number | undefined;
}

interface EventsQuestion {
  readonly aggregate: string;
  readonly id: string;
  readonly after: number;
  readonly to: number;
}

interface OutcomeQuestion {
  readonly aggregate: string;
  readonly id: string;
  readonly commandId: string;
}

const UNKNOWN: LoadedPosition = { number: 0, version: 0, outcomeSeq: 0, commandHashes: [], snapshot: undefined };

export class SqliteRecovery {
  readonly #session: SqliteSession;
  readonly #tail: () => IndexTail;
  readonly #snapshots: SqliteSnapshots;
  readonly #loads = new TickBatch<LoadQuestion, LoadedPosition>(256, (questions) => this.#load(questions));
  readonly #events = new TickBatch<EventsQuestion, readonly RecordedEvent[]>(256, (questions) => this.#read(questions));
  readonly #outcomes = new TickBatch<OutcomeQuestion, StoredOutcome | undefined>(64, (questions) =>
    this.#findOutcomes(questions),
  );

  constructor(session: SqliteSession, tail: () => IndexTail, warn: (message: string) => void) {
    this.#session = session;
    this.#tail = tail;
    this.#snapshots = new SqliteSnapshots(session, warn);
  }

  load(aggregate: string, id: string, schemaVersion: number | undefined): Promise<LoadedPosition> {
    return this.#loads.ask({ aggregate, id, schemaVersion });
  }

  readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]> {
    return this.#events.ask({ aggregate, id, after, to });
  }

  findOutcome(aggregate: string, id: string, commandId: string): Promise<StoredOutcome | undefined> {
    return this.#outcomes.ask({ aggregate, id, commandId });
  }

  async findEvents(aggregate: string, id: string, eventIds: readonly string[]): Promise<readonly RecordedEvent[]> {
    const hashes = eventIds.map(hashText);
    const { answers, indexedTo } = await this.#askStreams(FIND_EVENT_IDS, [[aggregate, id, hashes]]);
    const found: RecordedEvent[] = [];
    const ids = new Set(eventIds);
    for (const [, number, indexed] of answers) {
      const rows = [...hashedRows(number, indexed), ...this.#tail().rowsOf(number, indexedTo)];
      const spans = new Map<number, { readonly span: Span }>();
      for (const hash of hashes) for (const span of spansWithHash(rows, hash)) spans.set(span.position, { span });
      await this.#visitPages(
        Array.from(spans.values()),
        ({ span }, page) => selectIds(page, { aggregate, id, ...span }, ids, found),
        () => true,
      );
    }
    return found;
  }

  async #load(questions: readonly LoadQuestion[]): Promise<LoadedPosition[]> {
    const wanted = questions.map(({ aggregate, id, schemaVersion }) => [
      aggregate,
      id,
      schemaVersion === undefined ? 0 : 1,
    ]);
    const loaded = questions.map(() => UNKNOWN);
    const { answers, indexedTo } = await this.#askStreams(LOAD, wanted);
    for (const [place, number, indexed, outcomes, outcomeSeq, snapshot] of answers) {
      const question = questions[place];
      if (question === undefined) continue;
      const rows = this.#tail().rowsOf(number, indexedTo);
      const hashes = indexed.flatMap((row) => storedHashes(number, row));
      if (outcomes === DAMAGED) {
        const { aggregate, id } = question;
        throw damaged(`the index of the outcomes of ${aggregate}/${id}`, { aggregate, id });
      }
      const version = lastIndexed(number, [...indexed.map(rangeOf), ...rows]);
      const commandHashes = numbersOf(hashes.join()).concat(hashesOf(rows), numbersOf(outcomes ?? ''));
      const stands = { number, version, outcomeSeq, commandHashes };
      loaded[place] = { ...stands, snapshot: await this.#snapshots.usable(question, stands, snapshot ?? undefined) };
    }
    return loaded;
  }

  async #read(questions: readonly EventsQuestion[]): Promise<RecordedEvent[][]> {
    const wanted = questions.map(({ aggregate, id, after }) => [aggregate, id, after]);
    const { answers, indexedTo } = await this.#askStreams(FIND_ROWS, wanted);
    const events = questions.map((): RecordedEvent[] => []);
    const chars = questions.map(() => 0);
    const spans: { readonly place: number; readonly span: Span }[] = [];
    for (const [place, number, indexed] of answers) {
      const { after, to } = questions[place] ?? unreachable();
      const rows = [...indexed.map((row) => storedRow(number, row)), ...this.#tail().rowsOf(number, indexedTo)];
      const enough = Math.min(to, after + JOURNAL_LIMITS.replayEvents);
      const found = spansAfter(rows, after).filter((span) => span.firstVersion <= enough);
      for (const span of found.slice(0, JOURNAL_LIMITS.readSpans)) spans.push({ place, span });
    }
    let charsOfAll = 0;
    await this.#visitPages(
      spans,
      ({ place, span }, page) => {
        const { aggregate, id, after, to } = questions[place] ?? unreachable();
        chars[place] = (chars[place] ?? 0) + page.body.length;
        charsOfAll += page.body.length;
        selectVersions(page, { aggregate, id, ...clip(span, after, to) }, events[place] ?? unreachable());
      },
      // Each question gets something, or it would seem that there is nothing.
      ({ place }) =>
        chars[place] === 0 ||
        ((chars[place] ?? 0) < JOURNAL_LIMITS.readChars && charsOfAll < JOURNAL_LIMITS.replayChars),
    );
    return events;
  }

  async #findOutcomes(questions: readonly OutcomeQuestion[]): Promise<(StoredOutcome | undefined)[]> {
    const hashes = questions.map(({ commandId }) => hashText(commandId));
    const wanted = questions.map(({ aggregate, id }, place) => [aggregate, id, hashes[place]]);
    const { answers, indexedTo } = await this.#askStreams(FIND_OUTCOMES, wanted);
    const found = questions.map((): StoredOutcome | undefined => undefined);
    const spans: { readonly place: number; readonly span: Span }[] = [];
    for (const [place, number, indexed, eventless] of answers) {
      const { commandId } = questions[place] ?? unreachable();
      found[place] = storedOutcome(number, commandId, eventless);
      const rows = [...hashedRows(number, indexed), ...this.#tail().rowsOf(number, indexedTo)];
      for (const span of spansWithHash(rows, hashes[place] ?? 0)) spans.push({ place, span });
    }
    await this.#visitPages(
      spans,
      ({ place, span }, page) => {
        const { aggregate, id, commandId } = questions[place] ?? unreachable();
        found[place] ??= outcomeIn(page, { aggregate, id, ...span }, commandId);
      },
      ({ place }) => found[place] === undefined,
    );
    return found;
  }

  /**
   * Visits the pages of the spans in order of position, as long as they are still wanted. A page is read once for all
   * spans in it: when many aggregates come back at once, their events stand side by side.
   */
  async #visitPages<Wanted extends { readonly span: Span }>(
    spans: readonly Wanted[],
    visit: (wanted: Wanted, page: StoredPage) => void,
    isWanted: (wanted: Wanted) => boolean,
  ): Promise<void> {
    let left = spans.filter(isWanted).sort((a, b) => a.span.position - b.span.position);
    while (left.length > 0) {
      const asked = left.slice(0, JOURNAL_LIMITS.readPositions);
      const pages = await pagesAt(
        this.#session,
        asked.map(({ span }) => span.position),
      );
      let done = 0;
      for (const page of pages) {
        for (; done < asked.length; done += 1) {
          const wanted = asked[done] ?? unreachable();
          const { position } = wanted.span;
          if (position > page.lastPosition) break;
          if (position < page.firstPosition) throw notThere(position);
          if (isWanted(wanted)) visit(wanted, page);
        }
      }
      if (done === 0) throw notThere(asked[0]?.span.position ?? 0);
      left = left.slice(done).filter(isWanted);
    }
  }

  /** Asks until the answer is as new as the tail. */
  async #askStreams<Columns extends readonly unknown[]>(
    query: StreamQuery<Columns>,
    wanted: unknown,
  ): Promise<{ readonly answers: readonly StreamAnswer<Columns>[]; readonly indexedTo: number }> {
    const text = JSON.stringify(wanted);
    for (;;) {
      const row = await this.#session.get<{ readonly indexedTo: number; readonly answers: string }>(query.sql, text);
      if (row === undefined) return { answers: [], indexedTo: 0 };
      if (row.indexedTo >= this.#tail().indexedTo)
        return { answers: query.parse(row.answers), indexedTo: row.indexedTo };
    }
  }
}

function hashedRows(number: number, stored: readonly HashedRow[]): IndexRow[] {
  return stored.map(([pages, hashes]) => ({
    ...storedRow(number, pages),
    hashes: storedHashes(number, hashes),
  }));
}

/** The part of a span within `after < version <= to`; its position is known only if it starts where the span does. */
function clip(span: Span, after: number, to: number): Omit<Span, 'position'> & { position?: number } {
  const lastVersion = Math.min(span.lastVersion, to);
  if (span.firstVersion > after) return { ...span, lastVersion };
  return { firstVersion: after + 1, lastVersion };
}

function rangeOf([firstVersion, lastVersion]: StoredHashes): { firstVersion: number; lastVersion: number } {
  return { firstVersion, lastVersion };
}

/**
 * The outcome of a command among those of its hash.
 *
 * @throws TROUPE_JOURNAL_CORRUPT when one of them is damaged: it may have been the one
 */
function storedOutcome(stream: number, wanted: string, rows: readonly StoredOutcomeRow[]): StoredOutcome | undefined {
  let found: StoredOutcome | undefined;
  for (const [seq, commandId, fingerprint, outcome, checksum] of rows) {
    if (outcomeChecksum(stream, seq, commandId, fingerprint, outcome) !== checksum)
      throw damaged(`the outcome of command ${commandId}`, { commandId });
    // Written as the JSON of an outcome.
    if (commandId === wanted) found ??= { fingerprint, outcome: JSON.parse(outcome) as Outcome };
  }
  return found;
}

function numbersOf(text: string): number[] {
  // Integers joined by commas.
  return JSON.parse(`[${text}]`) as number[];
}

function unreachable(): never {
  throw new Error('every answer belongs to a question');
}
