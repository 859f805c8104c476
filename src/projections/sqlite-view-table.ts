/**
 * One table of the views file: the rows of one build of one projection, and how far they have come.
 *
 * Rows, deletions and checkpoint change in one transaction; so whatever happens, the checkpoint is never beyond
 * the rows, and a fold that starts again at the checkpoint counts each event once.
 */
import type { SqliteConnection, SqliteValue } from '../journal/sqlite-connection.js';
import { encodeRow, type Row, type RowKey, type RowShape } from './row-shape.js';
import { applyBatch, hasReals, selectRows } from './sqlite-view-schema.js';
import { isFaultOfStatement, renameTable } from './sqlite-statement.js';

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

export class SqliteViewTable {
  readonly shape: RowShape;
  readonly generation: number;
  readonly #connection: SqliteConnection;
  /** The name that the projection's own statements use. */
  readonly #statementName: string;
  readonly #apply: string;
  #name: string;
  #select: string;

  constructor(
    connection: SqliteConnection,
    facts: { name: string; statementName: string; shape: RowShape; generation: number },
  ) {
    this.#connection = connection;
    this.shape = facts.shape;
    this.generation = facts.generation;
    this.#statementName = facts.statementName;
    this.#name = '';
    this.#apply = applyBatch(facts.generation);
    this.#select = '';
    this.renamed(facts.name);
  }

  /** Name of the table in the file. */
  get name(): string {
    return this.#name;
  }

  /** The table bears another name from now on. */
  renamed(name: string): void {
    this.#name = name;
    this.#select = selectRows(name, this.shape);
  }

  /** The rows that exist of these keys, in one query; it sees every batch written before. */
  async fetch(keys: readonly RowKey[]): Promise<Row[]> {
    const { shape } = this;
    if (keys.length === 0) return [];
    const wanted = encodeKeys(shape, keys);
    if (hasReals(shape)) {
      const records = await this.#connection.all<Record<string, unknown>>(this.#select, wanted);
      return records.map((record) => shape.fromRecord(record));
    }
    const answer = await this.#connection.get<{ rows: string }>(this.#select, wanted);
    // The statement builds an array of arrays.
    return (JSON.parse(answer?.rows ?? '[]') as unknown[][]).map((cells) => shape.fromCells(cells));
  }

  /**
   * Writes a batch, all of it or nothing; gives the characters of its rows.
   *
   * @throws StatementFailure when a statement of the user's is the cause.
   */
  async write({ rows, statements, position }: BatchChanges): Promise<number> {
    const gone = encodeKeys(
      this.shape,
      [...rows].filter(([, row]) => row === null).map(([key]) => key),
    );
    const chunks = this.#encoded(rows);
    const [first = '[]', ...others] = chunks;
    if (others.length === 0 && statements.length === 0) {
      await this.#connection.run(this.#apply, first, gone, position);
      return first.length;
    }
    await this.#connection.transaction(async (session) => {
      await session.run(this.#apply, first, gone, position);
      for (const chunk of others) await session.run(this.#apply, chunk, '[]', position);
      for (const { text, params, position } of statements) {
        const sql = this.#name === this.#statementName ? text : renameTable(text, this.#statementName, this.#name);
        try {
          await session.run(sql, ...params);
        } catch (error) {
          throw isFaultOfStatement(error) ? new StatementFailure(position, error) : error;
        }
      }
    });
    return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** The rows as JSON: one text, or several when they are very large. */
  #encoded(rows: BatchChanges['rows']): string[] {
    const chunks: string[] = [];
    let texts: string[] = [];
    let characters = 0;
    for (const row of rows.values()) {
      if (row === null) continue;
      const text = encodeRow(this.shape.columns, row);
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

  /** Position of the checkpoint in the file. */
  async readPosition(): Promise<number> {
    const row = await this.#connection.get<{ position: number }>(
      'SELECT position FROM troupe_projections WHERE table_name = ?',
      this.#name,
    );
    return row?.position ?? 0;
  }
}

function encodeKeys(shape: RowShape, keys: readonly RowKey[]): string {
  const { key } = shape;
  if (key.type !== 'real') return JSON.stringify(keys);
  // A row of the key column alone is `[key]`; without the brackets it is the key.
  return `[${keys.map((value) => encodeRow([key], { [key.name]: value }).slice(1, -1)).join(',')}]`;
}
