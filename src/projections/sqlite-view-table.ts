/**
 * One table of the views file: the rows of one build of one projection, and how far they have come.
 *
 * Rows, deletions and checkpoint change in one transaction; so whatever happens, the checkpoint is never beyond
 * the rows, and a fold that starts again at the checkpoint counts each event once. Texts are bound as they come.
 */
import type { SqliteConnection } from '../journal/sqlite-connection.js';
import type { RowShape } from './row-shape.js';
import { applyBatch, hasReals, selectRows } from './sqlite-view-schema.js';
import { isFaultOfStatement, renameTable } from './sqlite-statement.js';
import { type EncodedBatch, type FoundRows, type RowStore, StatementFailure } from './view-table.js';

export class SqliteViewTable implements RowStore {
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

  async fetch(keys: string): Promise<FoundRows> {
    if (hasReals(this.shape)) return this.#connection.all<Record<string, unknown>>(this.#select, keys);
    const answer = await this.#connection.get<{ rows: string }>(this.#select, keys);
    return answer?.rows ?? '[]';
  }

  async write({ rows, gone, statements, position }: EncodedBatch): Promise<void> {
    const [first = '[]', ...others] = rows;
    if (others.length === 0 && statements.length === 0) {
      await this.#connection.run(this.#apply, first, gone, position);
      return;
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
  }

  async readPosition(): Promise<number> {
    const row = await this.#connection.get<{ position: number }>(
      'SELECT position FROM troupe_projections WHERE table_name = ?',
      this.#name,
    );
    return row?.position ?? 0;
  }
}
