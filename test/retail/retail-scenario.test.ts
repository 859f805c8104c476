import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { independentTotals } from './independent-totals.js';
import {
  DAY,
  dataRows,
  HEADER,
  query,
  randomFrom,
  type RetailResult,
  resultOf,
  runRetail,
  shuffled,
  startRetail,
  Workbench,
} from './retail-process.js';

const TOTALS = [
  'rows',
  'rejectedRows',
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
  'unitsReplenished',
  'unitsOnHand',
];

function exactTotals({ totals }: RetailResult): Record<string, number> {
  const { unitsReplenished, unitsOnHand, ...exact } = totals;
  expect(unitsOnHand).to.equal(
    (unitsReplenished ?? 0) - (exact['unitsSold'] ?? 0) + (exact['unitsReturned'] ?? 0) + (exact['unitsAdjusted'] ?? 0),
  );
  return exact;
}

async function eventCount(journal: string): Promise<number> {
  const [row] = await query<{ count: number }>(journal, 'select count(*) as count from event_log');
  return row?.count ?? 0;
}

describe('retail, the shipped day', function () {
  this.timeout(120_000);
  const bench = new Workbench();
  const journal = bench.path('day.db');
  const expected = independentTotals(DAY);
  let first: RetailResult;

  before(async () => {
    first = await resultOf(DAY, journal);
  });
  after(() => bench.remove());

  it('ends with the totals of an independent program over the CSV, named and ordered as documented', () => {
    expect(first).to.include({ scenario: 'retail', ok: true, workers: 0 });
    expect(Object.keys(first.totals)).to.deep.equal(TOTALS);
    expect(exactTotals(first)).to.deep.equal(expected.totals);
  });

  it('reports as many events as the journal has, without a gap', async () => {
    const [row] = await query<Record<string, number>>(
      journal,
      'select count(*) as count, max(position) as head, sum(version) as versions from event_log',
    );
    expect(row?.['count']).to.equal(first.events);
    expect(row?.['head']).to.equal(first.events);
    const gaps = await query(
      journal,
      'select aggregate, aggregate_id from event_log group by 1, 2 having max(version) <> count(*) or min(version) <> 1',
    );
    expect(gaps).to.deep.equal([]);
  });

  it('has a stock row for each code, as in the file, whose columns add up', async () => {
    const rows = await query<
      Record<'replenished' | 'sold' | 'returned' | 'adjusted' | 'on_hand', number> & { sku: string }
    >(`${journal}.views`, 'select sku, replenished, sold, returned, adjusted, on_hand from stock');
    expect(new Map(rows.map((row) => [row.sku, [row.sold, row.returned, row.adjusted]]))).to.deep.equal(expected.codes);
    for (const row of rows) {
      expect(row.on_hand, row.sku).to.equal(row.replenished - row.sold + row.returned + row.adjusted);
      if (row.adjusted === 0) expect(row.on_hand, row.sku).to.be.at.least(0);
    }
  });

  it('tells the same in every read model', async () => {
    const views = `${journal}.views`;
    const sales = expected.totals['salesMills'];
    const orders = expected.totals['orders'];
    expect(
      await query(views, 'select status, count(*) as orders, sum(total_mills) as mills from orders group by 1'),
    ).to.deep.equal([{ status: 'mailed', orders, mills: sales }]);
    expect(await query(views, 'select count(*) as orders, sum(amount_mills) as mills from payments')).to.deep.equal([
      { orders, mills: sales },
    ]);
    expect(await query(views, 'select day, orders, total_mills from sales_by_day')).to.deep.equal([
      { day: '2011-12-05', orders, total_mills: sales },
    ]);
    const countries = await query<{ country: string; mills: number }>(
      views,
      'select country, total_mills as mills from sales_by_country',
    );
    expect(new Map(countries.map(({ country, mills }) => [country, mills]))).to.deep.equal(expected.countries);
  });

  it('changes nothing when the same rows come again', async () => {
    const again = await resultOf(DAY, journal);
    expect(again.events).to.equal(0);
    expect(again.totals).to.deep.equal(first.totals);
    expect(await eventCount(journal)).to.equal(first.events);
  });

  it('changes nothing when the same rows come again in another order', async () => {
    const input = bench.csv('shuffled.csv', ...shuffled(dataRows(DAY), 1));
    const again = await resultOf(input, journal);
    expect(again.events).to.equal(0);
    expect(again.totals).to.deep.equal(first.totals);
  });

  it('skips what is finished with --resume', async () => {
    const resumed = await resultOf(DAY, journal, '--resume');
    expect(resumed.events).to.equal(0);
    expect(resumed.totals).to.deep.equal(first.totals);
  });

  it('ends with the same exact totals for shuffled rows in a fresh journal', async () => {
    const input = bench.csv('shuffled-2.csv', ...shuffled(dataRows(DAY), 2));
    expect(exactTotals(await resultOf(input, bench.path('shuffled.db')))).to.deep.equal(expected.totals);
  });

  it('ends with the same exact totals when invoices overtake each other within 50 places and every tenth comes twice', async () => {
    const again = await resultOf(DAY, bench.path('disordered.db'), '--shuffle', '50', '--repeat', '10', '--seed', '4');
    expect(exactTotals(again)).to.deep.equal(expected.totals);
    expect(again.events).to.equal(await eventCount(bench.path('disordered.db')));
  });

  it('ends with the same exact totals after being killed at 20 moments and resumed', async function () {
    this.timeout(300_000);
    const random = randomFrom(3);
    const resumed = bench.path('killed.db');
    for (let kill = 1; kill <= 20; kill += 1) {
      const { child, ended } = startRetail(['--input', DAY, '--journal', resumed, '--json', '--resume']);
      await sleep(250 + random() * 750);
      child.kill('SIGKILL');
      await ended;
    }
    expect(exactTotals(await resultOf(DAY, resumed, '--resume'))).to.deep.equal(expected.totals);
  });

  it('tells people what happened, and what to try next', async () => {
    const { code, stdout, stderr } = await runRetail('--input', DAY, '--journal', bench.path('people.db'));
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/44,664 pieces in 132 orders/)
      .and.match(/best-selling/)
      .and.match(/United Kingdom +█+/);
    expect(stdout)
      .to.match(/✓/)
      .and.not.match(/✗|undefined|NaN|\[object/);
  });
});

