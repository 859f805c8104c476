/**
 * What the journal must hold in the end, added up row by row while the file is read.
 *
 * Knows nothing of invoices, commands or services; that is its worth as a check on them.
 */
import { kindOf, type Row } from './row.js';

/** The exact totals: the same for any interleaving, number of workers, repeat, shuffle or resume. */
export const EXACT_TOTALS = [
  'orders',
  'orderLines',
  'unitsSold',
  'salesMills',
  'returns',
  'returnLines',
  'unitsReturned',
  'refundsMills',
  'stockAdjustments',
  'unitsAdjusted',
  'ledgerAdjustments',
  'paymentsProcessed',
  'ordersShipped',
  'emailsSent',
] as const;

export type ExactTotal = (typeof EXACT_TOTALS)[number];

export interface CodeTotals {
  sold: number;
  returned: number;
  adjusted: number;
}

export class ExpectedTotals {
  readonly codes = new Map<string, CodeTotals>();
  readonly #sums = { orderLines: 0, unitsSold: 0, salesMills: 0, returnLines: 0, unitsReturned: 0, refundsMills: 0 };
  readonly #adjustments = { stockAdjustments: 0, unitsAdjusted: 0, ledgerAdjustments: 0 };
  readonly #orders = new Set<string>();
  readonly #returns = new Set<string>();

  add(row: Row): void {
    const { invoice, quantity, priceMills } = row;
    const sums = this.#sums;
    switch (kindOf(invoice, quantity)) {
      case 'order':
        this.#orders.add(invoice);
        sums.orderLines += 1;
        sums.unitsSold += quantity;
        sums.salesMills += quantity * priceMills;
        this.#code(row.sku).sold += quantity;
        break;
      case 'return':
        this.#returns.add(invoice);
        sums.returnLines += 1;
        sums.unitsReturned += Math.abs(quantity);
        sums.refundsMills += Math.abs(quantity) * priceMills;
        this.#code(row.sku).returned += Math.abs(quantity);
        break;
      case 'stock-adjustment':
        this.#adjustments.stockAdjustments += 1;
        this.#adjustments.unitsAdjusted += quantity;
        this.#code(row.sku).adjusted += quantity;
        break;
      case 'ledger-adjustment':
        this.#adjustments.ledgerAdjustments += 1;
        break;
    }
  }

  totals(): Readonly<Record<ExactTotal, number>> {
    const orders = this.#orders.size;
    const returns = this.#returns.size;
    return {
      ...this.#sums,
      ...this.#adjustments,
      orders,
      returns,
      paymentsProcessed: orders,
      ordersShipped: orders,
      emailsSent: orders + returns,
    };
  }

  #code(sku: string): CodeTotals {
    let code = this.codes.get(sku);
    if (code === undefined) {
      code = { sold: 0, returned: 0, adjusted: 0 };
      this.codes.set(Buffer.from(sku).toString(), code);
    }
    return code;
  }
}
