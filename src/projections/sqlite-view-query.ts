/**
 * Queries on the rows of a projection as SQL: conditions, order, limit.
 *
 * Every value is bound, and every column has to be one of the definition's; nothing that a caller gives stands in
 * the text. While an older version of the table answers, columns that it
 * lacks, or has with another type, read as null.
 */
import { suggestion } from '../core/did-you-mean.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { SqliteValue } from '../journal/sqlite-connection.js';
import type { RuntimeColumn } from './columns.js';
import type { RowShape } from './row-shape.js';
import { quoted } from './sqlite-view-schema.js';

/** Conditions by column; all of them have to hold. */
export type RowConditions = Readonly<Record<string, unknown>>;

/** What `find` selects. */
export interface RowQuery {
  readonly where?: RowConditions | undefined;
  readonly orderBy?: Readonly<Record<string, unknown>> | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** A query with its parameters. */
export interface BoundQuery {
  readonly text: string;
  readonly params: readonly SqliteValue[];
}

/** The table that is asked: its name, and the columns that it has. */
export interface QueriedTable {
  readonly name: string;
  readonly columns: readonly RuntimeColumn[];
}

/** @throws TROUPE_INVALID_OPTIONS naming what can't be asked for, and what can. */
export function selectMatching(shape: RowShape, table: QueriedTable, query: RowQuery): BoundQuery {
  const asking = new Asking(shape, table);
  const columns = shape.names.map((name) => `${asking.column(name)} AS ${quoted(name)}`).join(', ');
  const where = asking.where(query.where);
  const order = asking.order(query.orderBy);
  const limit = asking.limit(query.limit, query.offset);
  return {
    text: `SELECT ${columns} FROM ${quoted(table.name)}${where} ORDER BY ${order}${limit}`,
    params: asking.params,
  };
}

/** @throws TROUPE_INVALID_OPTIONS naming what can't be asked for, and what can. */
export function countMatching(shape: RowShape, table: QueriedTable, where: RowConditions | undefined): BoundQuery {
  const asking = new Asking(shape, table);
  const text = `SELECT count(*) AS count FROM ${quoted(table.name)}${asking.where(where)}`;
  return { text, params: asking.params };
}

const COMPARISONS: Readonly<Record<string, string>> = {
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  ne: 'IS NOT',
  like: 'LIKE',
};

/** One query in the making: its parameters, in the order of the text. */
class Asking {
  readonly params: SqliteValue[] = [];
  readonly #shape: RowShape;
  readonly #present: ReadonlySet<string>;

  constructor(shape: RowShape, table: QueriedTable) {
    this.#shape = shape;
    const present = table.columns.filter((column) => isAlike(column, shape.column(column.name)));
    this.#present = new Set(present.map((column) => column.name));
  }

  /** A column of the definition as SQL. */
  column(name: string): string {
    return this.#present.has(name) ? quoted(name) : 'NULL';
  }

  where(conditions: RowConditions | undefined): string {
    if (conditions === undefined) return '';
    if (typeof conditions !== 'object' || conditions === null || Array.isArray(conditions)) {
      throw refusal(`where is ${showValue(conditions)}; give an object, such as { status: 'paid' }`);
    }
    const parts = Object.entries(conditions).map(([name, wanted]) =>
      this.#condition(this.#known(name, 'where'), wanted),
    );
    return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
  }

