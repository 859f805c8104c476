/**
 * A projection as the engine works with it: its definition, checked against what a table can be.
 */
import { TroupeError } from '../core/troupe-error.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { RuntimeColumn } from './columns.js';
import type { ProjectionSettings, RuntimeProjection } from './projection-definition.js';
import { RowShape } from './row-shape.js';
import { RESERVED_PREFIXES, type TablePlan } from './sqlite-view-schema.js';

export interface ProjectionPlan extends TablePlan {
  readonly name: string;
  readonly table: string;
  readonly version: number;
  /** What the table is made of, as JSON text; a build with another one is another build. */
  readonly fingerprint: string;
  /** Types of the events that it handles. */
  readonly types: ReadonlySet<string>;
  readonly key: ProjectionSettings['key'];
  readonly on: ProjectionSettings['on'];
  readonly sql: ProjectionSettings['sql'];
  readonly whenFailed: ProjectionSettings['whenFailed'];
  readonly unknownEvents: ProjectionSettings['unknownEvents'];
  /** Whether an event with one of the types is meant. */
  means(event: RecordedEvent): boolean;
}

/** @throws TROUPE_INVALID_OPTIONS when the table's name is taken by the runtime, or a column hides it from statements. */
export function planProjection({ name, options }: RuntimeProjection): ProjectionPlan {
  const { table, version, columns, indexes, key, on, sql, of, whenFailed, unknownEvents } = options;
  const owner = `projection ${name}`;
  for (const prefix of RESERVED_PREFIXES) {
    if (table.toLowerCase().startsWith(prefix)) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `${owner}: names of tables may not begin with ${prefix}; choose another name`,
      );
    }
  }
  if (columns.some((column) => column.primaryKey && column.type === 'json')) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${owner}: a key column can't be of type json, which has no order and no equality; make it text, integer or real`,
    );
  }
  const statements = sql.size > 0;
  const hiding = statements && columns.find((column) => column.name.toLowerCase() === table.toLowerCase());
  if (hiding) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${owner}: column ${hiding.name} has the name of the table, so statements in "sql" could mean either; rename the column`,
    );
  }
  const aggregates = of === undefined ? undefined : new Set(of.map((source) => source.name));
  return {
    name,
    table,
    version,
    shape: new RowShape(columns),
    indexes,
    statements,
    fingerprint: encodeLayout({ columns, indexes, statements }),
    types: new Set([...on.keys(), ...sql.keys()]),
    key,
    on,
    sql,
    whenFailed,
    unknownEvents,
    means: aggregates === undefined ? () => true : (event) => aggregates.has(event.aggregate),
  };
}

/**
 * The plans of a system's projections.
 *
 * @throws TROUPE_INVALID_OPTIONS when two of them need a table of the same name; SQLite doesn't tell upper from lower case.
 */
export function planProjections(definitions: readonly RuntimeProjection[]): ProjectionPlan[] {
  const owners = new Map<string, string>();
  return definitions.map((definition) => {
    const plan = planProjection(definition);
    const table = plan.table.toLowerCase();
    const owner = owners.get(table);
    if (owner !== undefined) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `projections ${owner} and ${plan.name} both need the table ${plan.table} ('-' and '.' become '_'); rename one of them`,
        { details: { projections: [owner, plan.name], table: plan.table } },
      );
    }
    owners.set(table, plan.name);
    return plan;
  });
}

interface Layout {
  readonly columns: readonly RuntimeColumn[];
  readonly indexes: readonly (readonly string[])[];
  readonly statements: boolean;
}

function encodeLayout({ columns, indexes, statements }: Layout): string {
  return JSON.stringify({
    columns: columns.map(({ name, type, primaryKey, notNull }) => ({ name, type, primaryKey, notNull })),
    indexes,
    statements,
  });
}

/** The columns of a build, from its fingerprint in the views file. */
export function decodeColumns(fingerprint: string): readonly RuntimeColumn[] {
  // Written by `encodeLayout` above.
  return (JSON.parse(fingerprint) as Layout).columns;
}
