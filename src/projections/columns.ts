/**
 * Columns of a read model, written as SQL has them: `'text primary key'`, `'integer'`, `'text null'`.
 *
 * They give the table and the type of its rows. A column may be null only if it says so; SQLite itself enforces
 * that only where `not null` stands, so that JavaScript may leave columns out. Every table has one key column.
 */
import type { OptionReader } from '../core/option-reader.js';

type Either<Text extends string> = Text | Uppercase<Text>;
type Kind = Either<'text' | 'integer' | 'real' | 'json'>;
type Constraint = Either<'primary key' | 'not null' | 'null'>;

/** A column: its type, then perhaps `primary key`, `not null` or `null`, in lower or upper case. */
export type ColumnDefinition = Kind | `${Kind} ${Constraint}`;

/** Columns by name. */
export type Columns = Readonly<Record<string, ColumnDefinition>>;

/** The values of a column: text as string, integer and real as number, json as any JSON value. */
export type ColumnValue<Column> = Column extends string
  ?
      | KindValue<Lowercase<Column>>
      | (Lowercase<Column> extends `${string} null` ? (IsNotNull<Column> extends true ? never : null) : never)
  : never;
type KindValue<Column extends string> = Column extends `text${string}`
  ? string
  : Column extends `integer${string}` | `real${string}`
    ? number
    : unknown;
type IsNotNull<Column extends string> = Lowercase<Column> extends `${string} not null` ? true : false;

/** Name of the key column. */
export type KeyColumn<C> = {
  [Name in keyof C]: C[Name] extends string
    ? Lowercase<C[Name]> extends `${string} primary key`
      ? Name
      : never
    : never;
}[keyof C];

/** A row as it is read. */
export type Row<C> = { readonly [Name in keyof C]: ColumnValue<C[Name]> };

/** A row as handlers get and return it: the key column is filled in, and may be left out. */
export type NewRow<C> = { readonly [Name in Exclude<keyof C, KeyColumn<C>>]: ColumnValue<C[Name]> } & {
  readonly [Name in KeyColumn<C>]?: ColumnValue<C[Name]>;
};

/** A column, as the runtime uses it. */
export interface RuntimeColumn {
  readonly name: string;
  readonly type: 'text' | 'integer' | 'real' | 'json';
  readonly primaryKey: boolean;
  readonly notNull: boolean;
}

const COLUMN = /^(text|integer|real|json)(?: +(primary +key|not +null|null))?$/;
const COLUMN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/**
 * The columns, in the order written.
 *
 * @throws TROUPE_INVALID_OPTIONS for unusable names and types, and unless exactly one column is the primary key.
 */
export function readColumns(options: OptionReader): readonly RuntimeColumn[] {
  const given = options.required('columns');
  const columns = given.keys().map((name) => readColumn(given, name));
  const keys = columns.filter((column) => column.primaryKey);
  if (keys.length !== 1) {
    const found = keys.length === 0 ? 'none is' : `${keys.map((column) => column.name).join(' and ')} are`;
    throw options.refusal('columns', `make exactly one column the key, such as { id: 'text primary key' }; ${found}`);
  }
  return Object.freeze(columns);
}

function readColumn(given: OptionReader, name: string): RuntimeColumn {
  if (!COLUMN_NAME.test(name))
    throw given.refusal(name, 'name columns with 1 to 63 letters, digits or _, no digit first');
  if (name in {}) throw given.refusal(name, 'rename it: every object of JavaScript has a field of this name');
  // SQLite doesn't tell upper from lower case in names.
  const twin = given.keys().find((other) => other !== name && other.toLowerCase() === name.toLowerCase());
  if (twin !== undefined) throw given.refusal(name, `rename it: SQLite takes it for "${twin}"`);
  const value = given.value(name);
  const match = typeof value === 'string' ? COLUMN.exec(value.trim().toLowerCase()) : null;
  if (match === null) {
    throw given.refusal(
      name,
      "give 'text', 'integer', 'real' or 'json', if need be with 'primary key', 'not null' or 'null' behind it",
    );
  }
  const constraint = match[2]?.replace(/ +/, ' ');
  return Object.freeze({
    name,
    // The pattern has matched, and its first group is one of the four types.
    type: match[1] as RuntimeColumn['type'],
    primaryKey: constraint === 'primary key',
    notNull: constraint === 'primary key' || constraint === 'not null',
  });
}
