/**
 * What the journal says happened, from its read models alone: the driver's own counts stay out of it.
 */
import type { ActorSystem } from 'troupe';
import { stock } from '../../actors/inventory/stock.js';
import { totals } from '../../actors/totals.js';
import type { ExactTotal } from './expected-totals.js';

export type RecordedTotal = ExactTotal | 'unitsReplenished' | 'unitsOnHand';

export interface StockRow {
  readonly sku: string;
  readonly replenished: number;
  readonly sold: number;
  readonly returned: number;
  readonly adjusted: number;
  readonly on_hand: number;
}

export interface Recorded {
  readonly totals: Readonly<Record<RecordedTotal, number>>;
  readonly usersRegistered: number;
  readonly stock: readonly StockRow[];
}

/** The read models have to be caught up. */
export async function readRecorded(system: ActorSystem): Promise<Recorded> {
  const counted = new Map((await system.view(totals).find()).map(({ metric, value }) => [metric, value]));
  const rows = await system.view(stock).find({ orderBy: { sku: 'asc' } });
  const count = (metric: string) => counted.get(metric) ?? 0;
  const pieces = (column: Exclude<keyof StockRow, 'sku'>) => rows.reduce((sum, row) => sum + row[column], 0);
  return {
    stock: rows,
    usersRegistered: count('usersRegistered'),
    totals: {
      orders: count('orders'),
      orderLines: count('orderLines'),
      unitsSold: pieces('sold'),
      salesMills: count('salesMills'),
      returns: count('returns'),
      returnLines: count('returnLines'),
      unitsReturned: pieces('returned'),
      refundsMills: count('refundsMills'),
      stockAdjustments: count('stockAdjustments'),
      unitsAdjusted: pieces('adjusted'),
      ledgerAdjustments: count('ledgerAdjustments'),
      paymentsProcessed: count('paymentsProcessed'),
      ordersShipped: count('ordersShipped'),
      emailsSent: count('emailsSent'),
      unitsReplenished: pieces('replenished'),
      unitsOnHand: pieces('on_hand'),
    },
  };
}
