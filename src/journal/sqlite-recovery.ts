/**
 * What brings aggregates back to life, out of the file: where they stand, and their events.
 *
 * Questions of one tick share a query, and pages come as one text (`bench recovery`).
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { damaged } from './checksums.js';
import { checkedHashes, hashesNear, lastIndexed, storedRow } from './index-row.js';
import type { StoredHashes, StoredPages } from './index-row.js';
import { type EventFold, type HashesNear, type StoredSnapshot, WITHOUT_EVENTS } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { SqliteSession } from './sqlite-connection.js';
import { SWEEP, sweep, SweepPlan, SweptAggregate } from './sqlite-replay.js';
import type { SnapshotRow, SqliteSnapshots } from './sqlite-snapshots.js';
import { aboutStreams, type SqliteStreams } from './sqlite-streams.js';
import { TickBatch } from './tick-batch.js';

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

/** Some rows from the one that holds the version behind `wanted.value ->> 2` on. A window over their sizes costs twice as much. */
const FIND_ROWS = aboutStreams<[rows: readonly StoredPages[]]>(`
  json((
    SELECT json_group_array(json_array(first_version, last_version, first_position, pages, pages_checksum)) FROM (
      SELECT * FROM stream_page
      WHERE stream = stream.stream AND first_version >= coalesce((
        SELECT max(first_version) FROM stream_page WHERE stream = stream.stream AND first_version <= wanted.value ->> 2 + 1
      ), 0)
      ORDER BY first_version LIMIT ${JOURNAL_LIMITS.indexRows}
    )
  ))`);

/** Where an aggregate stands. */
export interface LoadedPosition {
  /** Its number; 0 when nothing of it is in the file. */
  readonly number: number;
  readonly version: number;
  readonly outcomeSeq: number;
  readonly commandHashes: readonly HashesNear[];
  readonly snapshot: StoredSnapshot | undefined;
}

interface LoadQuestion {
  readonly aggregate: string;
  readonly id: string;
  readonly schemaVersion: number | undefined;
}

interface ReplayQuestion {
  readonly aggregate: string;
  readonly id: string;
  readonly fold: EventFold;
  readonly to: number;
  readonly mostChars: number;
}

/** What a fold has thrown. */
type Failure = { readonly error: unknown } | undefined;

const UNKNOWN: LoadedPosition = { number: 0, version: 0, outcomeSeq: 0, commandHashes: [], snapshot: undefined };

export class SqliteRecovery {
  readonly #session: SqliteSession;
  readonly #streams: SqliteStreams;
  readonly #snapshots: SqliteSnapshots;
  readonly #loads = new TickBatch<LoadQuestion, LoadedPosition>(256, (questions) => this.#load(questions));
  readonly #replays = new TickBatch<ReplayQuestion, Failure>(SWEEP, (questions) => this.#replay(questions));

  constructor(session: SqliteSession, streams: SqliteStreams, snapshots: SqliteSnapshots) {
    this.#session = session;
    this.#streams = streams;
    this.#snapshots = snapshots;
  }

  load(aggregate: string, id: string, schemaVersion: number | undefined): Promise<LoadedPosition> {
    return this.#loads.ask({ aggregate, id, schemaVersion });
  }

  async replayStream(aggregate: string, id: string, fold: EventFold, to: number): Promise<void> {
    await this.#ask({ aggregate, id, fold, to, mostChars: JOURNAL_LIMITS.replayEach });
  }

  async readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]> {
    const list = new EventList(after);
    const enough = Math.min(to, after + JOURNAL_LIMITS.replayEvents);
    await this.#ask({ aggregate, id, fold: list, to: enough, mostChars: JOURNAL_LIMITS.readChars });
    return list.events;
  }

  async #ask(question: ReplayQuestion): Promise<void> {
    const failure = await this.#replays.ask(question);
    if (failure !== undefined) throw failure.error;
  }

  async #load(questions: readonly LoadQuestion[]): Promise<LoadedPosition[]> {
    const wanted = questions.map(({ aggregate, id, schemaVersion }) => [
      aggregate,
      id,
      schemaVersion === undefined ? 0 : 1,
    ]);
    const loaded = questions.map(() => UNKNOWN);
    const { answers, reach } = await this.#streams.ask(LOAD, wanted);
    for (const [place, number, indexed, outcomes, outcomeSeq, snapshot] of answers) {
      const question = questions[place];
      if (question === undefined) continue;
      const rows = this.#streams.tail.rowsOf(number, reach.of(number));
      if (outcomes === DAMAGED) {
        const { aggregate, id } = question;
        throw damaged(`the index of the outcomes of ${aggregate}/${id}`, { aggregate, id });
      }
      const version = lastIndexed(number, [...indexed.map(rangeOf), ...rows]);
      const commandHashes = indexed.map((row): HashesNear => [row[0], checkedHashes(number, row)]);
      for (const row of rows) commandHashes.push(...hashesNear(row));
      if (outcomes !== null) commandHashes.push([WITHOUT_EVENTS, outcomes]);
      const stands = { number, version, outcomeSeq, commandHashes };
      loaded[place] = { ...stands, snapshot: await this.#snapshots.usable(question, stands, snapshot ?? undefined) };
    }
    return loaded;
  }

  /** Asked again after a failure, a question goes on where its fold is. */
  async #replay(questions: readonly ReplayQuestion[]): Promise<Failure[]> {
    const wanted = questions.map(({ aggregate, id, fold }) => [aggregate, id, fold.version]);
    const { answers, reach } = await this.#streams.ask(FIND_ROWS, wanted);
    const swept = questions.map(
      ({ aggregate, id, fold, to, mostChars }) => new SweptAggregate(aggregate, id, fold, to, mostChars),
    );
    const plan = new SweepPlan();
    for (const [place, number, indexed] of answers) {
      const rows = indexed.map((row) => storedRow(number, row));
      rows.push(...this.#streams.tail.rowsOf(number, reach.of(number)));
      swept[place]?.plan(plan, place, rows, JOURNAL_LIMITS.readSpans);
    }
    await sweep(this.#session, swept, plan);
    return swept.map(({ failure }) => failure);
  }
}

/** Events as they are. */
class EventList implements EventFold {
  readonly events: RecordedEvent[] = [];
  version: number;

  constructor(after: number) {
    this.version = after;
  }

  take(event: RecordedEvent): void {
    this.events.push(event);
    this.version = event.version;
  }
}

function rangeOf([firstVersion, lastVersion]: StoredHashes): { firstVersion: number; lastVersion: number } {
  return { firstVersion, lastVersion };
}
