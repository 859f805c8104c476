/**
 * What the tail has gathered, on its way into the file: the rows as one text, made a slice at a time.
 *
 * A merge holds tens of thousands of rows. Encoded at once they would hold up the loop, which is the app's own, for a
 * tenth of a second; so some are encoded with each commit, and the last of these takes all of them along.
 */
import { indexHashesChecksum, indexPagesChecksum } from './checksums.js';
import type { IndexRow } from './index-row.js';

/** The newest row of an aggregate, and those before it. */
export interface RowsToMerge extends IndexRow {
  readonly older: RowsToMerge | undefined;
}

export class IndexMerge {
  /** Position up to which the file's index reaches with these rows. */
  readonly indexedTo: number;
  readonly #rows: ReadonlyMap<number, RowsToMerge>;
  /** Their aggregates in ascending order, as the file wants them. */
  readonly #streams: Float64Array;
  #encoded = 0;
  #text = '';

  /** @param rows by number of the aggregate; they don't change any more */
  constructor(rows: ReadonlyMap<number, RowsToMerge>, indexedTo: number) {
    this.#rows = rows;
    this.indexedTo = indexedTo;
    this.#streams = Float64Array.from(rows.keys()).sort();
  }

  /** Encodes up to so many more rows, and those that are left of an aggregate; true when none is left. */
  encode(most: number): boolean {
    const texts: string[] = [];
    for (; this.#encoded < this.#streams.length && texts.length < most; this.#encoded += 1) {
      const first = texts.length;
      let row = this.#rows.get(this.#streams[this.#encoded] ?? 0);
      for (; row !== undefined; row = row.older) texts.push(rowText(row));
      // Found from the newest on; nearly always there is one.
      if (texts.length > first + 1) texts.push(...texts.splice(first).reverse());
    }
    if (texts.length > 0) this.#text += `${this.#text === '' ? '' : ','}${texts.join(',')}`;
    return this.#encoded === this.#streams.length;
  }

  /** All rows as a list in JSON, when all are encoded; null: there are none. */
  get text(): string | null {
    return this.#text === '' ? null : `[${this.#text}]`;
  }
}

/** Numbers, and texts of digits and commas: nothing to escape. */
function rowText({ stream, firstVersion, lastVersion, pages, hashes }: IndexRow): string {
  const firstPosition = pages[1] ?? 0;
  const pageText = pages.join(',');
  const hashText = hashes.join(';');
  const pagesChecksum = indexPagesChecksum(stream, firstVersion, lastVersion, firstPosition, pageText);
  const hashesChecksum = indexHashesChecksum(stream, firstVersion, lastVersion, hashText);
  return (
    `[${stream},${firstVersion},${lastVersion},${firstPosition},"${pageText}",${pagesChecksum},` +
    `"${hashText}",${hashesChecksum}]`
  );
}
