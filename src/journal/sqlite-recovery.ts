/**
 * What brings aggregates back to life, out of the file: where they stand, and their events.
 *
 * Questions of one tick share a query, and pages come as one text (`bench recovery`).
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { damaged } from './checksums.js';
import { selectVersions } from './event-page.js';
import { checkedHashes, hashesNear, lastIndexed, spansAfter, storedRow } from './index-row.js';
import type { Span, StoredHashes, StoredPages } from './index-row.js';
import { type HashesNear, type StoredSnapshot, WITHOUT_EVENTS } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
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

/** Some rows from the one that holds the version behind `wanted.value ->> 2` on. The size of a text is known without reading it. */
const FIND_ROWS = aboutStreams<[rows: readonly StoredPages[]]>(`
  json((
    SELECT json_group_array(json_array(held.first_version, last_version, first_position, pages, pages_checksum))
    FROM (
      SELECT first_version, sum(octet_length(pages)) OVER (ORDER BY first_version) - octet_length(pages) AS octets_before
      FROM stream_page
      WHERE stream = stream.stream AND first_version >= coalesce((
        SELECT max(first_version) FROM stream_page WHERE stream = stream.stream AND first_version <= wanted.value ->> 2 + 1
      ), 0)
    ) AS chosen
    CROSS JOIN stream_page AS held ON held.stream = stream.stream AND held.first_version = chosen.first_version
    WHERE octets_before < ${JOURNAL_LIMITS.indexChars}
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

interface EventsQuestion {
  readonly aggregate: string;
  readonly id: string;
  readonly after: number;
  readonly to: number;
}

const UNKNOWN: LoadedPosition = { number: 0, version: 0, outcomeSeq: 0, commandHashes: [], snapshot: undefined };

export class SqliteRecovery {
  readonly #streams: SqliteStreams;
  readonly #snapshots: SqliteSnapshots;
  readonly #loads = new TickBatch<LoadQuestion, LoadedPosition>(256, (questions) => this.#load(questions));
  readonly #events = new TickBatch<EventsQuestion, readonly RecordedEvent[]>(256, (questions) => this.#read(questions));

  constructor(streams: SqliteStreams, snapshots: SqliteSnapshots) {
    this.#streams = streams;
    this.#snapshots = snapshots;
  }

  load(aggregate: string, id: string, schemaVersion: number | undefined): Promise<LoadedPosition> {
    return this.#loads.ask({ aggregate, id, schemaVersion });
  }

  readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]> {
    return this.#events.ask({ aggregate, id, after, to });
  }

  async #load(questions: readonly LoadQuestion[]): Promise<LoadedPosition[]> {
    const wanted = questions.map(({ aggregate, id, schemaVersion }) => [
      aggregate,
      id,
      schemaVersion === undefined ? 0 : 1,
    ]);
    const loaded = questions.map(() => UNKNOWN);
    const { answers, indexedTo } = await this.#streams.ask(LOAD, wanted);
    for (const [place, number, indexed, outcomes, outcomeSeq, snapshot] of answers) {
      const question = questions[place];
      if (question === undefined) continue;
      const rows = this.#streams.tail.rowsOf(number, indexedTo);
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

  async #read(questions: readonly EventsQuestion[]): Promise<RecordedEvent[][]> {
    const wanted = questions.map(({ aggregate, id, after }) => [aggregate, id, after]);
    const { answers, indexedTo } = await this.#streams.ask(FIND_ROWS, wanted);
    const events = questions.map((): RecordedEvent[] => []);
    const chars = questions.map(() => 0);
    const spans: { readonly place: number; readonly span: Span }[] = [];
    for (const [place, number, indexed] of answers) {
      const { after, to } = questions[place] ?? unreachable();
      const rows = [...indexed.map((row) => storedRow(number, row)), ...this.#streams.tail.rowsOf(number, indexedTo)];
      const enough = Math.min(to, after + JOURNAL_LIMITS.replayEvents);
      for (const span of spansAfter(rows, after, JOURNAL_LIMITS.readSpans)) {
        if (span.firstVersion <= enough) spans.push({ place, span });
      }
    }
    let charsOfAll = 0;
    await this.#streams.visitPages(
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

function unreachable(): never {
  throw new Error('every answer belongs to a question');
}
