/** The rows as a plain fold of the log has them, written without any projection. */
import type { ActorSystem } from 'troupe';
import { type Placed, PRICES } from './shop.js';

export interface PlainFold {
  readonly sales: readonly unknown[];
  readonly openOrders: readonly unknown[];
  readonly customers: readonly unknown[];
  readonly events: number;
}

export async function foldLog(system: ActorSystem): Promise<PlainFold> {
  const sales = new Map<string, { orders: number; units: number; revenue: number; cancelled: number }>();
  const open = new Map<string, Placed>();
  const customers = new Map<string, { spent: number; bought: Record<string, number> }>();
  let events = 0;
  for await (const { type, aggregateId, data } of system.readAll()) {
    events += 1;
    // Both types of event hold what was placed.
    const { product, quantity, customer } = data as Placed;
    const sign = type === 'order.placed' ? 1 : -1;
    const row = sales.get(product) ?? { orders: 0, units: 0, revenue: 0, cancelled: 0 };
    sales.set(product, row);
    const purse = customers.get(customer) ?? { spent: 0, bought: {} };
    customers.set(customer, purse);
    row.orders += sign === 1 ? 1 : 0;
    row.cancelled += sign === 1 ? 0 : quantity;
    row.units += sign * quantity;
    row.revenue += sign * quantity * (PRICES[product] ?? 0);
    purse.spent += sign * quantity * (PRICES[product] ?? 0);
    purse.bought[product] = (purse.bought[product] ?? 0) + sign * quantity;
    if (sign === 1) open.set(aggregateId, { product, quantity, customer });
    else open.delete(aggregateId);
  }
  return {
    sales: rowsOf(sales, 'product'),
    openOrders: rowsOf(open, 'id'),
    customers: rowsOf(customers, 'customer'),
    events,
  };
}

function rowsOf(rows: ReadonlyMap<string, object>, key: string): readonly unknown[] {
  return Array.from(rows, ([name, row]) => ({ [key]: name, ...row })).toSorted((one, other) =>
    Reflect.get(one, key) < Reflect.get(other, key) ? -1 : 1,
  );
}
