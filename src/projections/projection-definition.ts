/**
 * `projection()`: defines a read model, a table that is kept up to date from events.
 *
 * Event types are inferred from `of`, row types from `columns`; at run time the definition becomes a frozen
 * `RuntimeProjection` with defaults filled in.
 */
import { readDefinition } from '../actors/definition-name.js';
import {
  type EventDataOf,
  type EventOf,
  type EventTypeOf,
  readEventHandlers,
  readSources,
  type Sources,
} from '../actors/event-sources.js';
import type { OptionReader } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { showValue } from '../core/show-value.js';
import {
  type Columns,
  type ColumnValue,
  type KeyColumn,
  type NewRow,
  type Row,
  type RuntimeColumn,
  readColumns,
} from './columns.js';
import type { LooseEvent } from './loose-event.js';
import type { UnknownInProjection } from './unknown-events.js';

/** What a parameter of a statement may be. */
export type SqlValue = string | number | null;

/** One SQL statement and its parameters. */
export type SqlStatement = readonly [statement: string, ...params: readonly SqlValue[]];

// Taken from methods, because parameters of methods are compared bivariantly: without `of` the compiler gives an
// event the type of its key, and then compares that with any text.
type RowHandler<C extends Columns, Event> = {
  handle(row: NewRow<C> | undefined, event: Event, key: ColumnValue<C[KeyColumn<C>]>): NewRow<C> | null | undefined;
}['handle'];
type SqlHandler<Event> = { handle(event: Event): readonly SqlStatement[] }['handle'];

/** Options of `projection()`. The type parameters are inferred from `of` and `columns`. */
export interface ProjectionOptions<Name extends string, Of extends Sources, C extends Columns> {
  /** Unique within a system: 1 to 100 letters, digits, `_`, `.` or `-`, a letter first. Names the table, `-` and `.` as `_`. */
  readonly name: Name;
  /** The aggregates whose events are meant. Without it any type of event may be handled, its data unknown. */
  readonly of?: Of;
  /** Bump it when columns or handlers change: the new version is built beside the old one, then swapped in. Default 1. */
  readonly version?: number;
  /** SQL types by column; exactly one is the primary key. */
  readonly columns: C;
  /** Columns of each index. */
  readonly indexes?: readonly (readonly (keyof C & string)[])[];
  /** Key of the row that an event belongs to: one, several, or undefined to skip the event. Required with `on`. */
  readonly key?: (
    event: LooseEvent<EventOf<Of>>,
  ) => ColumnValue<C[KeyColumn<C>]> | readonly ColumnValue<C[KeyColumn<C>]>[] | undefined;
  /**
   * Handlers by event type, synchronous: the new row, null to delete it, undefined to leave it. An absent row comes
   * as undefined; the key column is filled in.
   */
  readonly on?: {
    readonly [Type in EventTypeOf<Of>]?: RowHandler<C, RecordedEvent<Type, EventDataOf<Of, Type>>>;
  };
  /** For what rows can't say: statements by event type, run in the transaction that moves the checkpoint. */
  readonly sql?: {
    readonly [Type in EventTypeOf<Of>]?: SqlHandler<RecordedEvent<Type, EventDataOf<Of, Type>>>;
  };
  /**
   * What becomes of an event that can't be taken: a handler threw, returned what is no row, or ended its worker twice.
   * `'stop'` (default): the projection stands still in front of it. `'park'`: the rows do without it, and it becomes a
   * dead letter with reason `parked`; retrying that builds the rows anew, with the event in its place.
   */
  readonly whenFailed?: 'stop' | 'park';
  /**
   * What becomes of events whose type no definition of the cast knows, because it was renamed or removed, or newer code
   * wrote it; of the aggregates in `of`, without `of` of any. `'pass'` (default): they are not looked for. `'skip'`: they
   * are passed over and counted (`metrics()`). `'fail'`: `whenFailed` says what follows. Types that the cast knows and
   * this projection doesn't handle are none of them. To look for them the projection reads all events.
   */
  readonly unknownEvents?: UnknownInProjection;
}

/**
 * Defines a read model: a SQLite table that is kept up to date from committed events.
 *
 * Rows and checkpoint are written in one transaction, so each event counts exactly once, across crashes too. The
 * model follows the journal with a delay; `view(projection).caughtUp(position)` waits for it. An event that can't
 * be handled stops the projection, and `health()` shows it.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is missing, unknown or unusable, or a type is none of `of`.
 * @example
 * export const salesByCountry = projection({
 *   name: 'sales-by-country',
 *   of: [order],
 *   columns: { country: 'text primary key', orders: 'integer' },
 *   key: (event) => event.data.country,
 *   on: { 'order.created': (row = { orders: 0 }) => ({ ...row, orders: row.orders + 1 }) },
 * });
 */
