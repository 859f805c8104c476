/**
 * One row of the index: where consecutive versions of one aggregate stand, and which commands made them.
 *
 * In the file the lists are texts; `storedRow` reads them, `sqlite-commit.ts` writes them.
 */

/** Consecutive versions of one aggregate. */
export interface IndexRow {
  readonly stream: number;
  readonly firstVersion: number;
  readonly lastVersion: number;
  /** Version and position of the first of the events in each page, one after the other. */
  readonly pages: readonly number[];
  /** For each page the hashes of the commands whose last event is in it, joined by commas. */
  readonly hashes: readonly string[];
}

/** The versions of one aggregate in one page. */
export interface Span {
  readonly firstVersion: number;
  readonly lastVersion: number;
  /** Position of the first one. */
  readonly position: number;
}

/** A row as it stands in the file: `version,position,…` and `hash,hash;hash;…`. */
export function storedRow(
  stream: number,
  [firstVersion, lastVersion, pages, hashes]: readonly [number, number, string, string],
): IndexRow {
  // Integers joined by commas.
  const numbers = JSON.parse(`[${pages}]`) as number[];
  return { stream, firstVersion, lastVersion, pages: numbers, hashes: hashes === '' ? [] : hashes.split(';') };
}

/** The spans of rows in ascending order that reach beyond version `after`; ends at the first gap. */
export function spansAfter(rows: readonly IndexRow[], after: number): Span[] {
  const spans: Span[] = [];
  let next = after + 1;
  for (const row of rows) {
    if (row.lastVersion < next) continue;
    if (row.firstVersion > next) break;
    for (let page = 0; page * 2 < row.pages.length; page += 1) {
      const span = spanOf(row, page);
      if (span.lastVersion >= next) spans.push(span);
    }
    next = row.lastVersion + 1;
  }
  return spans;
}

/** The spans in which a command with this hash may have ended. */
export function spansWithHash(rows: readonly IndexRow[], hash: number): Span[] {
  const text = String(hash);
  const spans: Span[] = [];
  for (const row of rows) {
    for (let page = 0; page < row.hashes.length; page += 1) {
      const hashes = row.hashes[page] ?? '';
      if (hashes === text || (hashes.length > text.length && hashes.split(',').includes(text)))
        spans.push(spanOf(row, page));
    }
  }
  return spans;
}

/** All hashes of rows, in order. */
export function hashesOf(rows: readonly IndexRow[]): number[] {
  const texts = rows.flatMap((row) => row.hashes);
  // Integers joined by commas.
  return JSON.parse(`[${texts.join(',')}]`) as number[];
}

function spanOf(row: IndexRow, page: number): Span {
  const firstVersion = row.pages[page * 2] ?? 0;
  const position = row.pages[page * 2 + 1] ?? 0;
  return { firstVersion, lastVersion: (row.pages[page * 2 + 2] ?? row.lastVersion + 1) - 1, position };
}