describe('retail, odd but good input', function () {
  this.timeout(60_000);
  const bench = new Workbench();
  after(() => bench.remove());

  const rows = [
    '1,a,"LAMP, ""RED""",3,2011-01-01 10:00:00,2.5,100.0,France',
    '2,a,LAMP,1,2011-01-01 10:01:00,2.55,,France',
    '1,a,LAMP,3,2011-01-01 10:02:00,2.5,100.0,France',
    '1,b,SHADE,-4,2011-01-01 10:02:00,0.0,,France',
    '1,b,SHADE,-4,2011-01-01 10:02:00,0.0,,France',
    '1,b,SHADE,0,2011-01-01 10:02:00,0.0,,France',
    'C3,a,LAMP,-2,2011-01-01 10:03:00,2.5,100.0,France',
    'C3,a,LAMP,2,2011-01-01 10:03:00,0.001,100.0,France',
    'A4,B,Adjust bad debt,1,2011-01-01 10:04:00,-11062.06,,France',
    '5,free,GIFT,2000,2011-01-01 10:05:00,0,200.0,Spain',
  ];
  const totals = {
    rows: 10,
    rejectedRows: 0,
    orders: 3,
    orderLines: 4,
    unitsSold: 2_007,
    salesMills: 17_550,
    returns: 1,
    returnLines: 2,
    unitsReturned: 4,
    refundsMills: 5_002,
    stockAdjustments: 3,
    unitsAdjusted: -8,
    ledgerAdjustments: 1,
    paymentsProcessed: 3,
    ordersShipped: 3,
    emailsSent: 4,
  };

  it('comes to the totals counted by hand: scattered invoice, both signs, equal rows, an order of 0', async () => {
    const journal = bench.path('odd.db');
    const result = await resultOf(bench.csv('odd.csv', ...rows), journal);
    expect(exactTotals(result)).to.deep.equal(totals);
    expect(result.totals['unitsReplenished']).to.equal(3_000);
    expect(await query(`${journal}.views`, 'select * from stock order by sku')).to.deep.equal([
      { sku: 'a', replenished: 1_000, sold: 7, returned: 4, adjusted: 0, on_hand: 997 },
      { sku: 'b', replenished: 0, sold: 0, returned: 0, adjusted: -8, on_hand: -8 },
      { sku: 'free', replenished: 2_000, sold: 2_000, returned: 0, adjusted: 0, on_hand: 0 },
    ]);
    const mails = await query<{ to: string }>(
      journal,
      `select json_extract(data, '$.to') as "to" from event_log where type = 'email.sent' order by 1`,
    );
    expect(mails.map(({ to }) => to)).to.deep.equal(['100', '100', '200', 'guest']);
    const ids = await query<{ id: string }>(
      journal,
      `select command_id as id from event_log where type in ('stock.adjusted', 'ledger.adjusted', 'order.created') order by 1`,
    );
    expect(ids.map(({ id }) => id)).to.deep.equal([
      'retail:1:b:1',
      'retail:1:b:2',
      'retail:1:b:3',
      'retail:1:create',
      'retail:2:create',
      'retail:5:create',
      'retail:A4:B:1',
    ]);
  });

  const text = [HEADER, ...rows].join('\n');
  const forms: readonly (readonly [what: string, content: string | Uint8Array])[] = [
    ['gzip under a plain name', gzipSync(text)],
    ['gzip in two parts', Buffer.concat([gzipSync(text.slice(0, 200)), gzipSync(text.slice(200))])],
    ['CRLF, a byte order mark and no line end at the end', `\uFEFF${text.replaceAll('\n', '\r\n')}`],
    ['empty lines in it', text.replaceAll('\n', '\n\n')],
    ['a quoted header', text.replace('Description', '"Description"')],
  ];
  forms.forEach(([what, content], index) => {
    it(`reads ${what}`, async () => {
      const result = await resultOf(bench.write(`form-${index}.csv`, content), bench.path(`form-${index}.db`));
      expect(exactTotals(result)).to.deep.equal(totals);
    });
  });

  it('takes a header without rows for a day without trade', async () => {
    const result = await resultOf(bench.csv('closed.csv'), bench.path('closed.db'));
    expect(Object.values(result.totals).every((value) => value === 0)).to.equal(true);
  });

  it('drops each bad row, names its line, and goes on', async () => {
    const bad = [
      rows[0] ?? '',
      '1,a,LAMP,three,2011-01-01 10:00:00,2.5,100.0,France', // line 3
      '1,a,LAMP,3,yesterday,2.5,100.0,France',
      '1,a,LAMP,3,2011-01-01 10:00:00,2.5001,100.0,France',
      ',a,LAMP,3,2011-01-01 10:00:00,2.5,100.0,France',
      '1,,LAMP,3,2011-01-01 10:00:00,2.5,100.0,France',
      '1,a,LAMP,3,2011-01-01 10:00:00,2.5,100.0',
      '1,a,"LAMP,3,2011-01-01 10:00:00,2.5,100.0,France', // line 9
      ...rows.slice(1),
    ];
    const { code, stdout, stderr } = await runRetail(
      '--input',
      bench.csv('bad.csv', ...bad),
      '--journal',
      bench.path('bad.db'),
      '--json',
    );
    expect(code).to.equal(0);
    const lines = stderr.split('\n').filter((line) => line.includes('dropped:'));
    expect(lines.map((line) => /line (\d+): row dropped: \S/.exec(line)?.[1])).to.deep.equal([
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
    ]);
    expect(exactTotals(JSON.parse(stdout))).to.deep.equal({ ...totals, rows: 17, rejectedRows: 7 });
  });

  it('says so, and fails, when the journal has an invoice with other lines', async () => {
    const journal = bench.path('changed.db');
    await resultOf(bench.csv('original.csv', ...rows), journal);
    const changed = rows.map((row) => row.replace('2000', '2001'));
    const { code, stdout } = await runRetail(
      '--input',
      bench.csv('changed.csv', ...changed),
      '--journal',
      journal,
      '--json',
    );
    expect(code).to.equal(1);
    expect(JSON.parse(stdout).checks).to.deep.include({
      name: 'each invoice is in the journal as in the file',
      ok: false,
      expected: true,
      actual: 'the journal has 5 with other lines and keeps them: give each version of the data a journal of its own',
    });
  });
});

