import { expect } from 'chai';
import { ExpectedTotals } from '../../scenarios/retail/expected-totals.js';
import { type Invoice, InvoiceBook } from '../../scenarios/retail/invoice-book.js';
import type { Row } from '../../scenarios/retail/row.js';

const base: Row = {
  invoice: '1',
  sku: 'a',
  description: 'A THING',
  quantity: 1,
  at: 1_000,
  priceMills: 100,
  customerId: '17850',
  country: 'France',
};

function bookOf(...rows: readonly Partial<Row>[]): InvoiceBook {
  const book = new InvoiceBook();
  for (const row of rows) book.add({ ...base, ...row });
  return book;
}

function close(...rows: readonly Partial<Row>[]): Invoice[] {
  return bookOf(...rows).close();
}

describe('an invoice book', () => {
  it('puts scattered rows of one number into one invoice, at the earliest of their times', () => {
    const [one, two, ...more] = close({ at: 3_000 }, { invoice: '2', at: 2_000 }, { sku: 'b', at: 1_500 });
    expect(more).to.deep.equal([]);
    expect(one).to.deep.include({ number: '1', kind: 'order', at: 1_500 });
    expect(one?.lines.map(({ sku }) => sku)).to.deep.equal(['a', 'b']);
    expect(two).to.include({ number: '2' });
  });

  it('makes an order and adjustments of a number with pieces of both signs', () => {
    const invoices = close({ quantity: 5 }, { quantity: -3 }, { quantity: 0 });
    expect(invoices.map(({ kind, lines }) => [kind, lines.length])).to.deep.equal([
      ['order', 1],
      ['stock-adjustment', 2],
    ]);
  });

  it('keeps two equal rows as two lines', () => expect(close({}, {})[0]?.lines).to.have.length(2));

  it('is the same for every order of the rows', () => {
    const rows = [
      { sku: 'b', quantity: 2 },
      { sku: 'a', quantity: 2, priceMills: 90 },
      { sku: 'a', quantity: 2, priceMills: 100, at: 900 },
      { sku: 'a', quantity: -2 },
      { sku: 'a', quantity: -1 },
      { invoice: '0', customerId: null, at: 900 },
    ];
    expect(close(...rows.toReversed())).to.deep.equal(close(...rows));
    expect(close(...rows.toSorted((a, b) => (a.quantity ?? 0) - (b.quantity ?? 0)))).to.deep.equal(close(...rows));
  });

  it('takes the first customer and country in the alphabet when rows disagree', () => {
    const rows = [
      { customerId: '9', country: 'Spain' },
      { customerId: '8', country: 'Italy' },
      { customerId: null, country: 'Japan' },
    ];
    for (const order of [rows, rows.toReversed()]) {
      expect(close(...order)[0]).to.include({ customerId: '8', country: 'Italy' });
    }
  });

  it('describes a stock code by the first description that is not empty', () => {
    const book = bookOf({ description: '' }, { description: 'LAMP ' }, { description: 'BULB' });
    expect(book.describe('a')).to.equal('LAMP');
    expect(book.describe('unknown')).to.equal('unknown');
  });
});

describe('expected totals', () => {
  it('add up every kind of row', () => {
    const expected = new ExpectedTotals();
    const rows: Partial<Row>[] = [
      { quantity: 3 },
      { quantity: 3 },
      { invoice: '2', quantity: 1, sku: 'b' },
      { invoice: 'C3', quantity: -2 },
      { invoice: 'C3', quantity: 1 },
      { invoice: '4', quantity: -7 },
      { invoice: '4', quantity: 0 },
      { invoice: 'A5', quantity: 1, priceMills: -500 },
    ];
    for (const row of rows) expected.add({ ...base, ...row });
    expect(expected.totals()).to.deep.equal({
      orders: 2,
      orderLines: 3,
      unitsSold: 7,
      salesMills: 700,
      returns: 1,
      returnLines: 2,
      unitsReturned: 3,
      refundsMills: 300,
      stockAdjustments: 2,
      unitsAdjusted: -7,
      ledgerAdjustments: 1,
      paymentsProcessed: 2,
      ordersShipped: 2,
      emailsSent: 3,
    });
    expect(expected.codes.get('a')).to.deep.equal({ sold: 6, returned: 3, adjusted: -7 });
  });
});