export function projection<const Name extends string, const C extends Columns, const Of extends Sources = Sources>(
  options: ProjectionOptions<Name, Of, C>,
): ProjectionDefinition<Name, C> {
  const { name, options: given } = readDefinition('projection', options, OPTION_KEYS);
  const table = name.replace(/[-.]/g, '_');
  if (/^sqlite_/i.test(table))
    throw given.refusal('name', 'choose another one: SQLite keeps names with sqlite_ to itself');
  const sources = readSources(given);
  const columns = readColumns(given);
  // Functions are called as their types in ProjectionOptions say; here those types are erased.
  const on = readEventHandlers(given.nested('on'), sources, '(row, event, key) => row') as ProjectionSettings['on'];
  const sql = readEventHandlers(given.nested('sql'), sources, '(event) => statements') as ProjectionSettings['sql'];
  const key = given.optionalFunction('key', '(event) => key') as ProjectionSettings['key'];
  if (on.size === 0 && sql.size === 0) throw given.refusal('on', 'give handlers in "on", or statements in "sql"');
  if (on.size > 0 && key === undefined)
    throw given.refusal('key', 'say which row an event belongs to, such as (event) => event.aggregateId');
  const settings: ProjectionSettings = Object.freeze({
    table,
    of: sources,
    version: given.integer('version', { min: 1 }, 1),
    columns,
    indexes: readIndexes(given, columns),
    key,
    on,
    sql,
    whenFailed: given.oneOf('whenFailed', ['stop', 'park'], 'stop'),
    unknownEvents: given.oneOf('unknownEvents', ['pass', 'skip', 'fail'], 'pass'),
  });
  const definition: RuntimeProjection = Object.freeze({ kind: 'projection', name, options: settings });
  // The name has just been read from the options, and '~types' exists only for the compiler.
  return definition as ProjectionDefinition<Name, C>;
}

/** A projection's definition with what the compiler knows of it. Made by `projection()`. */
export interface ProjectionDefinition<Name extends string, C> extends RuntimeProjection {
  readonly name: Name;
  readonly '~types'?: { readonly row: Row<C>; readonly key: ColumnValue<C[KeyColumn<C>]> };
}

/** A row of a projection, as its view gives it. */
export type RowOf<P extends RuntimeProjection> =
  NonNullable<P['~types']> extends { readonly row: infer R } ? R : Readonly<Record<string, unknown>>;

/** The key of a projection's rows. */
export type KeyOf<P extends RuntimeProjection> =
  NonNullable<P['~types']> extends { readonly key: infer K } ? K : string | number;

/** A projection's definition, its types erased. */
export interface RuntimeProjection {
  readonly kind: 'projection';
  readonly name: string;
  readonly options: ProjectionSettings;
  /** Only for the compiler; absent at run time. */
  readonly '~types'?: unknown;
}

/** A row whose columns only the run time knows. */
export type RuntimeRow = Readonly<Record<string, unknown>>;

/** Options of a projection, complete. */
export interface ProjectionSettings {
  /** Name of the table; quote it, and the columns, in SQL: they may be keywords. */
  readonly table: string;
  /** When given, only events of these aggregates are meant, also where another one has events of the same type. */
  readonly of: Sources | undefined;
  readonly version: number;
  /** In the order written; exactly one is the primary key. */
  readonly columns: readonly RuntimeColumn[];
  readonly indexes: readonly (readonly string[])[];
  /** Present whenever there are handlers in `on`. What it returns is checked where it is called. */
  readonly key: ((event: RecordedEvent) => unknown) | undefined;
  readonly on: ReadonlyMap<string, (row: RuntimeRow | undefined, event: RecordedEvent, key: unknown) => unknown>;
  readonly sql: ReadonlyMap<string, (event: RecordedEvent) => unknown>;
  readonly whenFailed: 'stop' | 'park';
  readonly unknownEvents: UnknownInProjection;
}

const OPTION_KEYS = ['name', 'of', 'version', 'columns', 'indexes', 'key', 'on', 'sql', 'whenFailed', 'unknownEvents'];

function readIndexes(given: OptionReader, columns: readonly RuntimeColumn[]): ProjectionSettings['indexes'] {
  const advice = "give arrays of column names, such as [['total']]";
  const names = new Set<unknown>(columns.map((column) => column.name));
  return Object.freeze(
    (given.optionalArray('indexes', advice) ?? []).map((index) => {
      if (!Array.isArray(index) || index.length === 0) throw given.refusal('indexes', advice);
      const unknown: unknown = index.find((column) => !names.has(column));
      if (unknown !== undefined) throw given.refusal('indexes', `${advice}; ${showValue(unknown)} is no column`);
      // Every item is one of the column names.
      return Object.freeze([...(index as readonly string[])]);
    }),
  );
}
