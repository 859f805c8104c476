/**
 * One row of the index: where consecutive versions of one aggregate stand, and which commands made them.
 *
 * Lists are texts, for that is what goes into the file and comes out of it; few of them are ever looked into.
 */

/** Consecutive versions of one aggregate. */
export interface IndexRow {
  readonly stream: number;
  readonly firstVersion: number;
  readonly lastVersion: number;
  /** Position of the first one. */
  readonly firstPosition: number;
  /** `version,position` for each page, joined by commas: of the first of the events in it. */
  readonly pages: string;
  /** Hashes of the commands whose last event is in a page, joined by commas; pages joined by semicolons. */
  readonly hashes: string;
}

/** The versions of one aggregate in one page. */
export interface Span {
  readonly firstVersion: number;
  readonly lastVersion: number;
  /** Position of the first one. */
  readonly position: number;
}

/** The spans of rows in ascending order that reach beyond version `after`; ends at the first gap. */
export function spansAfter(rows: readonly IndexRow[], after: number): Span[] {
  const spans: Span[] = [];
  let next = after + 1;
  for (const row of rows) {
    if (row.lastVersion < next) continue;
    if (row.firstVersion > next) break;
    for (const span of spansOf(row)) if (span.lastVersion >= next) spans.push(span);
    next = row.lastVersion + 1;
  }
  return spans;
}

/** The spans in which a command with this hash may have ended. */
export function spansWithHash(rows: readonly IndexRow[], hash: number): Span[] {
  const text = String(hash);
  const spans: Span[] = [];
  for (const row of rows) {
    if (!row.hashes.includes(text)) continue;
    const byPage = row.hashes.split(';');
    const all = spansOf(row);
    for (let i = 0; i < byPage.length; i += 1) {
      const span = all[i];
      if (span !== undefined && byPage[i]?.split(',').includes(text) === true) spans.push(span);
    }
  }
  return spans;
}

/** All hashes of rows, in order. */
export function hashesOf(rows: readonly IndexRow[]): number[] {
  if (rows.length === 0) return [];
  const text = rows.map((row) => row.hashes).join(',');
  // Numbers joined by commas and semicolons, as this journal writes them.
  return JSON.parse(`[${text.replaceAll(';', ',')}]`) as number[];
}

function spansOf(row: IndexRow): Span[] {
  const numbers = JSON.parse(`[${row.pages}]`) as number[];
  const spans: Span[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    const firstVersion = numbers[i] ?? 0;
    const position = numbers[i + 1] ?? 0;
    spans.push({ firstVersion, lastVersion: (numbers[i + 2] ?? row.lastVersion + 1) - 1, position });
  }
  return spans;
}
