/**
 * Pages of events out of the file: many in one answer, as one text, each checked against its checksum.
 *
 * An answer stays below a bound of characters however large the events are, but holds at least one page.
 */
import { TroupeError } from '../core/troupe-error.js';
import { pageChecksum } from './checksums.js';
import { corruptPage } from './event-page.js';
import type { StoredPage } from './event-page.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { SqliteSession } from './sqlite-connection.js';

/**
 * Joins the pages that `chosen` names in its order, as long as those before them are not too large together. As bytes, because
 * a checksum of them costs half of that of a text, and they are no burden to the heap.
 */
function joined(chosen: string, bound: string): string {
  return `
SELECT
  group_concat(page.first_position || ',' || last_position || ',' || recorded_at || ',' || checksum || ',' || octet_length(body)) AS facts,
  CAST(group_concat(body, '') AS BLOB) AS bodies
FROM (
  SELECT first_position, sum(octets) OVER (ORDER BY place) - octets AS octets_before FROM (${chosen})
) AS chosen
CROSS JOIN event_page AS page ON page.first_position = chosen.first_position
WHERE octets_before < ${bound}`;
}

const PAGES_FROM = joined(
  `SELECT first_position, first_position AS place, octet_length(body) AS octets FROM event_page
   WHERE first_position >= coalesce((SELECT max(first_position) FROM event_page WHERE first_position <= ?1), 0)
   ORDER BY first_position LIMIT ?2`,
  '?3',
);

const PAGES_AT = joined(
  `SELECT first_position, first_position AS place, octet_length(body) AS octets
   FROM (
     SELECT DISTINCT (SELECT max(first_position) FROM event_page WHERE first_position <= wanted.value) AS found
     FROM json_each(?1) AS wanted
   ) CROSS JOIN event_page ON first_position = found`,
  '?2',
);

const PAGES_WITHIN = joined(
  `SELECT DISTINCT first_position, first_position AS place, octet_length(body) AS octets
   FROM json_each(?1) AS run CROSS JOIN event_page
     ON first_position >= (
       SELECT coalesce(max(first_position), 0) FROM event_page WHERE first_position <= run.value ->> 0
     )
     AND first_position <= run.value ->> 1`,
  '?2',
);

interface JoinedPages {
  readonly facts: string | null;
  readonly bodies: Buffer | null;
}

/**
 * Pages in order, from the one that holds `position`, or would hold it, on.
 *
 * @throws TROUPE_JOURNAL_CORRUPT when a page is damaged, or events between two pages are missing.
 */
export async function pagesFrom(session: SqliteSession, position: number, limit: number): Promise<StoredPage[]> {
  const pages = split(await session.get<JoinedPages>(PAGES_FROM, position, limit, JOURNAL_LIMITS.readChars));
  let next = Math.max(1, position);
  for (const { firstPosition, lastPosition } of pages) {
    const isBehindGap = firstPosition > next;
    const overlaps = firstPosition < next && firstPosition > position;
    if (isBehindGap || overlaps)
      throw corruptPage(next, `the next page in the file begins at position ${firstPosition}`);
    next = lastPosition + 1;
  }
  return pages;
}

/**
 * The pages in front of or at these positions, in order, each once; fewer, from the front, when they are too large for one
 * answer. Whether a page holds the position that it was asked for is for the caller to see.
 */
export async function pagesAt(session: SqliteSession, positions: readonly number[]): Promise<StoredPage[]> {
  return split(await session.get<JoinedPages>(PAGES_AT, JSON.stringify(positions), JOURNAL_LIMITS.readChars));
}

/**
 * The pages that hold the positions of these runs, from the first to the last of each, in order, each once; fewer, from the
 * front, when they are too large together. Whether a page holds a position is for the caller to see.
 */
export async function pagesWithin(
  session: SqliteSession,
  runs: readonly (readonly [from: number, to: number])[],
  most: number,
): Promise<PageBytes[]> {
  return taken(await session.get<JoinedPages>(PAGES_WITHIN, JSON.stringify(runs), most));
}

/**
 * The pages that hold these positions, one for each, in order; fewer, from the front, when they are too large for one answer.
 *
 * @throws TROUPE_JOURNAL_CORRUPT when one of them is not there.
 */
export async function pagesHolding(session: SqliteSession, positions: readonly number[]): Promise<StoredPage[]> {
  const pages = await pagesAt(session, positions);
  for (let i = 0; i < pages.length; i += 1) {
    const page = pages[i];
    const position = positions[i] ?? 0;
    if (page === undefined || page.firstPosition > position || page.lastPosition < position) throw notThere(position);
  }
  return pages;
}

/** The error of a page that an index row names. */
export function notThere(position: number): TroupeError {
  return corruptPage(position, 'the index names it, and it is not there');
}

/** What a query answers as JSON text. @throws TROUPE_JOURNAL_CORRUPT when a byte of the file has made it none */
export function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TroupeError(
      'TROUPE_JOURNAL_CORRUPT',
      'a row of the journal is damaged: it is no text; restore a backup, or look with `troupe verify`',
      { cause },
    );
  }
}

/** A page as it came from the file, checked; its text is made when somebody wants it, for texts are what fills the heap. */
export class PageBytes {
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly recordedAt: number;
  readonly #bytes: Buffer;

  /** @throws TROUPE_JOURNAL_CORRUPT when it is not as it was written */
  constructor(firstPosition: number, lastPosition: number, recordedAt: number, checksum: number, bytes: Buffer) {
    this.firstPosition = firstPosition;
    this.lastPosition = lastPosition;
    this.recordedAt = recordedAt;
    this.#bytes = bytes;
    if (pageChecksum(firstPosition, lastPosition, recordedAt, bytes) !== checksum)
      throw corruptPage(firstPosition, 'its checksum does not fit');
  }

  get size(): number {
    return this.#bytes.length;
  }

  toPage(): StoredPage {
    const { firstPosition, lastPosition, recordedAt } = this;
    return { firstPosition, lastPosition, recordedAt, body: this.#bytes.toString() };
  }
}

function split(answer: JoinedPages | undefined): StoredPage[] {
  return taken(answer).map((page) => page.toPage());
}

function taken(answer: JoinedPages | undefined): PageBytes[] {
  if (answer === undefined || answer.facts === null) return [];
  // Integers joined by commas.
  const facts = parseAnswer(`[${answer.facts}]`) as number[];
  const bodies = answer.bodies ?? Buffer.alloc(0);
  const pages: PageBytes[] = [];
  let from = 0;
  for (let i = 0; i < facts.length; i += 5) {
    const bytes = bodies.subarray(from, from + (facts[i + 4] ?? 0));
    pages.push(new PageBytes(facts[i] ?? 0, facts[i + 1] ?? 0, facts[i + 2] ?? 0, facts[i + 3] ?? 0, bytes));
    from += bytes.length;
  }
  return pages;
}
