/**
 * The shipped trading day, 2011-12-05, as the orders that were placed on it: real amounts for stories that need some.
 */
import { fileURLToPath } from 'node:url';
import type { Invoice } from '../retail/invoice-book.js';
import { readInvoices } from '../retail/read-invoices.js';

/** Seen from where this file is compiled to, `dist/scenarios/trading-day/`. */
const DAY = new URL('../../../scenarios/data/online-retail-2011-12-05.csv', import.meta.url);

/** An order as its invoice has it. */
export interface DayOrder {
  readonly number: string;
  readonly at: number;
  readonly country: string;
  readonly customer: string;
  readonly lines: Invoice['lines'];
  readonly totalMills: number;
}

/** The first `count` orders of the day, in order of time. */
export async function readDay(count = Infinity): Promise<DayOrder[]> {
  const { book } = await readInvoices(fileURLToPath(DAY), () => undefined);
  const orders = book.close().filter(({ kind }) => kind === 'order');
  return orders.slice(0, count).map(({ number, at, country, customerId, lines }) => ({
    number,
    at,
    country,
    customer: customerId ?? 'guest',
    lines,
    totalMills: lines.reduce((sum, { quantity, priceMills }) => sum + quantity * priceMills, 0),
  }));
}
