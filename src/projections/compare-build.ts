/**
 * Compares the rows of a read model with a fresh fold of the log up to its checkpoint, row for row.
 *
 * Works beside a running system: rows and checkpoint are read in one transaction, so they belong together however far
 * the system goes on meanwhile. With a changed definition this tells which rows the change will change, before it is
 * deployed: columns that only one of the two has are left out.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { EventPage, EventQuery, Journal } from '../journal/journal.js';
import { SqliteConnection } from '../journal/sqlite-connection.js';
import { EventWindow } from '../streams/event-window.js';
import type { RuntimeProjection } from './projection-definition.js';
import { decodeColumns, planProjection } from './projection-plan.js';
import { Projections } from './projections.js';
import { quoted } from './sqlite-view-schema.js';

/** A row that differs: as it stands in the file, and as the log has it; null where there is none. */
export interface RowDifference {
  readonly key: string | number;
  readonly table: Readonly<Record<string, unknown>> | null;
  readonly fresh: Readonly<Record<string, unknown>> | null;
}

/** What a comparison has found. */
export interface BuildComparison {
  readonly name: string;
  /** Version of the table in the file, and of the definition. */
  readonly version: number;
  readonly definitionVersion: number;
  /** Checkpoint up to which both are folded. */
  readonly position: number;
  readonly rows: number;
  readonly freshRows: number;
  readonly differences: number;
  /** The first of them, by key. */
  readonly examples: readonly RowDifference[];
  /** Columns that only one of the two has. */
  readonly columnsLeftOut: readonly string[];
}

export interface ComparisonOptions {
  /** Path of the views file, `<journal>.views`. */
  readonly viewsPath: string;
  readonly journal: {
    readonly identity: string;
    read(query: EventQuery): Promise<EventPage>;
  };
  /** An event in today's shape. */
  readonly present?: ((event: RecordedEvent) => RecordedEvent) | undefined;
  /** Differences to be shown. Default 10. */
  readonly examples?: number;
}

interface Catalog {
  readonly version: number;
  readonly columns: string;
  readonly position: number;
}

/**
 * @throws TROUPE_INVALID_OPTIONS when the file has no table of this projection; the projection's own error when an
 * event can't be folded.
 */
export async function compareBuild(
  definition: RuntimeProjection,
  options: ComparisonOptions,
): Promise<BuildComparison> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-compare-'));
  const freshPath = join(folder, 'fresh.views');
  // Attached before the transaction begins, which is when it has to be there.
  await writeFile(freshPath, '');
  const connection = await SqliteConnection.open(options.viewsPath, { mode: 'write', pragmas: ['query_only = 1'] });
  try {
    await connection.run('ATTACH ? AS fresh', freshPath);
    await connection.exec('BEGIN');
    return await compare(connection, definition, options, freshPath);
  } finally {
    await connection.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  connection: SqliteConnection,
  definition: RuntimeProjection,
  { journal, present, examples = 10 }: ComparisonOptions,
  freshPath: string,
): Promise<BuildComparison> {
  const plan = planProjection(definition);
  const stored = await connection.get<Catalog>(
    "SELECT version, columns, position FROM main.troupe_projections WHERE lower(table_name) = lower(?) AND state = 'live'",
    plan.table,
  );
  if (stored === undefined) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${connection.path} has no table of projection ${plan.name}; start the system once, or rebuild it`,
      { details: { projection: plan.name } },
    );
  }
  await foldFresh(definition, journal, present, stored.position, freshPath);
  const before = decodeColumns(stored.columns);
  const both = plan.shape.columns.filter(({ name, type }) =>
    before.some((column) => column.name === name && column.type === type),
  );
  const names = new Set([...before, ...plan.shape.columns].map(({ name }) => name));
  for (const { name } of both) names.delete(name);
  const { key } = plan.shape;
  if (!both.some(({ name }) => name === key.name)) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `projection ${plan.name} has another key now (${key.name}); rows of another key can't be compared`,
    );
  }
  const columns = both.map(({ name }) => quoted(name)).join(', ');
  const [table, fresh] = [`main.${quoted(plan.table)}`, `fresh.${quoted(plan.table)}`];
  const differing = `
    SELECT ${quoted(key.name)} AS key FROM (SELECT ${columns} FROM ${table} EXCEPT SELECT ${columns} FROM ${fresh})
    UNION
    SELECT ${quoted(key.name)} FROM (SELECT ${columns} FROM ${fresh} EXCEPT SELECT ${columns} FROM ${table})`;
  const counts = await connection.get<{ differences: number; rows: number; freshRows: number }>(
    `SELECT (SELECT count(*) FROM (${differing})) AS differences,
       (SELECT count(*) FROM ${table}) AS rows, (SELECT count(*) FROM ${fresh}) AS freshRows`,
  );
  const keys = await connection.all<{ key: string | number }>(`${differing} ORDER BY 1 LIMIT ?`, examples);
  const rowIn = async (of: string, value: string | number): Promise<RowDifference['table']> =>
    (await connection.get(`SELECT ${columns} FROM ${of} WHERE ${quoted(key.name)} = ?`, value)) ?? null;
  const shown: RowDifference[] = [];
  for (const { key: value } of keys) {
    shown.push({ key: value, table: await rowIn(table, value), fresh: await rowIn(fresh, value) });
  }
  return {
    name: plan.name,
    version: stored.version,
    definitionVersion: plan.version,
    position: stored.position,
    rows: counts?.rows ?? 0,
    freshRows: counts?.freshRows ?? 0,
    differences: counts?.differences ?? 0,
    examples: shown,
    columnsLeftOut: [...names],
  };
}

/** Builds the table anew in a file of its own, from the events up to a position. */
async function foldFresh(
  definition: RuntimeProjection,
  journal: ComparisonOptions['journal'],
  present: ComparisonOptions['present'],
  position: number,
  viewsPath: string,
): Promise<void> {
  // All that projections use of a journal; it ends at the position.
  const upTo = {
    identity: journal.identity,
    head: position,
    read: async (query: EventQuery): Promise<EventPage> => {
      const { events, searchedTo } = await journal.read(query);
      const within = events.filter((event) => event.position <= position);
      return { events: within, searchedTo: Math.min(searchedTo, position) };
    },
  } as Journal;
  const projections = new Projections({
    journal: upTo,
    window: new EventWindow(position),
    definitions: [definition],
    viewsPath,
    clock: systemClock,
    log: SILENT,
    present,
  });
  try {
    await projections.start();
    await projections.view(definition).caughtUp(position, { timeout: Infinity });
  } finally {
    await projections.stop();
  }
}

const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  // What goes wrong is the error of `caughtUp`.
}
