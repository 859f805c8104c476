/** Laws of values: a row read back from the file is the row that the handler returned, bit by bit. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { projection } from '../../src/projections/projection-definition.js';
import { EventLog } from './event-log.js';
import { ReadModels, settled } from './read-models.js';

interface Values {
  readonly n: number | null;
  readonly r: number | null;
  readonly t: string | null;
  readonly j: unknown;
}

/** Keeps what the event says; `seen` shows the row that a handler gets. */
let seen: unknown;
const values = projection({
  name: 'values',
  columns: { id: 'text primary key', n: 'integer null', r: 'real null', t: 'text null', j: 'json null' },
  key: (event) => event.aggregateId,
  on: {
    put: (_row, event) => event.data as Values,
    look: (row) => {
      seen = row;
      return undefined;
    },
  },
});

/** The same without reals, whose rows are fetched in another way. */
let seenPlain: unknown;
const plain = projection({
  name: 'plain',
  columns: { id: 'text primary key', n: 'integer null', t: 'text null', j: 'json null' },
  key: (event) => event.aggregateId,
  on: {
    put: (_row, event) => {
      const { n, t, j } = event.data as Values;
      return { n, t, j };
    },
    look: (row) => {
      seenPlain = row;
      return undefined;
    },
  },
});

const SEED = 20111205;

describe('values of rows', () => {
  let models: ReadModels;
  let log: EventLog;

  beforeEach(() => {
    models = new ReadModels();
    log = new EventLog();
  });

  afterEach(() => models.close());

  it(`any row reads back equal, from the view and into the handler after a restart (seed ${SEED})`, async () => {
    // As it comes from the journal.
    const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    const row = fc.record({
      n: fc.option(fc.maxSafeInteger()),
      r: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      t: fc.option(fc.string({ unit: 'grapheme' })),
      j: json,
    });
    const rows = fc.sample(row, { seed: SEED, numRuns: 2_000 });
    log.add(...rows.map((data, i) => ({ type: 'put', id: `row${i}`, data })));
    const [read] = await models.fold(log, [values, plain]);
    const expected = new Map(
      rows.map((data, i) => [`row${i}`, { id: `row${i}`, ...data, r: data.r === null ? null : data.r + 0 }]),
    );
    expect(read, models.log.lines.at(-1)?.text).to.have.length(rows.length);
    for (const one of read as { id: string }[]) expect(one).to.deep.equal(expected.get(one.id));
    // Again, from an empty cache: what the handler gets.
    for (let i = 0; i < 2_000; i += 500) {
      const id = `row${i}`;
      log.add({ type: 'look', id });
      await models.fold(log, [values, plain]);
      expect(seen).to.deep.equal(expected.get(id));
      const { r: _, ...rest } = expected.get(id) ?? { r: 0 };
      expect(seenPlain).to.deep.equal(rest);
    }
  });

  it('reals keep every bit: least, greatest, subnormal, and those that SQLite reads one bit off', async () => {
    const reals = [
      0,
      5e-324,
      -5e-324,
      2.2250738585072014e-308,
      2.225073858507201e-308,
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
    ];
    reals.push(
      0.1,
      0.1 + 0.2,
      1 / 3,
      4934349.780204101,
      4.621293653358458e-125,
      1e21,
      2 ** 53,
      2 ** 60 + 2 ** 10,
      Math.PI,
    );
    log.add(...reals.map((r, i) => ({ type: 'put', id: `r${String(i).padStart(2, '0')}`, data: { r } })));
    const [rows] = await models.fold(log, [values]);
    expect((rows as Values[]).map((row) => row.r)).to.deep.equal(reals);
  });

  it('-0 becomes 0, in memory as in the file', async () => {
    log.add({ type: 'put', data: { n: -0, r: -0 } }, { type: 'look' });
    const running = await models.start(log, [values]);
    await settled(running, log);
    const row = await running.view(values).get('a');
    for (const cell of [row?.n, row?.r, (seen as Values).n, (seen as Values).r])
      expect(Object.is(cell, 0)).to.equal(true);
  });

  it('halves of surrogate pairs become U+FFFD, in keys too: in memory as in the file', async () => {
    const torn = 'x\ud800y';
    log.add({ type: 'put', id: torn, data: { t: torn } }, { type: 'look', id: torn });
    const running = await models.start(log, [values]);
    await settled(running, log);
    const row = { id: 'x\ufffdy', n: null, r: null, t: 'x\ufffdy', j: null };
    expect(seen).to.deep.equal(row);
    expect(await running.view(values).find()).to.deep.equal([row]);
    expect(await running.view(values).get(torn)).to.deep.equal(row);
  });

  it('fields that are undefined are null, and within json they are dropped', async () => {
    log.add({ type: 'put', data: { n: undefined, j: { a: undefined, b: [1] } } }, { type: 'look' });
    const running = await models.start(log, [values]);
    await settled(running, log);
    expect(seen).to.deep.equal({ id: 'a', n: null, r: null, t: null, j: { b: [1] } });
    expect(Object.keys((seen as { j: object }).j)).to.deep.equal(['b']);
  });

  for (const [type, keys] of Object.entries({
    integer: [0, -5, 3_000_000_000, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
    real: [0.1, 1 / 3, -2.5, 5e-324, 1e300, 7],
    text: ['', "'", '"', 'a\u0000b', '😀', 'null', '5'],
  })) {
    it(`keys of type ${type} find their rows again, in memory, after a restart, and when they are deleted`, async () => {
      const keyed = projection({
        name: 'keyed',
        columns: { k: `${type} primary key` as 'text primary key', n: 'integer' },
        key: (event) => (event.data as { k: string }).k,
        on: { added: (row = { n: 0 }) => ({ n: row.n + 1 }), removed: () => null },
      });
      for (let n = 1; n <= 3; n += 1) {
        log.add(...keys.map((k) => ({ type: 'added', data: { k } })));
        const [rows] = await models.fold(log, [keyed]);
        expect((rows as { k: unknown; n: number }[]).map((row) => row.n)).to.deep.equal(keys.map(() => n));
        expect((rows as { k: unknown }[]).map((row) => row.k)).to.have.members(keys);
      }
      log.reopen();
      const running = await models.start(log, [keyed]);
      for (const k of keys) expect((await running.view(keyed).get(k))?.k).to.equal(k);
      log.add(...keys.slice(1).map((k) => ({ type: 'removed', data: { k } })));
      await settled(running, log);
      expect(await running.view(keyed).count()).to.equal(1);
    });
  }
});
