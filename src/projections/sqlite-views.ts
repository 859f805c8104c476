/**
 * The tables of all projections in the views file: which there are, making them, swapping a new build in.
 *
 * A projection has one live table of its own name, and while it is built anew a second one beside it, which takes
 * the first one's place in one transaction. All writes go through one connection, in turn.
 */
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { SqliteConnection, SqliteSession, SqliteValue } from '../journal/sqlite-connection.js';
import { sqliteCode } from '../journal/sqlite-error.js';
import type { RuntimeColumn } from './columns.js';
import { decodeColumns, type ProjectionPlan } from './projection-plan.js';
import { firstWord, isOneStatement } from './sqlite-statement.js';
import { CREATE_POWERS, createApplyView, createTable, dropApplyView, hasReals, quoted } from './sqlite-view-schema.js';
import { SqliteViewTable } from './sqlite-view-table.js';
import { openViewsFile, type ViewsFile, type ViewsFileOptions } from './sqlite-views-file.js';

/** A table as it stands in the file. */
export interface StoredTable {
  readonly name: string;
  /** The projection that it was built by. */
  readonly projection: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly columns: readonly RuntimeColumn[];
  /** The checkpoint. */
  readonly position: number;
  readonly generation: number;
}

/** The tables of one projection. */
export interface StoredTables {
  readonly live: StoredTable | undefined;
  readonly building: StoredTable | undefined;
}

interface CatalogRow {
  readonly table_name: string;
  readonly projection: string;
  readonly version: number;
  readonly columns: string;
  readonly position: number;
  readonly state: string;
  readonly generation: number;
}

/** Whether a table was built by the definition as it is now. */
export function isBuildOf(plan: ProjectionPlan, stored: StoredTable): boolean {
  return stored.projection === plan.name && stored.version === plan.version && stored.fingerprint === plan.fingerprint;
}

/** Name of the table that is built beside the live one. */
function buildingName(table: string): string {
  return `troupe_building_${table}`;
}

export class SqliteViews {
  readonly #file: ViewsFile;

  private constructor(file: ViewsFile) {
    this.#file = file;
  }

  /** @throws as `openViewsFile`. */
  static async open(options: ViewsFileOptions): Promise<SqliteViews> {
    return new SqliteViews(await openViewsFile(options));
  }

  /** Reads go here; it can't write, except in memory, where the two connections are one. */
  get reader(): SqliteConnection {
    return this.#file.reader;
  }

