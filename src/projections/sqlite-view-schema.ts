/**
 * The SQL that makes the tables of the views file, and those of one projection.
 *
 * Names of tables and columns come from definitions; they are quoted here, values are always bound. Rows reach a
 * table through its *apply view*: one INSERT into it, of a batch as JSON, runs a trigger that deletes rows, writes
 * rows and moves the checkpoint. So a batch is one statement, one trip to the driver, and one transaction.
 */
import type { RuntimeColumn } from './columns.js';
import type { RowShape } from './row-shape.js';

/** Marks a views file in its header ("Trpv"), from before the first table on. */
export const APPLICATION_ID = 0x54727076;

/** Layout of the two tables below; a file with another one is rebuilt. */
export const LAYOUT = '1';

/** Tables of a projection may not start like this. */
export const RESERVED_PREFIXES = ['troupe_', 'sqlite_'] as const;

export const CREATE_CATALOG = `
  CREATE TABLE troupe_views (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE troupe_projections (
    table_name TEXT PRIMARY KEY,
    projection TEXT NOT NULL,
    version INTEGER NOT NULL,
    columns TEXT NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'building')),
    generation INTEGER NOT NULL
  ) STRICT;`;

/**
 * Powers of two, for the way in which reals reach a table exactly (`encodeRow`). Doubling and halving is exact,
 * down to the least subnormal number.
 */
export const CREATE_POWERS = `
  CREATE TEMP TABLE IF NOT EXISTS troupe_powers (exponent INTEGER PRIMARY KEY, power REAL NOT NULL);
  INSERT OR IGNORE INTO troupe_powers
    WITH RECURSIVE
      up (e, p) AS (VALUES (0, 1.0) UNION ALL SELECT e + 1, p * 2.0 FROM up WHERE e < 971),
      down (e, p) AS (VALUES (-1, 0.5) UNION ALL SELECT e - 1, p / 2.0 FROM down WHERE e > -1074)
    SELECT e, p FROM up UNION ALL SELECT e, p FROM down;`;

/** A name as SQL text. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL literal, for the places where nothing can be bound. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const STORAGE: Readonly<Record<RuntimeColumn['type'], string>> = {
  text: 'TEXT',
  integer: 'INTEGER',
  real: 'REAL',
  json: 'TEXT',
};

/** What a table of rows is made of. */
export interface TablePlan {
  readonly shape: RowShape;
  readonly indexes: readonly (readonly string[])[];
  /** Whether statements of the user write it; such a table keeps its rowid. */
  readonly statements: boolean;
}

/** Creates the table of a projection, with its indexes; their names carry the generation, so that two tables can stand side by side. */
export function createTable(table: string, plan: TablePlan, generation: number): string {
  const { shape } = plan;
  const columns = shape.columns.map(
    ({ name, type, primaryKey, notNull }) =>
      `${quoted(name)} ${STORAGE[type]}${primaryKey ? ' PRIMARY KEY' : ''}${notNull ? ' NOT NULL' : ''}`,
  );
  // One tree instead of two: the rows stand in the key's own. An integer key is the rowid already.
  const clustered = shape.key.type !== 'integer' && !plan.statements;
  const indexes = plan.indexes.map(
    (names, i) =>
      `CREATE INDEX troupe_index_${generation}_${i + 1} ON ${quoted(table)} (${names.map(quoted).join(', ')});`,
  );
  return `CREATE TABLE ${quoted(table)} (${columns.join(', ')}) STRICT${clustered ? ', WITHOUT ROWID' : ''};\n${indexes.join('\n')}`;
}

/** The apply view of a build. Each build has its own: whoever still writes to an older one finds it gone. */
function applyView(generation: number): string {
  return `troupe_apply_${generation}`;
}

/** Creates the apply view of a table; temporary, so that the file holds nothing but rows. */
export function createApplyView(table: string, generation: number, shape: RowShape): string {
  const view = applyView(generation);
  const name = quoted(table);
  const { key } = shape;
  return `
    ${dropApplyView(generation)}
    CREATE TEMP VIEW ${view} AS SELECT NULL AS rows, NULL AS gone, NULL AS position WHERE 0;
    CREATE TEMP TRIGGER ${view}_insert INSTEAD OF INSERT ON ${view} BEGIN
      DELETE FROM ${name} WHERE ${quoted(key.name)} IN (SELECT ${keyFromJson(key)} FROM json_each(NEW.gone));
      INSERT OR REPLACE INTO ${name} (${shape.columns.map((column) => quoted(column.name)).join(', ')})
        SELECT ${shape.columns.map(cellFromJson).join(', ')} FROM json_each(NEW.rows);
      UPDATE troupe_projections SET position = NEW.position WHERE table_name = ${literal(table)};
    END;`;
}

/** Drops the apply view of a build, and its trigger with it. */
export function dropApplyView(generation: number): string {
  return `DROP VIEW IF EXISTS temp.${applyView(generation)};`;
}

/** Writes a batch: rows as JSON arrays, keys of deleted rows, the checkpoint. */
export function applyBatch(generation: number): string {
  return `INSERT INTO temp.${applyView(generation)} (rows, gone, position) VALUES (?, ?, ?)`;
}

/** Rows by their keys, as one JSON text: reals would lose a bit in it, so a table with reals gives plain rows. */
export function selectRows(table: string, shape: RowShape): string {
  const { key } = shape;
  const from = `FROM ${quoted(table)} WHERE ${quoted(key.name)} IN (SELECT ${keyFromJson(key)} FROM json_each(?))`;
  if (hasReals(shape)) return `SELECT ${shape.columns.map((column) => quoted(column.name)).join(', ')} ${from}`;
  const cells = shape.columns.map(({ name, type }) => (type === 'json' ? `json(${quoted(name)})` : quoted(name)));
  return `SELECT json_group_array(json_array(${cells.join(', ')})) AS rows ${from}`;
}

export function hasReals(shape: RowShape): boolean {
  return shape.columns.some((column) => column.type === 'real');
}

/** The cell of column `i` of a row that `json_each` yields as `value`. */
function cellFromJson(column: RuntimeColumn, i: number): string {
  if (column.type === 'json') return `nullif(value -> ${i}, 'null')`;
  if (column.type !== 'real') return `value ->> ${i}`;
  return `iif(json_type(value, '$[${i}]') = 'array', ${realFrom(`value ->> '$[${i}][0]'`, `value ->> '$[${i}][1]'`)}, value ->> ${i})`;
}

/** The key that `json_each` yields as `value`. */
function keyFromJson(key: RuntimeColumn): string {
  if (key.type !== 'real') return 'value';
  return `iif(type = 'array', ${realFrom('value ->> 0', 'value ->> 1')}, value)`;
}

function realFrom(mantissa: string, exponent: string): string {
  return `(${mantissa}) * (SELECT power FROM troupe_powers WHERE exponent = ${exponent})`;
}
