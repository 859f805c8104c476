/** What stands in a views file: tables, how far they are, how large, and what stopped them. For tools; reads only. */
import { SqliteConnection } from '../journal/sqlite-connection.js';
import { quoted } from './sqlite-view-schema.js';

/** A table of the views file. */
export interface SurveyedTable {
  readonly name: string;
  readonly table: string;
  readonly version: number;
  /** `building`: beside the live one, to take its place. */
  readonly state: 'live' | 'building';
  readonly position: number;
  readonly rows: number;
  /** Of the table and its indexes. */
  readonly bytes: number;
  /** What has stopped it, the last time that it ran. */
  readonly fault: { readonly position: number; readonly error: string } | null;
}

/** The tables of a file, and the journal that it belongs to. */
export interface ViewsSurvey {
  readonly identity: string;
  readonly tables: readonly SurveyedTable[];
}

interface CatalogRow {
  readonly table_name: string;
  readonly projection: string;
  readonly version: number;
  readonly position: number;
  readonly state: 'live' | 'building';
  readonly fault: string | null;
}

/** All of it belongs to one moment, also while a system writes. */
export async function surveyViews(path: string): Promise<ViewsSurvey> {
  const connection = await SqliteConnection.open(path, { mode: 'write', pragmas: ['query_only = 1'] });
  try {
    await connection.exec('BEGIN');
    const identity = await connection.get<{ value: string }>("SELECT value FROM troupe_views WHERE key = 'journal'");
    const catalog = await connection.all<CatalogRow>(
      `SELECT table_name, projection, version, position, state,
         (SELECT value FROM troupe_views WHERE key = 'fault ' || generation) AS fault
       FROM troupe_projections JOIN sqlite_schema ON type = 'table' AND lower(name) = lower(table_name)
       ORDER BY projection, state DESC`,
    );
    const tables: SurveyedTable[] = [];
    for (const { table_name: table, projection: name, version, position, state, fault } of catalog) {
      const rows = await connection.get<{ count: number }>(`SELECT count(*) AS count FROM ${quoted(table)}`);
      const size = await connection.get<{ bytes: number }>(
        `SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat
         WHERE aggregate = TRUE AND name IN (SELECT name FROM sqlite_schema WHERE lower(tbl_name) = lower(?))`,
        table,
      );
      tables.push({
        name,
        table,
        version,
        state,
        position,
        rows: rows?.count ?? 0,
        bytes: size?.bytes ?? 0,
        // Written by sqlite-views.ts.
        fault: fault === null ? null : (JSON.parse(fault) as SurveyedTable['fault']),
      });
    }
    return { identity: identity?.value ?? '', tables };
  } finally {
    await connection.close();
  }
}
