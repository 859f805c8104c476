/** Laws of asking a read model: get, find, count, sql, watch, caughtUp. */
import { expect } from 'chai';
import { projection } from '../../src/projections/projection-definition.js';
import type { Projections } from '../../src/projections/projections.js';
import { EventLog } from './event-log.js';
import { eventually, failure, ReadModels, settled } from './read-models.js';

const goods = projection({
  name: 'goods',
  columns: { sku: 'text primary key', name: 'text null', sold: 'integer', price: 'real null', tags: 'json null' },
  indexes: [['sold']],
  key: (event) => event.aggregateId,
  on: {
    put: (_row, event) => event.data as { name: string; sold: number; price: number; tags: unknown },
    sold: (row, event) => row && { ...row, sold: row.sold + (event.data as { n: number }).n },
    dropped: () => null,
  },
});

const GOODS = [
  { id: 'a', name: 'Anchor', sold: 5, price: 0.1, tags: ['iron', { kg: 4 }] },
  { id: 'b', name: null, sold: 7, price: 2.5, tags: null },
  { id: 'c', name: 'Cup', sold: 5, price: null, tags: 'plain text' },
  { id: 'd', name: "D'oh; DROP TABLE goods --", sold: -1, price: 1e21, tags: { a: null } },
];

for (const place of ['file', ':memory:'] as const) {
  describe(`view (${place})`, () => {
    let models: ReadModels;
    let log: EventLog;
    let running: Projections;

    beforeEach(async () => {
      models = new ReadModels();
      log = new EventLog();
      log.add(...GOODS.map(({ id, ...data }) => ({ type: 'put', id, data })));
      running = await models.start(log, [goods], place === 'file' ? {} : { path: place });
      await settled(running, log);
    });

    afterEach(() => models.close());

    const ids = async (query: Parameters<ReturnType<typeof view>['find']>[0]): Promise<string[]> =>
      (await view().find(query)).map((row) => row.sku);
    const view = () => running.view(goods);

    it('get gives the row with every column, and undefined for a key that is not there', async () => {
      expect(await view().get('a')).to.deep.equal({
        sku: 'a',
        name: 'Anchor',
        sold: 5,
        price: 0.1,
        tags: ['iron', { kg: 4 }],
      });
      expect(await view().get('z')).to.equal(undefined);
    });

    it('get refuses a key of another type', async () => {
      expect((await failure(view().get(5))).code).to.equal('TROUPE_INVALID_OPTIONS');
    });

    it('json columns come back parsed, texts in them too', async () => {
      expect((await view().find()).map((row) => row.tags)).to.deep.equal([
        ['iron', { kg: 4 }],
        null,
        'plain text',
        { a: null },
      ]);
    });

    it('a row can not be changed by who reads it', async () => {
      const row = await view().get('a');
      expect(() => ((row as { sold: number }).sold = 9)).to.throw(TypeError);
      expect(() => (row as unknown as { tags: string[] }).tags.push('x')).to.throw(TypeError);
    });

    it('find without a query gives every row, by key', async () => {
      expect(await ids(undefined)).to.deep.equal(['a', 'b', 'c', 'd']);
    });

    it('where holds for all its columns: values, null, several values', async () => {
      expect(await ids({ where: { sold: 5 } })).to.deep.equal(['a', 'c']);
      expect(await ids({ where: { sold: 5, name: 'Cup' } })).to.deep.equal(['c']);
      expect(await ids({ where: { name: null } })).to.deep.equal(['b']);
      expect(await ids({ where: { sku: ['a', 'd', 'nothing'] } })).to.deep.equal(['a', 'd']);
      expect(await ids({ where: { name: ['Cup', null] } })).to.deep.equal(['b', 'c']);
      expect(await ids({ where: { sku: [] } })).to.deep.equal([]);
      expect(await ids({ where: { price: 0.1 } })).to.deep.equal(['a']);
    });

    it('where takes 40,000 values in one list', async () => {
      const many = Array.from({ length: 40_000 }, (_, i) => `none-${i}`);
      expect(await ids({ where: { sku: [...many, 'b'], sold: 7 } })).to.deep.equal(['b']);
    });

    it('where compares: gt, gte, lt, lte, ne, like', async () => {
      expect(await ids({ where: { sold: { gt: 5 } } })).to.deep.equal(['b']);
      expect(await ids({ where: { sold: { gte: 5, lt: 7 } } })).to.deep.equal(['a', 'c']);
      expect(await ids({ where: { sold: { lte: -1 } } })).to.deep.equal(['d']);
      expect(await ids({ where: { name: { ne: 'Cup' } } })).to.deep.equal(['a', 'b', 'd']);
      expect(await ids({ where: { name: { ne: null } } })).to.deep.equal(['a', 'c', 'd']);
      expect(await ids({ where: { name: { like: '%c%' } } })).to.deep.equal(['a', 'c']);
    });

    it('orders by several columns, then by key, and pages without gap or repeat', async () => {
      expect(await ids({ orderBy: { sold: 'desc' } })).to.deep.equal(['b', 'c', 'a', 'd']);
      expect(await ids({ orderBy: { sold: 'asc', sku: 'desc' } })).to.deep.equal(['d', 'c', 'a', 'b']);
      expect(await ids({ orderBy: { sold: 'asc' }, limit: 2 })).to.deep.equal(['d', 'a']);
      expect(await ids({ orderBy: { sold: 'asc' }, limit: 2, offset: 2 })).to.deep.equal(['c', 'b']);
      expect(await ids({ offset: 3 })).to.deep.equal(['d']);
      expect(await ids({ limit: 0 })).to.deep.equal([]);
    });

    it('count counts what find would give', async () => {
      expect(await view().count()).to.equal(4);
      expect(await view().count({ where: { sold: 5 } })).to.equal(2);
    });

    it('values are bound and columns checked: no text of a caller gets into a statement', async () => {
      expect(await ids({ where: { name: "D'oh; DROP TABLE goods --" } })).to.deep.equal(['d']);
      expect(await ids({ where: { name: "' OR 1=1 --" } })).to.deep.equal([]);
      const nasty = 'sku" = "sku" OR "1';
      for (const query of [
        { where: { [nasty]: 'x' } },
        { orderBy: { [nasty]: 'asc' } },
        { orderBy: { sku: 'asc; DROP TABLE goods' } },
        { limit: '1; DROP TABLE goods' },
        { offset: -1 },
        { limit: 1.5 },
        { where: { sold: { 'gt 0 OR 1=1': 1 } } },
        { where: { constructor: 'x' } },
        { where: { sold: { toString: 1 } } },
      ]) {
        const error = await failure(view().find(query as never));
        expect(error.code, JSON.stringify(query)).to.equal('TROUPE_INVALID_OPTIONS');
      }
      expect(await view().count()).to.equal(4);
    });

    it('a query with a mistake is refused, and the message names what there is', async () => {
      const refused = async (query: unknown): Promise<string> => {
        const { code, message } = await failure(view().find(query as never));
        expect(code).to.equal('TROUPE_INVALID_OPTIONS');
        return message;
      };
      expect(await refused({ where: { solt: 5 } })).to.match(
        /no column "solt"; did you mean 'sold'\?; known are sku, name/,
      );
      expect(await refused({ were: {} })).to.match(/were.*where/);
      expect(await refused({ where: { sold: undefined } })).to.match(/where\.sold is undefined/);
      expect(await refused({ where: { sold: '5' } })).to.match(/compared with a number/);
      expect(await refused({ where: { sold: { above: 5 } } })).to.match(/"above".*gt, gte/);
      expect(await refused({ where: { tags: 'x' } })).to.match(/"tags\.city".*contains/);
      expect(await refused({ where: { sold: { like: '5%' } } })).to.match(/type text/);
      expect(await refused({ where: ['sold'] })).to.match(/give an object/);
    });

    it('sql reads with bound parameters', async () => {
      const rows = await view().sql<{ sku: string }>(
        "select sku from goods where json_extract(tags, '$[1].kg') = ? or sku = ? order by 1",
        [4, 'b'],
      );
      expect(rows).to.deep.equal([{ sku: 'a' }, { sku: 'b' }]);
    });

    it('sql can not write, whatever the statement', async () => {
      for (const text of [
        'delete from goods',
        ' /* select */ update goods set sold = 0',
        'with x as (select 1) delete from goods',
        'pragma query_only = off',
        "attach 'other.db' as other",
        'commit',
        '',
      ]) {
        expect((await failure(view().sql(text))).code, text).to.equal('TROUPE_INVALID_OPTIONS');
      }
      expect(await view().count()).to.equal(4);
      log.add({ type: 'sold', id: 'a', data: { n: 1 } });
      await view().caughtUp();
      expect((await view().get('a'))?.sold).to.equal(6);
    });

    it('sql says what is wrong with a statement', async () => {
      expect((await failure(view().sql('select weight from goods'))).message).to.match(/no such column/);
    });

    it('watch gives the row as it is, then each change, and undefined while there is none', async () => {
      const seen: unknown[] = [];
      const subscription = view()
        .watch('b')
        .subscribe((row) => seen.push(row?.sold));
      await eventually(() => seen.length === 1);
      log.add({ type: 'sold', id: 'b', data: { n: 1 } });
      await eventually(() => seen.length === 2);
      log.add({ type: 'dropped', id: 'b' });
      await eventually(() => seen.length === 3);
      log.add({ type: 'sold', id: 'a', data: { n: 1 } });
      log.add({ type: 'put', id: 'b', data: { name: 'B', sold: 1, price: 1 } });
      await eventually(() => seen.length === 4);
      expect(seen).to.deep.equal([7, 8, undefined, 1]);
      subscription.unsubscribe();
      log.add({ type: 'dropped', id: 'b' });
      await view().caughtUp();
      expect(seen).to.have.length(4);
    });

    it('watch gives the same row once, and undefined first when there is none', async () => {
      const seen: unknown[] = [];
      view()
        .watch('z')
        .subscribe((row) => seen.push(row?.sold));
      await eventually(() => seen.length === 1);
      log.add({ type: 'sold', id: 'z', data: { n: 1 } }, { type: 'sold', id: 'a', data: { n: 0 } });
      await view().caughtUp();
      expect(seen).to.deep.equal([undefined]);
    });

    it('a watcher that throws is logged, stays subscribed, and harms nobody', async () => {
      const bad: unknown[] = [];
      const good: unknown[] = [];
      view()
        .watch('a')
        .subscribe((row) => {
          bad.push(row?.sold);
          throw new Error('no paper');
        });
      view()
        .watch('a')
        .subscribe((row) => good.push(row?.sold));
      await eventually(() => good.length === 1 && bad.length === 1);
      log.add({ type: 'sold', id: 'a', data: { n: 1 } });
      await eventually(() => good.length === 2 && bad.length === 2);
      expect(good).to.deep.equal([5, 6]);
      expect(models.log.matching('error', /view of goods.*no paper/)).to.have.length(1);
      expect(running.metrics()[0]?.state).to.equal('running');
    });

    it('stop completes the watchers', async () => {
      let completed = 0;
      view()
        .watch('a')
        .subscribe({ complete: () => (completed += 1) });
      await running.stop();
      expect(completed).to.equal(1);
    });

    it('caughtUp waits for the head at the call: what was committed before is in the rows', async () => {
      for (let n = 1; n <= 20; n += 1) {
        log.add({ type: 'sold', id: 'a', data: { n: 1 } });
        await view().caughtUp();
        expect((await view().get('a'))?.sold).to.equal(5 + n);
      }
    });

    it('caughtUp of a position in the past resolves at once, and of one in the future when it comes', async () => {
      await view().caughtUp(0);
      await view().caughtUp(4, { timeout: 0 });
      const future = view().caughtUp(6);
      log.add({ type: 'sold', id: 'a', data: { n: 1 } });
      log.add({ type: 'other', id: 'a' });
      await future;
      expect(running.metrics()[0]?.position).to.equal(6);
    });

    it('caughtUp fails after its timeout, and says how far behind the projection is', async () => {
      const error = await failure(view().caughtUp(9, { timeout: 5 }));
      expect(error.code).to.equal('TROUPE_ASK_TIMEOUT');
      expect(error.message).to.match(
        /goods has not come to position 9 within 5 ms: it is running at 4, 0 events behind/,
      );
    });

    it('caughtUp refuses what is no position, and unknown options', async () => {
      for (const position of [-1, 1.5, NaN, '4']) {
        expect((await failure(view().caughtUp(position as number))).code).to.equal('TROUPE_INVALID_OPTIONS');
      }
      expect((await failure(view().caughtUp(1, { within: 5 } as never))).message).to.match(/within/);
    });

    it('after stop reads and waits fail with TROUPE_SYSTEM_STOPPED, waits under way too', async () => {
      const waiting = failure(view().caughtUp(99));
      await running.stop();
      expect((await waiting).code).to.equal('TROUPE_SYSTEM_STOPPED');
      for (const late of [
        view().get('a'),
        view().find(),
        view().caughtUp(99),
        view().rebuild(),
        view().sql('select 1'),
      ]) {
        expect((await failure(late)).code).to.equal('TROUPE_SYSTEM_STOPPED');
      }
    });
  });
}

describe('view of what is not there', () => {
  it('a projection that the system does not have is TROUPE_UNKNOWN_ACTOR', async () => {
    const models = new ReadModels();
    const running = await models.start(new EventLog(), []);
    expect(() => running.view(goods))
      .to.throw(/goods is not part of this system/)
      .with.property('code', 'TROUPE_UNKNOWN_ACTOR');
    await models.close();
  });
});
