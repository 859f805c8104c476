/**
 * One row of the index: where consecutive versions of one aggregate stand, and which commands made them.
 *
 * In the file the lists are texts; `storedRow` and `storedHashes` read them, each what it needs, and check it;
 * `sqlite-commit.ts` writes them.
 */
import type { TroupeError } from '../core/troupe-error.js';
import { damaged, indexHashesChecksum, indexPagesChecksum } from './checksums.js';
import type { HashesNear } from './journal.js';

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

/** What a query gives of a row to find its pages; `pages` is `version,position,…`. */
export type StoredPages = readonly [
  firstVersion: number,
  lastVersion: number,
  firstPosition: number,
  pages: string,
  checksum: number,
];

/** What a query gives of a row to know its commands; `hashes` is `hash,hash;hash;…`. */
export type StoredHashes = readonly [firstVersion: number, lastVersion: number, hashes: string, checksum: number];

/** A row as it stands in the file, without its hashes. @throws TROUPE_JOURNAL_CORRUPT when it is damaged */
export function storedRow(
  stream: number,
  [firstVersion, lastVersion, firstPosition, pages, checksum]: StoredPages,
): IndexRow {
  if (indexPagesChecksum(stream, firstVersion, lastVersion, firstPosition, pages) !== checksum)
    throw damagedRow(stream, firstVersion);
  // Integers joined by commas.
  return { stream, firstVersion, lastVersion, pages: JSON.parse(`[${pages}]`) as number[], hashes: [] };
}

/** The hashes of a row as it stands in the file, for each page. @throws TROUPE_JOURNAL_CORRUPT when it is damaged */
export function storedHashes(stream: number, stored: StoredHashes): string[] {
  const hashes = checkedHashes(stream, stored);
  return hashes === '' ? [] : hashes.split(';');
}

/** The hashes of a row as one text. @throws TROUPE_JOURNAL_CORRUPT when it is damaged */
export function checkedHashes(stream: number, [firstVersion, lastVersion, hashes, checksum]: StoredHashes): string {
  if (indexHashesChecksum(stream, firstVersion, lastVersion, hashes) !== checksum)
    throw damagedRow(stream, firstVersion);
  return hashes;
}

/** Where the index of an aggregate ends. @throws TROUPE_JOURNAL_CORRUPT when rows are missing */
export function lastIndexed(
  stream: number,
  rows: readonly { readonly firstVersion: number; readonly lastVersion: number }[],
): number {
  let version = 0;
  for (const { firstVersion, lastVersion } of rows) {
    if (firstVersion !== version + 1) throw damagedRow(stream, version + 1);
    version = lastVersion;
  }
  return version;
}

function damagedRow(stream: number, firstVersion: number): TroupeError {
  return damaged(`the index of aggregate number ${stream}, from version ${firstVersion} on,`, { stream, firstVersion });
}

/** The first spans of rows in ascending order that reach beyond version `after`; ends at the first gap. */
export function spansAfter(rows: readonly IndexRow[], after: number, most = Number.MAX_SAFE_INTEGER): Span[] {
  const spans: Span[] = [];
  let next = after + 1;
  for (const row of rows) {
    if (row.lastVersion < next) continue;
    if (row.firstVersion > next) break;
    for (let page = 0; page * 2 < row.pages.length && spans.length < most; page += 1) {
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
      // Searching a text costs a tenth of taking it apart, and most texts don't contain it.
      if (hashes === text || (hashes.includes(text) && hashes.split(',').includes(text))) spans.push(spanOf(row, page));
    }
  }
  return spans;
}

/** The hashes of a row that is in memory, page by page: in the file it may become part of another row. */
export function hashesNear(row: IndexRow): HashesNear[] {
  return row.hashes.map((hashes, page) => [row.pages[page * 2] ?? row.firstVersion, hashes]);
}

function spanOf(row: IndexRow, page: number): Span {
  const firstVersion = row.pages[page * 2] ?? 0;
  const position = row.pages[page * 2 + 1] ?? 0;
  return { firstVersion, lastVersion: (row.pages[page * 2 + 2] ?? row.lastVersion + 1) - 1, position };
}
