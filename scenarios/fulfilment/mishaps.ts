/**
 * Orders of a real day, and what is to go wrong with some of them: drawn by the seed, the same for both ways.
 *
 * A mishap is arranged beforehand by commands that any shop has: a code is discontinued, the bank blocks a payment, no
 * carrier takes a parcel. The customer's change of mind comes when an event of the order is committed.
 */
import { fileURLToPath } from 'node:url';
import type { ActorSystem } from 'troupe';
import { inventory, payment, shipment } from '../../actors/services.js';
import type { Invoice } from '../retail/invoice-book.js';
import { readInvoices } from '../retail/read-invoices.js';

/** Seen from where this file is compiled to, `dist/scenarios/fulfilment/`. */
const DAY = new URL('../../../scenarios/data/online-retail-2011-12-05.csv', import.meta.url);

export type Mishap = 'none' | 'out of stock' | 'payment declined' | 'no carrier' | 'customer cancels';

export interface PlannedOrder {
  readonly invoice: Invoice;
  readonly mishap: Mishap;
  /** Type of the event at which the customer cancels. */
  readonly cancelAt: string | undefined;
}

const MISHAPS: readonly Mishap[] = ['out of stock', 'payment declined', 'no carrier', 'customer cancels'];
/** Of so many orders one has a mishap of each kind. */
const ONE_IN = 10;
const CANCEL_AT = ['order.created', 'stock.reserved', 'order.reserved', 'payment.processed', 'order.shipped'];

/** The first orders of the day, each with its fate. There is at least one of each mishap from 5 orders on. */
export async function planOrders(count: number, random: () => number): Promise<PlannedOrder[]> {
  const { book } = await readInvoices(fileURLToPath(DAY), () => undefined);
  const invoices = book
    .close()
    .filter(({ kind }) => kind === 'order')
    .slice(0, count);
  return invoices.map((invoice, index) => {
    const drawn = Math.floor(random() * ONE_IN);
    const mishap = MISHAPS[index < MISHAPS.length ? index : drawn] ?? 'none';
    const cancelAt = CANCEL_AT[Math.floor(random() * CANCEL_AT.length)];
    return { invoice, mishap, cancelAt: mishap === 'customer cancels' ? cancelAt : undefined };
  });
}

/** The stock code that an order lacks. */
function missing({ number }: Invoice): string {
  return `sold-out-${number}`;
}

/** What is sent to create the order. */
export function orderInput({ invoice, mishap }: PlannedOrder) {
  const { customerId, country, at } = invoice;
  const lack = { sku: missing(invoice), quantity: 1, priceMills: 1_000 };
  const lines = mishap === 'out of stock' ? [...invoice.lines, lack] : invoice.lines;
  return { customerId, country, lines, orderedAt: at };
}

/** Arranges what will go wrong; the customers' changes of mind are not arranged. */
export async function arrange(system: ActorSystem, orders: readonly PlannedOrder[]): Promise<void> {
  await Promise.all(
    orders.map(async ({ invoice, mishap }) => {
      if (mishap === 'out of stock') await system.ref(inventory, missing(invoice)).ask('discontinue', {});
      if (mishap === 'payment declined') await system.ref(payment, invoice.number).ask('block', { reason: 'the bank' });
      if (mishap === 'no carrier') await system.ref(shipment, invoice.number).ask('block', { reason: 'a strike' });
    }),
  );
}