describe('retail, bad input', function () {
  this.timeout(60_000);
  const bench = new Workbench();
  after(() => bench.remove());

  const whole = gzipSync(readFileSync(DAY));
  const damaged = Buffer.from(whole);
  damaged.fill(0xff, 20_000, 20_100);
  mkdirSync(bench.path('folder'));

  const inputs: readonly (readonly [what: string, input: string, message: RegExp])[] = [
    ['a missing file', bench.path('missing.csv'), /missing\.csv does not exist: give/],
    ['a directory', bench.path('folder'), /folder is a directory: give/],
    ['an empty file', bench.write('empty.csv', ''), /empty\.csv is empty: give/],
    ['empty gzip', bench.write('empty.csv.gz', gzipSync('')), /empty\.csv\.gz is empty: give/],
    ['only empty lines', bench.write('blank.csv', '\n\n\n'), /blank\.csv has other columns/],
    [
      'other columns',
      bench.write('other.csv', 'a,b,c\n1,2,3\n'),
      /other\.csv has other columns.*InvoiceNo,StockCode.*it reads "a,b,c"/,
    ],
    [
      'columns in another order',
      bench.write('order.csv', `${HEADER.split(',').reverse().join(',')}\n`),
      /other columns/,
    ],
    ['an open quote in the header', bench.write('quote.csv', `"${HEADER}\n1,2\n`), /other columns/],
    [
      'no text at all',
      bench.write('noise.csv', Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7 + 13) % 256))),
      /other columns/,
    ],
    ['one endless line', bench.write('line.csv', 'x'.repeat(1_000_000)), /other columns/],
    [
      'a truncated gzip',
      bench.write('truncated.csv.gz', whole.subarray(0, 30_000)),
      /truncated\.csv\.gz ends in the middle of its gzip data/,
    ],
    ['a damaged gzip', bench.write('damaged.csv.gz', damaged), /damaged\.csv\.gz holds damaged gzip data/],
    [
      'what only begins like gzip',
      bench.write('magic.csv.gz', Buffer.from([0x1f, 0x8b, 9, 9, 9, 9, 9])),
      /magic\.csv\.gz holds damaged gzip data/,
    ],
  ];
  inputs.forEach(([what, input, message], index) => {
    it(`${what}: one line that says what to do, exit code 2, and no journal`, async () => {
      const journal = bench.path(`bad-${index}.db`);
      const { code, stdout, stderr } = await runRetail('--input', input, '--journal', journal, '--json');
      expect(stderr)
        .to.match(message)
        .and.match(/^[^\n]{1,400}\n$/)
        .and.not.match(/ {4}at /);
      expect(stdout).to.equal('');
      expect(code).to.equal(2);
      expect(existsSync(journal)).to.equal(false);
    });
  });

  const journals: readonly (readonly [what: string, journal: string])[] = [
    ['a journal path in a folder that does not exist', bench.path('nowhere/x.db')],
    ['a folder as the journal', bench.path('folder')],
    [
      'a journal that is no SQLite file',
      bench.write('text.db', 'this is no database, but long enough to be one '.repeat(50)),
    ],
  ];
  for (const [what, journal] of journals) {
    it(`${what}: one line, exit code 2`, async () => {
      const { code, stdout, stderr } = await runRetail('--input', DAY, '--journal', journal, '--json');
      expect(stderr)
        .to.match(/^[^\n]{1,400}\n$/)
        .and.not.match(/ {4}at /);
      expect(stdout).to.equal('');
      expect(code).to.equal(2);
    });
  }

  it('an unknown option: one line, exit code 2', async () => {
    const { code, stdout, stderr } = await runRetail('--inptu', DAY, '--json');
    expect(stderr).to.match(/^[^\n]*--inptu[^\n]*\n$/);
    expect(stdout).to.equal('');
    expect(code).to.equal(2);
  });
});
