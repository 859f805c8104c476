/**
 * Queries on the rows of a projection as SQL: conditions, order, limit, and pages by key.
 *
 * The key always comes last in the order, so that it is the same each time, and pages neither miss nor repeat a row.
 */
import { showValue } from '../core/show-value.js';
import type { SqliteValue } from '../journal/sqlite-connection.js';
import type { RowShape } from './row-shape.js';
import { type RowConditions, whereSql } from './sqlite-view-conditions.js';
import { quoted } from './sqlite-view-schema.js';
import { type QueriedTable, QueryTerms, refusal, type Term } from './sqlite-view-terms.js';

/** What `find` selects. */
export interface RowQuery {
  readonly where?: RowConditions | undefined;
  readonly orderBy?: Readonly<Record<string, unknown>> | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  /** The last row of the page before. */
  readonly after?: Readonly<Record<string, unknown>> | undefined;
}

/** A query with its parameters. */
export interface BoundQuery {
  readonly text: string;
  readonly params: readonly SqliteValue[];
}

interface Ordering {
  readonly term: Term;
  readonly direction: 'ASC' | 'DESC';
}

/** @throws TROUPE_INVALID_OPTIONS naming what can't be asked for, and what can. */
export function selectMatching(shape: RowShape, table: QueriedTable, query: RowQuery): BoundQuery {
  const terms = new QueryTerms(shape, table);
  const columns = shape.names.map((name) => `${terms.column(name)} AS ${quoted(name)}`).join(', ');
  const order = orderOf(terms, query.orderBy);
  const conditions = [whereSql(terms, query.where), behind(terms, order, query.after)].filter((part) => part !== '');
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const orderBy = order.map(({ term, direction }) => `${term.sql()} ${direction}`).join(', ');
  const limit = limitSql(terms, query.limit, query.offset);
  return {
    text: `SELECT ${columns} FROM ${quoted(table.name)}${where} ORDER BY ${orderBy}${limit}`,
    params: terms.params,
  };
}

/** @throws TROUPE_INVALID_OPTIONS naming what can't be asked for, and what can. */
export function countMatching(shape: RowShape, table: QueriedTable, where: RowConditions | undefined): BoundQuery {
  const terms = new QueryTerms(shape, table);
  const conditions = whereSql(terms, where);
  const text = `SELECT count(*) AS count FROM ${quoted(table.name)}${conditions === '' ? '' : ` WHERE ${conditions}`}`;
  return { text, params: terms.params };
}

function orderOf(terms: QueryTerms, orderBy: RowQuery['orderBy']): Ordering[] {
  if (orderBy !== undefined && (typeof orderBy !== 'object' || orderBy === null || Array.isArray(orderBy))) {
    throw refusal(`orderBy is ${showValue(orderBy)}; give an object, such as { total: 'desc' }`);
  }
  const order = Object.entries(orderBy ?? {}).map(([name, given]): Ordering => {
    const term = terms.term(name, 'orderBy');
    if (given !== 'asc' && given !== 'desc')
      throw refusal(`orderBy.${name} is ${showValue(given)}; give 'asc' or 'desc'`);
    return { term, direction: given === 'asc' ? 'ASC' : 'DESC' };
  });
  const { name } = terms.shape.key;
  if (!Object.hasOwn(orderBy ?? {}, name))
    order.push({ term: terms.term(name, 'orderBy'), direction: order.at(-1)?.direction ?? 'ASC' });
  return order;
}

/**
 * The rows behind another one in this order: greater in the first column, or equal there and greater in the next.
 * SQLite puts rows without a value first, or with `DESC` last.
 */
function behind(terms: QueryTerms, order: readonly Ordering[], after: RowQuery['after']): string {
  if (after === undefined) return '';
  if (typeof after !== 'object' || after === null || Array.isArray(after))
    throw refusal(`after is ${showValue(after)}; give the last row of the page before`);
  const values = order.map(({ term }) => {
    const value = after[term.name];
    if (value !== undefined) return value;
    throw refusal(
      `after has no ${term.name}; give the last row of the page before, or of it what it is ordered by: ${order.map((one) => one.term.name).join(', ')}`,
    );
  });
  const ways = order.map((_, last) => {
    const parts = order.slice(0, last + 1).map(({ term, direction }, i) => {
      const value = values[i] ?? null;
      if (i < last)
        return value === null ? `${term.sql()} IS NULL` : `${term.sql()} = ${terms.bound(term, value, 'after')}`;
      if (value === null) return direction === 'ASC' ? `${term.sql()} IS NOT NULL` : 'FALSE';
      if (direction === 'ASC') return `${term.sql()} > ${terms.bound(term, value, 'after')}`;
      const sql = term.sql();
      return `(${sql} < ${terms.bound(term, value, 'after')} OR ${term.sql()} IS NULL)`;
    });
    return parts.join(' AND ');
  });
  return ways.length === 1 ? (ways[0] ?? '') : `(${ways.map((way) => `(${way})`).join(' OR ')})`;
}

function limitSql(terms: QueryTerms, limit: number | undefined, offset: number | undefined): string {
  for (const [name, value] of Object.entries({ limit, offset })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw refusal(`${name} is ${showValue(value)}; give a whole number of 0 or more`);
    }
  }
  if (limit === undefined && offset === undefined) return '';
  // SQLite takes -1 for no limit; an offset alone is none of its forms.
  return ` LIMIT ${terms.mark(limit ?? -1)} OFFSET ${terms.mark(offset ?? 0)}`;
}
