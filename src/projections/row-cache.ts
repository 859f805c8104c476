/**
 * Rows that a projection keeps in memory between batches: bounded, the least recently used ones go first.
 *
 * Two generations instead of a list of uses: what is touched moves to the young one; when that is half of the
 * capacity, the old one is dropped whole. A touch costs one lookup, and nothing is moved for each event. A cache
 * that has seen its table grow from nothing, and dropped nothing yet, knows which rows there are not.
 */
import type { Row, RowKey } from './row-shape.js';

export class RowCache {
  #half: number;
  #young = new Map<RowKey, Row | null>();
  #old = new Map<RowKey, Row | null>();
  #whole: boolean;

  /**
   * @param capacity rows kept at most
   * @param empty whether the table has no rows yet
   */
  constructor(capacity: number, empty = false) {
    this.#half = half(capacity);
    this.#whole = empty;
  }

  /** Holds at most so many rows from the next one on. */
  resize(capacity: number): void {
    this.#half = half(capacity);
    if (this.#old.size > this.#half) this.#drop(new Map());
  }

  /** The row, null if it is known not to exist, undefined if nothing is known. */
  get(key: RowKey): Row | null | undefined {
    const row = this.#young.get(key) ?? (this.#young.has(key) ? null : this.#old.get(key));
    return row === undefined && this.#whole ? null : row;
  }

  set(key: RowKey, row: Row | null): void {
    this.#young.set(key, row);
    if (this.#young.size < this.#half) return;
    this.#drop(this.#young);
    this.#young = new Map();
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#whole = false;
  }

  /** Rows held, for tests; a row may count in both generations. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Drops the old generation for another one. */
  #drop(next: Map<RowKey, Row | null>): void {
    if (this.#old.size > 0) this.#whole = false;
    this.#old = next;
  }
}

function half(capacity: number): number {
  return Math.max(1, Math.floor(capacity / 2));
}
