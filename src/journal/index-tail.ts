/**
 * Which pages hold which aggregate's events: the youngest part of the index, in memory.
 *
 * An index row for each aggregate in each commit would touch as many pages of the file as there are aggregates,
 * which costs more than the events. So commits write events only; the rows gather here and go into the file
 * (`stream_page`) many at a time, in order, one row for all that an aggregate has gathered (`index-merge.ts`). After a crash they are
 * made again from the events behind `indexedTo`, the position up to which the file's index reaches.
 *
 * @see O'Neil et al., The Log-Structured Merge-Tree, 1996
 */
import { IndexMerge } from './index-merge.js';
import type { IndexRow } from './index-row.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { PageRow } from './stream-handle.js';

interface GatheringRow extends IndexRow {
  lastVersion: number;
  readonly pages: number[];
  readonly hashes: string[];
  /** The row before it, which is full. */
  readonly older: GatheringRow | undefined;
}

interface Generation {
  /** The newest row of each aggregate. */
  readonly rows: Map<number, GatheringRow>;
  /** Position up to which it reaches. */
  to: number;
  size: number;
}

export class IndexTail {
  #indexedTo: number;
  /** On its way into the file, until that is durable. */
  #merging: Generation | undefined;
  #merge: IndexMerge | undefined;
  #gathering: Generation;

  constructor(indexedTo: number) {
    this.#indexedTo = indexedTo;
    this.#gathering = { rows: new Map(), to: indexedTo, size: 0 };
  }

  /** Position up to which the file's index reaches; answers of the file that reach less far are too old for this tail. */
  get indexedTo(): number {
    return this.#indexedTo;
  }

  /** Rows of pages that gathered since the last merge began. */
  get size(): number {
    return this.#gathering.size;
  }

  /** Whether a merge has begun that is not known to be durable. */
  get isMerging(): boolean {
    return this.#merging !== undefined;
  }

  /** The rows of one commit, which reaches `to`. */
  add(rows: readonly PageRow[], to: number): void {
    const gathering = this.#gathering;
    for (const { stream, firstVersion, lastVersion, position, hashes } of rows) {
      const { number } = stream;
      const row = gathering.rows.get(number);
      if (row === undefined || row.hashes.length >= JOURNAL_LIMITS.indexRowPages) {
        const pages = [firstVersion, position];
        gathering.rows.set(number, { stream: number, firstVersion, lastVersion, pages, hashes: [hashes], older: row });
      } else {
        row.lastVersion = lastVersion;
        row.pages.push(firstVersion, position);
        row.hashes.push(hashes);
      }
    }
    gathering.size += rows.length;
    gathering.to = to;
  }

  /** What is known here of an aggregate behind `indexedTo`, up to which the file has it; oldest first. */
  rowsOf(stream: number, indexedTo: number): readonly IndexRow[] {
    const rows: IndexRow[] = [];
    const merging = this.#merging;
    let row = this.#gathering.rows.get(stream);
    for (; row !== undefined; row = row.older) rows.push(row);
    if (merging !== undefined && merging.to > indexedTo) row = merging.rows.get(stream);
    for (; row !== undefined; row = row.older) rows.push(row);
    return rows.reverse();
  }

  /** Takes everything gathered for a merge; the same again until all of it is in the file. */
  merge(): IndexMerge {
    this.#merge ??= this.#begin();
    return this.#merge;
  }

  /** A slice of the merge is durable. What is in memory stays until all slices are: answers of the file may be older. */
  sliceLanded(): void {
    if (this.#merging === undefined || this.#merge?.landed() !== true) return;
    this.#indexedTo = this.#merging.to;
    this.#merging = undefined;
    this.#merge = undefined;
  }

  #begin(): IndexMerge {
    const { rows, to } = this.#gathering;
    this.#merging = this.#gathering;
    this.#gathering = { rows: new Map(), to, size: 0 };
    return new IndexMerge(rows, to);
  }
}
