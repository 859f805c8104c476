/**
 * Rows that a projection keeps in memory between batches: bounded, the least recently used ones go first.
 *
 * Two generations instead of a list of uses: what is touched moves to the young one; when that is half of the
 * capacity, the old one is dropped whole. A touch costs one lookup, and nothing is moved for each event.
 */
import type { Row, RowKey } from './row-shape.js';

export class RowCache {
  #half: number;
  #young = new Map<RowKey, Row | null>();
  #old = new Map<RowKey, Row | null>();

  /** @param capacity rows kept at most */
  constructor(capacity: number) {
    this.#half = half(capacity);
  }

  /** Holds at most so many rows from the next one on. */
  resize(capacity: number): void {
    this.#half = half(capacity);
    if (this.#old.size > this.#half) this.#old = new Map();
  }

  /** The row, null if it is known not to exist, undefined if nothing is known. */
  get(key: RowKey): Row | null | undefined {
    return this.#young.get(key) ?? (this.#young.has(key) ? null : this.#old.get(key));
  }

  set(key: RowKey, row: Row | null): void {
    this.#young.set(key, row);
    if (this.#young.size < this.#half) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  /** Rows held, for tests; a row may count in both generations. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

function half(capacity: number): number {
  return Math.max(1, Math.floor(capacity / 2));
}
