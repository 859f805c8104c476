/**
 * What the tail has gathered, on its way into the file: the rows as one text, made a slice at a time.
 *
 * A merge holds tens of thousands of rows. Encoded at once they would hold up the loop, which is the app's own, for a
 * tenth of a second; so some are encoded with each commit, and the last of these takes all of them along.
 */
import { indexHashesChecksum, indexPagesChecksum } from './checksums.js';
import type { IndexRow } from './index-row.js';

export class IndexMerge {
  /** Position up to which the file's index reaches with these rows. */
  readonly indexedTo: number;
  readonly #rows: ReadonlyMap<number, IndexRow>;
  /** Their aggregates in ascending order, as the file wants them. */
  readonly #streams: Float64Array;
  #encoded = 0;
  #text = '';

  /** @param rows by number of the aggregate; they don't change any more */
  constructor(rows: ReadonlyMap<number, IndexRow>, indexedTo: number) {
    this.#rows = rows;
    this.indexedTo = indexedTo;
    this.#streams = Float64Array.from(rows.keys()).sort();
  }

  /** Encodes up to so many more rows; true when none is left. */
  encode(most: number): boolean {
    const end = Math.min(this.#streams.length, this.#encoded + most);
    const texts: string[] = [];
    for (; this.#encoded < end; this.#encoded += 1) {
      const row = this.#rows.get(this.#streams[this.#encoded] ?? 0);
      if (row !== undefined) texts.push(rowText(row));
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
