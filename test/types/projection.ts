/** Types of `projection()`: rows by `columns`, events by `of`. */
import { z } from 'zod';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import {
  type KeyOf,
  projection,
  type RowOf,
  type RuntimeProjection,
} from '../../src/projections/projection-definition.js';
import { type Equal, expectTrue, expectType } from './expect-type.js';
import { order, sale, salesByCountry, shipment, tally } from './shop.js';

const basket = aggregate({
  name: 'basket',
  initialState: () => 0,
  events: { 'basket.filled': { schema: z.object({ skus: z.array(z.string()) }), apply: (state) => state } },
});

export const erased: RuntimeProjection = salesByCountry;
expectTrue<Equal<(typeof salesByCountry)['name'], 'sales-by-country'>>();
expectTrue<
  Equal<RowOf<typeof salesByCountry>, { readonly country: string; readonly orders: number; readonly total: number }>
>();
expectTrue<Equal<KeyOf<typeof salesByCountry>, string>>();
expectTrue<Equal<RowOf<RuntimeProjection>, Readonly<Record<string, unknown>>>>();

// Every kind of column, in lower or upper case; only what says `null` may be null.
const kinds = projection({
  name: 'kinds',
  of: [order, shipment],
  columns: {
    id: 'integer primary key',
    name: 'TEXT NOT NULL',
    note: 'text null',
    weight: 'real',
    height: 'REAL NULL',
    extra: 'json',
    lines: 'json not null',
  },
  key: (event) => event.position,
  on: {
    'order.shipped': (row, event, key) => {
      expectType<number>()(key);
      expectType<number>()(event.data.at);
      if (row === undefined) return undefined;
      expectType<string | null>()(row.note);
      expectType<number | undefined>()(row.id);
      return { ...row, note: null };
    },
    'shipment.sent': () => null,
    'order.noted': (row) => row && { ...row, extra: { any: ['thing'] } },
  },
});
expectTrue<
  Equal<
    RowOf<typeof kinds>,
    {
      readonly id: number;
      readonly name: string;
      readonly note: string | null;
      readonly weight: number;
      readonly height: number | null;
      readonly extra: unknown;
      readonly lines: unknown;
    }
  >
>();

// One key, several, or none; a field that only some events have reads as undefined.
projection({
  name: 'keys',
  of: [sale, basket],
  columns: { id: 'text primary key' },
  key: (event) => {
    expectType<string | undefined>()(event.data.country);
    // @ts-expect-error no event has this field
    void event.data.city;
    if (event.type === 'sale.undone') return event.data.reason;
    if (event.type === 'basket.filled') return event.data.skus;
    return undefined;
  },
  on: { 'sale.made': () => ({}), 'basket.filled': () => ({}), 'sale.undone': () => null },
});

// Statements, for what rows can't say.
projection({
  name: 'statements',
  of: [sale],
  columns: { country: 'text primary key', total: 'integer' },
  sql: { 'sale.made': (event) => [['update statements set total = total + ?', event.data.total], ['select 1']] },
});

// Without `of`, as in JavaScript, any type of event may be handled.
projection({
  name: 'loose',
  columns: { type: 'text primary key', count: 'integer' },
  key: (event) => event.type,
  on: { anything: (row = { count: 0 }, event) => ({ count: row.count + (event.data === null ? 0 : 1) }) },
});

// What doesn't compile.
const columns = { id: 'text primary key', count: 'integer' } as const;
projection({
  name: 'no-column',
  of: [sale],
  columns,
  key: (event) => event.aggregateId,
  // @ts-expect-error a column is missing
  on: { 'sale.made': () => ({}) },
});
projection({
  name: 'wrong-column',
  of: [sale],
  columns,
  key: (event) => event.aggregateId,
  // @ts-expect-error a number, not a text
  on: { 'sale.made': () => ({ count: 'one' }) },
});
projection({
  name: 'null-column',
  of: [sale],
  columns,
  key: (event) => event.aggregateId,
  // @ts-expect-error the column doesn't say that it may be null
  on: { 'sale.made': () => ({ count: null }) },
});
projection({
  name: 'unknown-event',
  of: [sale],
  columns,
  key: (event) => event.aggregateId,
  // @ts-expect-error no such event
  on: { 'sale.mode': () => ({ count: 1 }) },
});
projection({
  name: 'unknown-statement',
  of: [sale],
  columns,
  // @ts-expect-error no such event
  sql: { 'sale.mode': () => [] },
});
projection({
  name: 'wrong-key',
  of: [sale],
  columns,
  // @ts-expect-error the key column is a text
  key: (event) => event.position,
  on: { 'sale.made': () => ({ count: 1 }) },
});
projection({
  name: 'unknown-field',
  of: [sale],
  columns,
  // @ts-expect-error no event has this field
  key: (event) => event.data.city,
  on: { 'sale.made': () => ({ count: 1 }) },
});
// @ts-expect-error no such type of column
projection({ name: 'type', of: [sale], columns: { id: 'varchar primary key' }, sql: {} });
// @ts-expect-error no such column
projection({ name: 'index', of: [sale], columns, indexes: [['total']], sql: {} });
// @ts-expect-error actors have no events
projection({ name: 'source', of: [tally], columns, sql: {} });
