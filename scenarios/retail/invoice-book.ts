/**
 * All rows of a file, grouped into what the shop is told: orders and returns with all their lines, and adjustments.
 *
 * Nothing here depends on the order of the rows: lines are sorted, times are the earliest of an invoice. So the
 * same rows in any order become the same commands with the same ids, and a repeat is a repeat.
 */
import { kindOf, type Row, type RowKind } from './row.js';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly priceMills: number;
}

/** The rows of one kind under one invoice number; a number with rows of both signs is an order and adjustments. */
export interface Invoice {
  readonly kind: RowKind;
  readonly number: string;
  at: number;
  customerId: string | null;
  country: string;
  readonly lines: Line[];
}

export class InvoiceBook {
  readonly #invoices = new Map<string, Invoice>();
  readonly #strings = new Map<string, string>();
  readonly #descriptions = new Map<string, string>();

  add(row: Row): void {
    const kind = kindOf(row.invoice, row.quantity);
    const key = `${kind}/${row.invoice}`;
    let invoice = this.#invoices.get(key);
    if (invoice === undefined) {
      invoice = {
        kind,
        number: own(row.invoice),
        at: row.at,
        customerId: null,
        country: this.#intern(row.country),
        lines: [],
      };
      this.#invoices.set(own(key), invoice);
    }
    invoice.at = Math.min(invoice.at, row.at);
    // All rows of an invoice name one customer and one country. Should they not, the first in the alphabet holds.
    if (row.customerId !== null && (invoice.customerId === null || row.customerId < invoice.customerId)) {
      invoice.customerId = this.#intern(row.customerId);
    }
    if (row.country < invoice.country) invoice.country = this.#intern(row.country);
    const sku = this.#intern(row.sku);
    invoice.lines.push({ sku, quantity: row.quantity, priceMills: row.priceMills });
    if (row.description !== '' && !this.#descriptions.has(sku))
      this.#descriptions.set(sku, own(row.description.trim()));
  }

  /** How the file first describes a stock code, for people to read. */
  describe(sku: string): string {
    return this.#descriptions.get(sku) ?? sku;
  }

  /** Everything in order of time (then of number), lines sorted. The book keeps the descriptions only. */
  close(): Invoice[] {
    const invoices = [...this.#invoices.values()];
    this.#invoices.clear();
    this.#strings.clear();
    for (const invoice of invoices) invoice.lines.sort(byLine);
    return invoices.sort((a, b) => a.at - b.at || byText(a.number, b.number) || byText(a.kind, b.kind));
  }

  #intern(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const copy = own(text);
    this.#strings.set(copy, copy);
    return copy;
  }
}

function byLine(a: Line, b: Line): number {
  return byText(a.sku, b.sku) || a.quantity - b.quantity || a.priceMills - b.priceMills;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A copy of its own: a field is a slice, and a slice would keep its whole chunk of the file alive. */
function own(text: string): string {
  return Buffer.from(text).toString();
}
