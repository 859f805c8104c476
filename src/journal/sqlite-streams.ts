/**
 * Questions about single aggregates to the file: many of them in one query, and the pages that the answers lead to.
 *
 * What the file's index doesn't reach stands in the tail, in memory. A query answers with the reach that it saw; when the
 * tail has moved on meanwhile, it is asked again.
 */
import type { StoredPage } from './event-page.js';
import type { Span } from './index-row.js';
import { IndexReach, REACH_COLUMNS, type ReachRow } from './index-reach.js';
import type { IndexTail } from './index-tail.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { SqliteSession } from './sqlite-connection.js';
import { notThere, pagesAt, parseAnswer } from './sqlite-pages.js';

/** Answers a list of questions, each about one aggregate, with one JSON text; `columns` may use `wanted` and `stream`. */
export function aboutStreams<Columns extends readonly unknown[]>(columns: string): StreamQuery<Columns> {
  const sql = `
SELECT
  ${REACH_COLUMNS},
  json_group_array(json_array(wanted.key, stream.stream, ${columns})) AS answers
FROM json_each(?) AS wanted CROSS JOIN stream
  ON stream.aggregate = wanted.value ->> 0 AND stream.aggregate_id = wanted.value ->> 1`;
  // The columns are what whoever wrote the query says they are.
  return { sql, parse: (text) => parseAnswer(text) as StreamAnswer<Columns>[] };
}

/** A query about many aggregates, and the type of its answers. */
export interface StreamQuery<Columns extends readonly unknown[]> {
  readonly sql: string;
  readonly parse: (text: string) => StreamAnswer<Columns>[];
}

/** The place of the question, the number of the aggregate, and the columns of the query. */
export type StreamAnswer<Columns extends readonly unknown[]> = readonly [place: number, stream: number, ...Columns];

/** The file as readers of single aggregates see it. */
export class SqliteStreams {
  readonly #session: SqliteSession;
  readonly #tail: () => IndexTail;

  constructor(session: SqliteSession, tail: () => IndexTail) {
    this.#session = session;
    this.#tail = tail;
  }

  get tail(): IndexTail {
    return this.#tail();
  }

  /** Asks until the answer is as new as the tail. */
  async ask<Columns extends readonly unknown[]>(
    query: StreamQuery<Columns>,
    wanted: unknown,
  ): Promise<{ readonly answers: readonly StreamAnswer<Columns>[]; readonly reach: IndexReach }> {
    const text = JSON.stringify(wanted);
    for (;;) {
      const row = await this.#session.get<ReachRow & { readonly answers: string }>(query.sql, text);
      if (row === undefined) return { answers: [], reach: new IndexReach(0) };
      if (row.indexedTo >= this.#tail().indexedTo)
        return { answers: query.parse(row.answers), reach: IndexReach.read(row) };
    }
  }

  /**
   * Visits the pages of the spans in order of position, as long as they are still wanted. A page is read once for all
   * spans in it: when many aggregates come back at once, their events stand side by side.
   */
  async visitPages<Wanted extends { readonly span: Span }>(
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
}

function unreachable(): never {
  throw new Error('an index below the length has an element');
}