  /** The key comes last, so that the order is the same each time, and pages neither miss nor repeat a row. */
  order(orderBy: RowQuery['orderBy']): string {
    if (orderBy !== undefined && (typeof orderBy !== 'object' || orderBy === null || Array.isArray(orderBy))) {
      throw refusal(`orderBy is ${showValue(orderBy)}; give an object, such as { total: 'desc' }`);
    }
    let last = 'ASC';
    const parts = Object.entries(orderBy ?? {}).map(([name, direction]) => {
      const column = this.#known(name, 'orderBy');
      if (direction !== 'asc' && direction !== 'desc') {
        throw refusal(`orderBy.${name} is ${showValue(direction)}; give 'asc' or 'desc'`);
      }
      last = direction === 'asc' ? 'ASC' : 'DESC';
      return `${this.column(column.name)} ${last}`;
    });
    if (!Object.hasOwn(orderBy ?? {}, this.#shape.key.name)) parts.push(`${this.column(this.#shape.key.name)} ${last}`);
    return parts.join(', ');
  }

  limit(limit: number | undefined, offset: number | undefined): string {
    for (const [name, value] of Object.entries({ limit, offset })) {
      if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
        throw refusal(`${name} is ${showValue(value)}; give a whole number of 0 or more`);
      }
    }
    if (limit === undefined && offset === undefined) return '';
    // SQLite takes -1 for no limit; an offset alone is none of its forms.
    this.params.push(limit ?? -1, offset ?? 0);
    return ' LIMIT ? OFFSET ?';
  }

  #condition(column: RuntimeColumn, wanted: unknown): string {
    const sql = this.column(column.name);
    if (wanted === null) return `${sql} IS NULL`;
    if (Array.isArray(wanted)) return this.#among(column, sql, wanted);
    if (typeof wanted !== 'object') return `${sql} = ${this.#bound(column, wanted)}`;
    const parts = Object.entries(wanted).map(([operator, value]: [string, unknown]) => {
      const comparison = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
      if (comparison === undefined) {
        const known = Object.keys(COMPARISONS);
        throw refusal(
          `where.${column.name} has the unknown operator "${operator}"${suggestion(operator, known)}; known are ${known.join(', ')}`,
        );
      }
      if (operator === 'ne' && value === null) return `${sql} IS NOT NULL`;
      if (operator === 'like' && column.type !== 'text')
        throw refusal(`where.${column.name}: "like" is for columns of type text`);
      return `${sql} ${comparison} ${this.#bound(column, value)}`;
    });
    if (parts.length === 0)
      throw refusal(
        `where.${column.name} is an empty object; give a value, an array, null, or { gt, gte, lt, lte, ne, like }`,
      );
    return `(${parts.join(' AND ')})`;
  }

  #among(column: RuntimeColumn, sql: string, wanted: readonly unknown[]): string {
    const values = wanted.filter((value) => value !== null);
    const marks = values.map((value) => this.#bound(column, value)).join(', ');
    const among = values.length <= MOST_MARKS ? `${sql} IN (${marks})` : this.#amongMany(sql, values.length);
    return values.length === wanted.length ? among : `(${among} OR ${sql} IS NULL)`;
  }

  /** Statements have room for some 30,000 parameters; many values go as one JSON text. */
  #amongMany(sql: string, count: number): string {
    const values = this.params.splice(this.params.length - count, count);
    this.params.push(JSON.stringify(values));
    return `${sql} IN (SELECT value FROM json_each(?))`;
  }

  #bound(column: RuntimeColumn, value: unknown): string {
    if (column.type === 'json') {
      throw refusal(
        `where.${column.name}: a json column is compared with null only; ask with sql() and json_extract for what is in it`,
      );
    }
    const wanted = column.type === 'text' ? 'string' : 'number';
    if (typeof value !== wanted || Number.isNaN(value)) {
      throw refusal(
        `where.${column.name} is ${showValue(value)}; column ${column.name} (${column.type}) is compared with a ${wanted}`,
      );
    }
    // Just checked: a string or a number.
    this.params.push(value as string | number);
    return '?';
  }

  #known(name: string, where: string): RuntimeColumn {
    const column = this.#shape.column(name);
    if (column !== undefined) return column;
    const { names } = this.#shape;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${where}: there is no column "${name}"${suggestion(name, names)}; known are ${names.join(', ')}`,
      { details: { column: name, known: names } },
    );
  }
}

/** Whether what a column holds is what the definition says. */
function isAlike({ type }: RuntimeColumn, defined: RuntimeColumn | undefined): boolean {
  if (type === defined?.type) return true;
  return NUMBERS.has(type) && defined !== undefined && NUMBERS.has(defined.type);
}

const NUMBERS: ReadonlySet<string> = new Set(['integer', 'real']);

/** Values that are bound one by one. */
const MOST_MARKS = 50;

function refusal(what: string): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', what);
}
