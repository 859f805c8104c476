/**
 * What the tail has gathered, on its way into the file, a slice with each commit.
 *
 * A merge holds tens of thousands of rows, each of which belongs to another place of the file. Written at once they held up all
 * commits for a tenth of a second, and encoded at once the loop, which is the app's own. In the order of their aggregates'
 * numbers each slice says how far the file has got with it (`index-reach.ts`), so that a crash between two slices costs nothing.
 */
import { indexHashesChecksum, indexPagesChecksum } from './checksums.js';
import type { IndexRow } from './index-row.js';

/** The newest row of an aggregate, and those before it. */
export interface RowsToMerge extends IndexRow {
  readonly older: RowsToMerge | undefined;
}

/** What one commit takes along. */
export interface MergeSlice {
  /** The rows as a list in JSON; null: there are none. */
  readonly text: string | null;
  /** Position up to which the file's index reaches with it … */
  readonly indexedTo: number;
  /** … for aggregates with smaller numbers than this; undefined: for all, it is the last slice. */
  readonly below: number | undefined;
}

export class IndexMerge {
  readonly #indexedTo: number;
  readonly #rows: ReadonlyMap<number, RowsToMerge>;
  /** Their aggregates in ascending order, as the file wants them. */
  readonly #streams: Float64Array;
  /** Aggregates of which all rows are durable. */
  #done = 0;
  /** Those of the slice that is on its way, too. */
  #taken = 0;
  #slice: MergeSlice | undefined;

  /** @param rows by number of the aggregate; they don't change any more */
  constructor(rows: ReadonlyMap<number, RowsToMerge>, indexedTo: number) {
    this.#rows = rows;
    this.#indexedTo = indexedTo;
    this.#streams = Float64Array.from(rows.keys()).sort();
  }

  /** The next rows, about so many: all of an aggregate go together. The same again until `landed` says that they are durable. */
  slice(most: number): MergeSlice {
    this.#slice ??= this.#encode(most);
    return this.#slice;
  }

  /** The slice is durable; true when it was the last one. */
  landed(): boolean {
    const isLast = this.#slice !== undefined && this.#slice.below === undefined;
    this.#slice = undefined;
    this.#done = this.#taken;
    return isLast;
  }

  #encode(most: number): MergeSlice {
    const texts: string[] = [];
    this.#taken = this.#done;
    for (; this.#taken < this.#streams.length && texts.length < most; this.#taken += 1) {
      const first = texts.length;
      let row = this.#rows.get(this.#streams[this.#taken] ?? 0);
      for (; row !== undefined; row = row.older) texts.push(rowText(row));
      // Found from the newest on; nearly always there is one.
      if (texts.length > first + 1) texts.push(...texts.splice(first).reverse());
    }
    return {
      text: texts.length === 0 ? null : `[${texts.join(',')}]`,
      indexedTo: this.#indexedTo,
      // Beyond the last aggregate there is no number.
      below: this.#streams[this.#taken],
    };
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
