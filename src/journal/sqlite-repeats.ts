/**
 * What an aggregate has done before: first outcomes of commands, and events by the ids that they were given.
 *
 * Who asks has the id's hash, and knows near which version it stands (`HashesNear`); so one row of the index and the
 * pages that it names are read, however long the history is (`bench dedupe`). Questions of one tick share a query.
 */
import { hashText } from '../core/fingerprint.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { damaged, outcomeChecksum } from './checksums.js';
import { outcomeIn, selectIds } from './event-page.js';
import type { IndexReach } from './index-reach.js';
import { spansWithHash, storedHashes, storedRow } from './index-row.js';
import type { IndexRow, Span, StoredHashes, StoredPages } from './index-row.js';
import type { Outcome, StoredOutcome } from './journal.js';
import { aboutStreams, type SqliteStreams } from './sqlite-streams.js';
import { TickBatch } from './tick-batch.js';

type HashedRow = readonly [StoredPages, StoredHashes];

type StoredOutcomeRow = readonly [
  seq: number,
  commandId: string,
  fingerprint: number,
  outcome: string,
  checksum: number,
];

/** The rows of the index that hold the versions `wanted.value ->> 2`, each once. */
const ROWS_NEAR = `
  json((
    SELECT json_group_array(json_array(
      json_array(first_version, last_version, first_position, pages, pages_checksum),
      json_array(first_version, last_version, command_hashes, hashes_checksum)
    ))
    FROM (
      SELECT DISTINCT (
        SELECT max(first_version) FROM stream_page WHERE stream = stream.stream AND first_version <= near.value
      ) AS held
      FROM json_each(wanted.value, '$[2]') AS near WHERE near.value > 0
    )
    CROSS JOIN stream_page AS held_row ON held_row.stream = stream.stream AND held_row.first_version = held
  ))`;

const FIND_OUTCOMES = aboutStreams<[rows: readonly HashedRow[], eventless: readonly StoredOutcomeRow[]]>(`${ROWS_NEAR},
  json((
    SELECT json_group_array(json_array(seq, command_id, fingerprint, outcome, checksum)) FROM (
      SELECT * FROM outcome
      WHERE stream = stream.stream AND command_hash = wanted.value ->> 3
        AND EXISTS (SELECT 1 FROM json_each(wanted.value, '$[2]') AS near WHERE near.value = 0)
      ORDER BY seq
    )
  ))`);

const FIND_EVENTS = aboutStreams<[rows: readonly HashedRow[]]>(ROWS_NEAR);

interface OutcomeQuestion {
  readonly aggregate: string;
  readonly id: string;
  readonly commandId: string;
  readonly near: readonly number[];
}

export class SqliteRepeats {
  readonly #streams: SqliteStreams;
  readonly #outcomes = new TickBatch<OutcomeQuestion, StoredOutcome | undefined>(64, (questions) =>
    this.#findOutcomes(questions),
  );

  constructor(streams: SqliteStreams) {
    this.#streams = streams;
  }

  findOutcome(
    aggregate: string,
    id: string,
    commandId: string,
    near: readonly number[],
  ): Promise<StoredOutcome | undefined> {
    return this.#outcomes.ask({ aggregate, id, commandId, near });
  }

  async findEvents(
    aggregate: string,
    id: string,
    eventIds: readonly string[],
    near: readonly number[],
  ): Promise<readonly RecordedEvent[]> {
    const { answers, reach } = await this.#streams.ask(FIND_EVENTS, [[aggregate, id, near]]);
    const found: RecordedEvent[] = [];
    const ids = new Set(eventIds);
    for (const [, number, indexed] of answers) {
      const rows = this.#rowsNear(number, indexed, reach, near);
      const spans = new Map<number, { readonly span: Span }>();
      for (const eventId of ids) {
        for (const span of spansWithHash(rows, hashText(eventId))) spans.set(span.position, { span });
      }
      await this.#streams.visitPages(
        Array.from(spans.values()),
        ({ span }, page) => selectIds(page, { aggregate, id, ...span }, ids, found),
        () => true,
      );
    }
    return found;
  }

  async #findOutcomes(questions: readonly OutcomeQuestion[]): Promise<(StoredOutcome | undefined)[]> {
    const hashes = questions.map(({ commandId }) => hashText(commandId));
    const wanted = questions.map(({ aggregate, id, near }, place) => [aggregate, id, near, hashes[place]]);
    const { answers, reach } = await this.#streams.ask(FIND_OUTCOMES, wanted);
    const found = questions.map((): StoredOutcome | undefined => undefined);
    const spans: { readonly place: number; readonly span: Span }[] = [];
    for (const [place, number, indexed, eventless] of answers) {
      const { commandId, near } = questions[place] ?? unreachable();
      found[place] = storedOutcome(number, commandId, eventless);
      const rows = this.#rowsNear(number, indexed, reach, near);
      for (const span of spansWithHash(rows, hashes[place] ?? 0)) spans.push({ place, span });
    }
    await this.#streams.visitPages(
      spans,
      ({ place, span }, page) => {
        const { aggregate, id, commandId } = questions[place] ?? unreachable();
        found[place] ??= outcomeIn(page, { aggregate, id, ...span }, commandId);
      },
      ({ place }) => found[place] === undefined,
    );
    return found;
  }

  /** The rows that hold these versions: those of the file, and of what is behind its index. */
  #rowsNear(
    number: number,
    indexed: readonly HashedRow[],
    reach: IndexReach,
    near: readonly number[],
  ): readonly IndexRow[] {
    const rows = indexed.map(
      ([pages, hashes]): IndexRow => ({
        ...storedRow(number, pages),
        hashes: storedHashes(number, hashes),
      }),
    );
    for (const row of this.#streams.tail.rowsOf(number, reach.of(number))) {
      if (near.some((version) => row.firstVersion <= version && version <= row.lastVersion)) rows.push(row);
    }
    return rows;
  }
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

function unreachable(): never {
  throw new Error('every answer belongs to a question');
}
