/**
 * The exact totals of `retail`, counted a second way: another parser, another arithmetic, nothing shared with the
 * scenario. For CSV files without bad rows.
 *
 * As a program: `node dist/test/retail/independent-totals.js FILE.csv[.gz]` prints them as one line of JSON.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

export interface IndependentTotals {
  readonly totals: Readonly<Record<string, number>>;
  /** By stock code: sold, returned, adjusted. */
  readonly codes: ReadonlyMap<string, readonly [number, number, number]>;
  /** Pounds ordered, in mills, by country. */
  readonly countries: ReadonlyMap<string, number>;
}

export function independentTotals(file: string): IndependentTotals {
  const bytes = readFileSync(file);
  const table = cells(file.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString());
  const sums = {
    rows: 0n,
    rejectedRows: 0n,
    orders: 0n,
    orderLines: 0n,
    unitsSold: 0n,
    salesMills: 0n,
    returns: 0n,
    returnLines: 0n,
    unitsReturned: 0n,
    refundsMills: 0n,
    stockAdjustments: 0n,
    unitsAdjusted: 0n,
    ledgerAdjustments: 0n,
    paymentsProcessed: 0n,
    ordersShipped: 0n,
    emailsSent: 0n,
  };
  const invoices = { orders: new Set<string>(), returns: new Set<string>() };
  const codes = new Map<string, [number, number, number]>();
  const countries = new Map<string, number>();
  table.next();
  for (const [invoice = '', sku = '', , quantity = '', , price = '', , country = ''] of table) {
    sums.rows += 1n;
    const pieces = BigInt(quantity);
    const size = pieces < 0n ? -pieces : pieces;
    const value = size * mills(price);
    const code = codes.get(sku) ?? [0, 0, 0];
    if (invoice[0] === 'A') {
      sums.ledgerAdjustments += 1n;
      continue;
    }
    codes.set(sku, code);
    if (invoice[0] === 'C') {
      invoices.returns.add(invoice);
      sums.returnLines += 1n;
      sums.unitsReturned += size;
      sums.refundsMills += value;
      code[1] += Number(size);
    } else if (pieces > 0n) {
      invoices.orders.add(invoice);
      sums.orderLines += 1n;
      sums.unitsSold += size;
      sums.salesMills += value;
      code[0] += Number(size);
      countries.set(country, (countries.get(country) ?? 0) + Number(value));
    } else {
      sums.stockAdjustments += 1n;
      sums.unitsAdjusted += pieces;
      code[2] += Number(pieces);
    }
  }
  sums.orders = sums.paymentsProcessed = sums.ordersShipped = BigInt(invoices.orders.size);
  sums.returns = BigInt(invoices.returns.size);
  sums.emailsSent = sums.orders + sums.returns;
  return {
    totals: Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, Number(value)])),
    codes,
    countries,
  };
}

/** `2.5` → 2500, by moving the point three places. */
function mills(price: string): bigint {
  const [whole = '', part = ''] = price.split('.');
  return BigInt(`${whole}${`${part}000`.slice(0, 3)}`);
}

/** Rows of cells, character by character. */
function* cells(text: string): Generator<string[]> {
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (letter === '"') {
      if (quoted && text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = !quoted;
    } else if (quoted || (letter !== ',' && letter !== '\n')) {
      if (quoted || letter !== '\r') cell += letter;
    } else {
      row.push(cell);
      cell = '';
      if (letter === '\n') {
        yield row;
        row = [];
      }
    }
  }
  if (cell !== '' || row.length > 0) yield [...row, cell];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(JSON.stringify(independentTotals(process.argv[2] ?? '').totals));
}
