/**
 * One row of the Online Retail CSV, as typed values; or what is wrong with it.
 *
 * Prices become integer mills (1/1000 of a pound) digit by digit, never by way of a float. Stock codes and invoice
 * numbers are taken as they stand. Dates are read as UTC.
 */
export const COLUMNS = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

/** Pieces in one row, and mills of one row: far beyond any real one, and sums of thousands still are exact. */
const MAX_QUANTITY = 1_000_000_000;
const MAX_AMOUNT_MILLS = 1_000_000_000_000;

export interface Row {
  readonly invoice: string;
  readonly sku: string;
  readonly description: string;
  readonly quantity: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly priceMills: number;
  readonly customerId: string | null;
  readonly country: string;
}

export type RowKind = 'order' | 'return' | 'stock-adjustment' | 'ledger-adjustment';

/** Which of the four a row is: by the first letter of its invoice, then by the sign of its quantity. */
export function kindOf(invoice: string, quantity: number): RowKind {
  if (invoice.startsWith('C')) return 'return';
  if (invoice.startsWith('A')) return 'ledger-adjustment';
  return quantity > 0 ? 'order' : 'stock-adjustment';
}

/** The row, or a sentence on what is wrong with it. */
export function parseRow(fields: readonly string[]): Row | string {
  if (fields.length !== COLUMNS.length) return `it has ${columns(fields.length)} instead of ${COLUMNS.length}`;
  const [invoice = '', sku = '', description = '', pieces = '', date = '', price = '', customer = '', country = ''] =
    fields;
  if (invoice === '') return 'InvoiceNo is empty';
  if (sku === '') return 'StockCode is empty';
  const quantity = parseQuantity(pieces);
  if (quantity === undefined) return `Quantity ${shown(pieces)} is no whole number up to ${MAX_QUANTITY}`;
  const at = parseDate(date);
  if (at === undefined) return `InvoiceDate ${shown(date)} is no date of the form YYYY-MM-DD HH:MM:SS`;
  const priceMills = parseMills(price);
  if (priceMills === undefined) return `UnitPrice ${shown(price)} is no decimal number with at most 3 decimals`;
  if (Math.abs(quantity * priceMills) > MAX_AMOUNT_MILLS)
    return `Quantity times UnitPrice is ${shown(pieces)} x ${shown(price)}`;
  return {
    invoice,
    sku,
    description,
    quantity,
    at,
    priceMills,
    customerId: customer === '' ? null : customer.replace(/\.0$/, ''),
    country: country === '' ? 'Unspecified' : country,
  };
}

function parseQuantity(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text) + 0; // `-0` becomes 0: JSON has no -0.
  return Math.abs(value) <= MAX_QUANTITY ? value : undefined;
}

/** Exact mills of a decimal number, or undefined when it is none or has more than three decimals. */
export function parseMills(text: string): number | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d{0,3}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, pounds = '', decimals = ''] = match;
  if (pounds === '' && decimals === '') return undefined;
  const mills = Number(pounds + decimals.padEnd(3, '0'));
  if (mills > MAX_AMOUNT_MILLS) return undefined;
  return sign === '-' ? 0 - mills : mills;
}

/** Many rows share a minute; the year has 23,260 of them. Cleared when full, so that no input makes it grow. */
const dates = new Map<string, number>();
const MAX_DATES = 50_000;

/** Epoch milliseconds of `YYYY-MM-DD HH:MM:SS` read as UTC, or undefined when there is no such time. */
export function parseDate(text: string): number | undefined {
  const known = dates.get(text);
  if (known !== undefined) return known;
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return undefined;
  const iso = text.replace(' ', 'T');
  const at = Date.parse(`${iso}Z`);
  // The way back shows days that don't exist: Date.parse takes 30 February for 2 March.
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(iso)) return undefined;
  if (dates.size === MAX_DATES) dates.clear();
  dates.set(Buffer.from(text).toString(), at); // A copy: a slice would keep its whole chunk of the file alive.
  return at;
}

/** A field inside a message: on one line, and not longer than a message may be. */
function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function columns(count: number): string {
  return count === 1 ? '1 column' : `${count} columns`;
}
