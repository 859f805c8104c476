/** The read models of `cqrs`: two from the beginning, a third that comes later, and a second version of the first. */
import { projection } from 'troupe';
import { order, PRICES } from './shop.js';

/** Sales by product. Every row has to satisfy: revenue = units x price. */
export const sales = projection({
  name: 'sales',
  of: [order],
  columns: { product: 'text primary key', orders: 'integer', units: 'integer', revenue: 'integer' },
  key: (event) => event.data.product,
  on: {
    'order.placed': (row = { orders: 0, units: 0, revenue: 0 }, { data }) => ({
      orders: row.orders + 1,
      units: row.units + data.quantity,
      revenue: row.revenue + data.quantity * (PRICES[data.product] ?? 0),
    }),
    'order.cancelled': (row, { data }) =>
      row && {
        ...row,
        units: row.units - data.quantity,
        revenue: row.revenue - data.quantity * (PRICES[data.product] ?? 0),
      },
  },
});

/** The same by another schema: cancelled units in a column of their own, and an index. */
export const salesWithCancelled = projection({
  name: 'sales',
  version: 2,
  of: [order],
  columns: {
    product: 'text primary key',
    orders: 'integer',
    units: 'integer',
    revenue: 'integer',
    cancelled: 'integer null',
  },
  indexes: [['revenue']],
  key: (event) => event.data.product,
  on: {
    'order.placed': (row = { orders: 0, units: 0, revenue: 0, cancelled: 0 }, { data }) => ({
      ...row,
      orders: row.orders + 1,
      units: row.units + data.quantity,
      revenue: row.revenue + data.quantity * (PRICES[data.product] ?? 0),
    }),
    'order.cancelled': (row, { data }) =>
      row && {
        ...row,
        units: row.units - data.quantity,
        revenue: row.revenue - data.quantity * (PRICES[data.product] ?? 0),
        cancelled: (row.cancelled ?? 0) + data.quantity,
      },
  },
});

/** Orders that are open: a row comes with one type of event and goes with another. */
export const openOrders = projection({
  name: 'open-orders',
  of: [order],
  columns: { id: 'text primary key', customer: 'text', product: 'text', quantity: 'integer' },
  indexes: [['customer']],
  key: (event) => event.aggregateId,
  on: {
    'order.placed': (_row, { data }) => ({ customer: data.customer, product: data.product, quantity: data.quantity }),
    'order.cancelled': () => null,
  },
});

/** What customers have bought, by product, as a json column. */
export const customers = projection({
  name: 'customers',
  of: [order],
  columns: { customer: 'text primary key', spent: 'integer', bought: 'json' },
  key: (event) => event.data.customer,
  on: {
    'order.placed': (row = { spent: 0, bought: {} }, { data }) => bought(row, data.product, data.quantity),
    'order.cancelled': (row = { spent: 0, bought: {} }, { data }) => bought(row, data.product, -data.quantity),
  },
});

interface Purse {
  readonly spent: number;
  readonly bought: unknown;
}

function bought(row: Purse, product: string, quantity: number): Purse {
  // The column holds nothing but what this function has returned.
  const before = row.bought as Readonly<Record<string, number>>;
  return {
    spent: row.spent + quantity * (PRICES[product] ?? 0),
    bought: { ...before, [product]: (before[product] ?? 0) + quantity },
  };
}
