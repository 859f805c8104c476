import { expect } from 'chai';
import * as fc from 'fast-check';
import { kindOf, parseDate, parseMills, parseRow } from '../../scenarios/retail/row.js';

const good = ['536365', '85123A', 'HANGING HEART', '6', '2010-12-01 08:26:00', '2.55', '17850.0', 'United Kingdom'];

function rowWith(column: number, value: string): string[] {
  return good.map((field, index) => (index === column ? value : field));
}

describe('a row of the retail CSV', () => {
  it('becomes typed values', () => {
    expect(parseRow(good)).to.deep.equal({
      invoice: '536365',
      sku: '85123A',
      description: 'HANGING HEART',
      quantity: 6,
      at: Date.UTC(2010, 11, 1, 8, 26, 0),
      priceMills: 2550,
      customerId: '17850',
      country: 'United Kingdom',
    });
  });

  it('without a customer or a country is good all the same', () => {
    expect(parseRow(rowWith(6, ''))).to.include({ customerId: null });
    expect(parseRow(rowWith(7, ''))).to.include({ country: 'Unspecified' });
  });

  it('keeps stock codes as they stand, also in small letters', () => {
    expect(parseRow(rowWith(1, '85123a'))).to.include({ sku: '85123a' });
    expect(parseRow(rowWith(1, 'BANK CHARGES'))).to.include({ sku: 'BANK CHARGES' });
  });

  const bad: readonly (readonly [what: string, fields: readonly string[], message: RegExp])[] = [
    ['7 columns', good.slice(1), /7 columns instead of 8/],
    ['9 columns', [...good, 'x'], /9 columns instead of 8/],
    ['no invoice number', rowWith(0, ''), /InvoiceNo is empty/],
    ['no stock code', rowWith(1, ''), /StockCode is empty/],
    ['no quantity', rowWith(3, ''), /Quantity "" is no whole number/],
    ['a quantity in words', rowWith(3, 'six'), /Quantity "six"/],
    ['half a piece', rowWith(3, '1.5'), /Quantity "1.5"/],
    ['a quantity with a space', rowWith(3, ' 6'), /Quantity " 6"/],
    ['a quantity in hexadecimal', rowWith(3, '0x10'), /Quantity "0x10"/],
    ['a quantity beyond a billion', rowWith(3, '1000000001'), /Quantity "1000000001"/],
    ['no date', rowWith(4, ''), /InvoiceDate "" is no date/],
    ['a date in another form', rowWith(4, '12/1/2010 8:26'), /InvoiceDate "12\/1\/2010 8:26"/],
    ['30 February', rowWith(4, '2011-02-30 10:00:00'), /InvoiceDate "2011-02-30 10:00:00"/],
    ['25 o’clock', rowWith(4, '2011-02-03 25:00:00'), /InvoiceDate/],
    ['no price', rowWith(5, ''), /UnitPrice ""/],
    ['a price with a sign of currency', rowWith(5, '£2.55'), /UnitPrice "£2.55"/],
    [
      'a price with 4 decimals',
      rowWith(5, '2.5501'),
      /UnitPrice "2.5501" is no decimal number with at most 3 decimals/,
    ],
    ['a price with a comma', rowWith(5, '2,55'), /UnitPrice "2,55"/],
    ['a price of NaN', rowWith(5, 'NaN'), /UnitPrice "NaN"/],
    ['a price with an exponent', rowWith(5, '1e3'), /UnitPrice "1e3"/],
    ['an amount beyond a billion pounds', ['1', 'a', '', '1000000000', '2010-12-01 08:26:00', '1000', '', ''], /times/],
  ];
  for (const [what, fields, message] of bad) {
    it(`is refused with ${what}`, () => expect(parseRow(fields)).to.be.a('string').and.match(message));
  }

  it('is refused with a message on one line, however long and broken the field', () => {
    const message = parseRow(rowWith(3, `a\nb\u0007${'c'.repeat(10_000)}`));
    expect(message)
      .to.be.a('string')
      .and.not.match(/[^ -~…]/);
    expect(message).to.have.length.below(200);
  });
});

describe('the kind of a row', () => {
  it('is a return for C, whatever the sign of Quantity', () => {
    expect(kindOf('C536379', -1)).to.equal('return');
    expect(kindOf('C536379', 1)).to.equal('return');
  });
  it('is a ledger adjustment for A', () => expect(kindOf('A563185', 1)).to.equal('ledger-adjustment'));
  it('is an order line for pieces above 0, else a stock adjustment', () => {
    expect(kindOf('536365', 1)).to.equal('order');
    expect(kindOf('536365', 0)).to.equal('stock-adjustment');
    expect(kindOf('536365', -1)).to.equal('stock-adjustment');
  });
});

describe('a price', () => {
  it('is exact for every number of mills up to a million pounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (mills) => {
        const digits = String(Math.abs(mills)).padStart(4, '0');
        const text = `${mills < 0 ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`;
        expect(parseMills(text)).to.equal(mills);
      }),
      { seed: 1 },
    );
  });
  it('may leave out decimals, or the point', () => {
    expect(['2', '2.', '2.5', '2.55', '.5', '+1'].map(parseMills)).to.deep.equal([
      2_000, 2_000, 2_500, 2_550, 500, 1_000,
    ]);
  });
  it('is 0 and never -0', () => expect(Object.is(parseMills('-0.000'), 0)).to.equal(true));
  it('is no number without a digit', () =>
    expect(['', '.', '-', '+.'].map(parseMills)).to.deep.equal(Array(4).fill(undefined)));
});

describe('a date', () => {
  it('is read as UTC', () => expect(parseDate('2011-12-05 08:38:01')).to.equal(Date.UTC(2011, 11, 5, 8, 38, 1)));
  it('may be 29 February of a leap year only', () => {
    expect(parseDate('2012-02-29 00:00:00')).to.equal(Date.UTC(2012, 1, 29));
    expect(parseDate('2011-02-29 00:00:00')).to.equal(undefined);
  });
});
