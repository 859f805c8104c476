/**
 * One table as the fold sees it: rows in, rows out. What it is written by sees texts only.
 *
 * The fold may run on a worker thread, and no statement of SQLite ever does. So rows are encoded and read here, where
 * they are folded, and the store (`sqlite-view-table.ts`, or the far end of a port) binds each batch as it is.
 */
import type { SqliteValue } from '../journal/sqlite-connection.js';
import { encodeKeys, encodeRow, type Row, type RowKey, type RowShape } from './row-shape.js';

/** A statement of a `sql` handler, checked and with its parameters. */
export interface BoundStatement {
  readonly text: string;
  readonly params: readonly SqliteValue[];
  /** Position of the event that it comes from. */
  readonly position: number;
}

/** What one batch changes. */
export interface BatchChanges {
  /** New rows, null for a deleted one. */
  readonly rows: ReadonlyMap<RowKey, Row | null>;
  /** Run in this order, after the rows. */
  readonly statements: readonly BoundStatement[];
  /** Every event up to here is in the rows then. */
  readonly position: number;
}

/** The same as texts. */
export interface EncodedBatch {
  /** JSON arrays of rows (`encodeRow`); several when they are very large. */
  readonly rows: readonly string[];
  /** JSON array of the keys of deleted rows. */
  readonly gone: string;
  readonly statements: readonly BoundStatement[];
  readonly position: number;
}

/** Rows as they were found: one JSON text of arrays, or records where a text would lose a bit. */
export type FoundRows = string | readonly Readonly<Record<string, unknown>>[];

/** Where the rows of one build are kept. */
export interface RowStore {
  /** The rows that exist of these keys, a JSON array; it sees every batch written before. */
  fetch(keys: string): Promise<FoundRows>;
  /**
   * Writes a batch, all of it or nothing.
   *
   * @throws StatementFailure when a statement of the user's is the cause.
   */
  write(batch: EncodedBatch): Promise<void>;
  /** Position of the checkpoint in the file. */
  readPosition(): Promise<number>;
}

/** A statement of the user's failed, by no fault of the disk: the event at `position` can't be taken. */
export class StatementFailure extends Error {
  readonly position: number;

  constructor(position: number, cause: unknown) {
    super(`a statement of the event at position ${position} failed`, { cause });
    this.position = position;
  }
}

/** Characters of rows in one call, or a little more: texts have a limit of 512 MB, and are held three times on their way. */
const CHUNK_CHARACTERS = 8_000_000;

export class ViewTable {
  readonly #shape: RowShape;
  readonly #store: RowStore;

  constructor(shape: RowShape, store: RowStore) {
    this.#shape = shape;
    this.#store = store;
  }

  /** The rows that exist of these keys, in one query. */
  async fetch(keys: readonly RowKey[]): Promise<Row[]> {
    if (keys.length === 0) return [];
    const shape = this.#shape;
    const found = await this.#store.fetch(encodeKeys(shape.key, keys));
    if (typeof found !== 'string') return found.map((record) => shape.fromRecord(record));
    // The statement builds an array of arrays.
    return (JSON.parse(found) as unknown[][]).map((cells) => shape.fromCells(cells));
  }

  /** Writes a batch, all of it or nothing; gives the characters of its rows. */
  async write({ rows, statements, position }: BatchChanges): Promise<number> {
    const { key } = this.#shape;
    const deleted: RowKey[] = [];
    for (const [rowKey, row] of rows) if (row === null) deleted.push(rowKey);
    const chunks = this.#encoded(rows);
    await this.#store.write({ rows: chunks, gone: encodeKeys(key, deleted), statements, position });
    return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  readPosition(): Promise<number> {
    return this.#store.readPosition();
  }

  /** The rows as JSON: one text, or several when they are very large. */
  #encoded(rows: BatchChanges['rows']): string[] {
    const chunks: string[] = [];
    let texts: string[] = [];
    let characters = 0;
    for (const row of rows.values()) {
      if (row === null) continue;
      const text = encodeRow(this.#shape.columns, row);
      texts.push(text);
      characters += text.length;
      if (characters < CHUNK_CHARACTERS) continue;
      chunks.push(`[${texts.join(',')}]`);
      texts = [];
      characters = 0;
    }
    if (texts.length > 0) chunks.push(`[${texts.join(',')}]`);
    return chunks;
  }
}

/** The rows of a batch again, for those who watch them; null for a deleted one. */
export function decodeBatch(shape: RowShape, { rows, gone }: EncodedBatch): ReadonlyMap<RowKey, Row | null> {
  const { key } = shape;
  const changed = new Map<RowKey, Row | null>();
  // Both are texts that `ViewTable.write` has made.
  for (const cell of JSON.parse(gone) as unknown[]) changed.set(shape.decodeCell(key, cell) as RowKey, null);
  for (const chunk of rows) {
    for (const cells of JSON.parse(chunk) as unknown[][]) {
      const row = shape.fromCells(cells.map((cell, i) => shape.decodeCell(shape.columns[i] ?? key, cell)));
      changed.set(row[key.name] as RowKey, row);
    }
  }
  return changed;
}