  /** The tables that a projection has; one that somebody dropped by hand is as if it had never been. */
  async find(plan: ProjectionPlan): Promise<StoredTables> {
    const rows = await this.#file.writer.all<CatalogRow>(
      `SELECT table_name, projection, version, columns, position, state, generation
       FROM troupe_projections JOIN sqlite_schema ON type = 'table' AND lower(name) = lower(table_name)
       WHERE lower(table_name) IN (lower(?), lower(?))`,
      plan.table,
      buildingName(plan.table),
    );
    const stored = (state: string): StoredTable | undefined => {
      const row = rows.find((row) => row.state === state);
      if (row === undefined) return undefined;
      const { table_name: name, projection, version, columns: fingerprint, position, generation } = row;
      return { name, projection, version, fingerprint, columns: decodeColumns(fingerprint), position, generation };
    };
    return { live: stored('live'), building: stored('building') };
  }

  /** Opens a stored table for writing, or without one makes it, empty, in place of one that may be there. */
  async openTable(
    plan: ProjectionPlan,
    state: 'live' | 'building',
    stored: StoredTable | undefined,
  ): Promise<SqliteViewTable> {
    const name = stored?.name ?? (state === 'live' ? plan.table : buildingName(plan.table));
    const generation = stored?.generation ?? (await this.#createTable(plan, state, name));
    const { writer } = this.#file;
    await writer.exec(writingSql(name, generation, plan));
    return new SqliteViewTable(writer, { name, statementName: plan.table, shape: plan.shape, generation });
  }

  /** Puts a table that was built beside the live one in its place; readers see the one or the other. */
  async swap(plan: ProjectionPlan, built: SqliteViewTable): Promise<void> {
    await this.#file.writer.transaction(async (session) => {
      await dropTable(session, plan.table);
      // While it is renamed nothing may refer to it.
      await session.exec(dropApplyView(built.generation));
      await session.exec(`ALTER TABLE ${quoted(built.name)} RENAME TO ${quoted(plan.table)}`);
      await session.run(
        "UPDATE troupe_projections SET table_name = ?, state = 'live' WHERE generation = ?",
        plan.table,
        built.generation,
      );
      await session.exec(writingSql(plan.table, built.generation, plan));
    });
    built.renamed(plan.table);
  }

  /** Keeps why a build has stopped, for those who look into the file; undefined when it goes on. */
  async noteFault(
    { generation }: SqliteViewTable,
    fault: { position: number; error: string } | undefined,
  ): Promise<void> {
    const { writer } = this.#file;
    if (fault === undefined) await writer.run('DELETE FROM troupe_views WHERE key = ?', faultKey(generation));
    else {
      const text = JSON.stringify(fault);
      await writer.run('INSERT OR REPLACE INTO troupe_views (key, value) VALUES (?, ?)', faultKey(generation), text);
    }
  }

  /** Drops what was being built. */
  async dropBuilding(plan: ProjectionPlan): Promise<void> {
    await this.#file.writer.transaction((session) => dropTable(session, buildingName(plan.table)));
  }

  /**
   * Runs a statement of the user's that only reads.
   *
   * @throws TROUPE_INVALID_OPTIONS when it is none, or SQLite refuses it.
   */
  async query<Result>(text: string, params: readonly SqliteValue[]): Promise<Result[]> {
    if (!READING.has(firstWord(text))) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `sql(): ${showValue(text)} is no query; begin with select, with or values`,
      );
    }
    if (!isOneStatement(text)) {
      throw new TroupeError('TROUPE_INVALID_OPTIONS', `sql(): ${showValue(text)} is more than one statement; give one`);
    }
    const { reader, writer } = this.#file;
    try {
      if (reader !== writer) return await reader.all<Result>(text, ...params);
      return await writer.transaction(async (session) => {
        await session.exec('PRAGMA query_only = ON');
        try {
          return await session.all<Result>(text, ...params);
        } finally {
          await session.exec('PRAGMA query_only = OFF');
        }
      });
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_READONLY') throw error;
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `sql(): ${showValue(text)} would change rows; read models change by events alone`,
        {
          cause: error,
        },
      );
    }
  }

  /** Waits for the calls made so far, then closes. */
  async close(): Promise<void> {
    const { reader, writer } = this.#file;
    if (reader !== writer) await reader.close();
    await writer.close();
  }

  async #createTable(plan: ProjectionPlan, state: 'live' | 'building', name: string): Promise<number> {
    return this.#file.writer.transaction(async (session) => {
      // Counted on for ever: no two builds have the same, not even when one of them is long dropped.
      await session.run("UPDATE troupe_views SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'");
      const counter = await session.get<{ value: string }>("SELECT value FROM troupe_views WHERE key = 'generation'");
      const generation = Number(counter?.value);
      await dropTable(session, name);
      await session.exec(createTable(name, plan, generation));
      await session.run(
        `INSERT INTO troupe_projections (table_name, projection, version, columns, position, state, generation)
         VALUES (?, ?, ?, ?, 0, ?, ?)`,
        name,
        plan.name,
        plan.version,
        plan.fingerprint,
        state,
        generation,
      );
      return generation;
    });
  }
}

/** `views-survey.ts` looks for it. */
function faultKey(generation: number): string {
  return `fault ${generation}`;
}

/** How a query begins; `with` may begin a change too, which a reading connection refuses. */
const READING: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'VALUES']);

/** What a connection needs before it can write to a table. */
function writingSql(table: string, generation: number, { shape }: ProjectionPlan): string {
  return `${hasReals(shape) ? CREATE_POWERS : ''}${createApplyView(table, generation, shape)}`;
}

/** The apply view goes first: SQLite would find that it leads to nowhere. */
async function dropTable(session: SqliteSession, table: string): Promise<void> {
  const rows = await session.all<{ generation: number }>(
    'SELECT generation FROM troupe_projections WHERE lower(table_name) = lower(?)',
    table,
  );
  const views = rows.map(({ generation }) => dropApplyView(generation)).join(' ');
  await session.exec(`${views} DROP TABLE IF EXISTS ${quoted(table)}`);
  for (const { generation } of rows) {
    await session.run('DELETE FROM troupe_views WHERE key = ?', faultKey(generation));
  }
  await session.run('DELETE FROM troupe_projections WHERE lower(table_name) = lower(?)', table);
}
