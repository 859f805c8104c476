/** Laws of asking for many rows: operators, places in json columns, pages by key. */
import { expect } from 'chai';
import { assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { projection } from '../../src/projections/projection-definition.js';
import type { Projections } from '../../src/projections/projections.js';
import type { Query, View } from '../../src/projections/view.js';
import { EventLog } from './event-log.js';
import { failure, ReadModels, settled } from './read-models.js';

const customers = projection({
  name: 'customers',
  columns: { id: 'text primary key', name: 'text null', spent: 'integer null', share: 'real null', about: 'json null' },
  key: (event) => event.aggregateId,
  on: { put: (_row, event) => event.data as { name: string; spent: number; share: number; about: unknown } },
});

interface Customer {
  readonly id: string;
  readonly name: string | null;
  readonly spent: number | null;
  readonly share: number | null;
  readonly about: unknown;
}

const PEOPLE: readonly Customer[] = [
  { id: 'a', name: 'Ada', spent: 10, share: 0.1, about: { city: 'Rome', tags: ['new', 'vip'], geo: { lat: 41.9 } } },
  { id: 'b', name: 'Bob', spent: 20, share: null, about: { city: 'Oslo', tags: [], active: true } },
  { id: 'c', name: null, spent: null, share: 0.3, about: { city: null, lines: [{ sku: 'x' }, { sku: 'y' }] } },
  { id: 'd', name: 'bob', spent: 20, share: 1 / 3, about: ['vip', 7] },
  { id: 'e', name: "' OR 1=1 --", spent: 5, share: null, about: null },
];

describe('find', () => {
  let models: ReadModels;
  let running: Projections;
  let view: View<Customer>;

  before(async () => {
    models = new ReadModels();
    const log = new EventLog();
    log.add(...PEOPLE.map(({ id, ...data }) => ({ type: 'put', id, data })));
    running = await models.start(log, [customers]);
    await settled(running, log);
    view = running.view(customers);
  });

  after(() => models.close());

  const ids = async (query: Query<Customer>): Promise<string> => (await view.find(query)).map((row) => row.id).join('');

  it('takes values, lists and null; in, notIn, eq, ne, gt, gte, lt, lte, like', async () => {
    expect(await ids({ where: { spent: { in: [20, null] } } })).to.equal('bcd');
    expect(await ids({ where: { spent: { notIn: [20] } } })).to.equal('ace');
    expect(await ids({ where: { spent: { notIn: [20, null] } } })).to.equal('ae');
    expect(await ids({ where: { spent: { eq: null } } })).to.equal('c');
    expect(await ids({ where: { name: { ne: 'Bob' } } })).to.equal('acde');
    expect(await ids({ where: { spent: { gte: 10, lt: 20 } } })).to.equal('a');
    expect(await ids({ where: { name: { like: 'b%' }, spent: 20 } })).to.equal('bd');
    expect(await ids({ where: { name: "' OR 1=1 --" } })).to.equal('e');
  });

  it('asks for places in json columns, and orders by them', async () => {
    expect(await ids({ where: { 'about.city': 'Rome' } })).to.equal('a');
    expect(await ids({ where: { 'about.geo.lat': { gt: 40 } } })).to.equal('a');
    expect(await ids({ where: { 'about.lines[1].sku': ['y', 'z'] } })).to.equal('c');
    expect(await ids({ where: { 'about.active': true } })).to.equal('b');
    expect(await ids({ where: { 'about.city': null } })).to.equal('cde');
    expect(await ids({ where: { 'about.city': { like: 'o%' } } })).to.equal('b');
    expect(await ids({ where: { about: null } })).to.equal('e');
    expect(await ids({ where: { 'about.city': { ne: null } }, orderBy: { 'about.city': 'asc' } })).to.equal('ba');
    expect(await view.count({ where: { 'about.city': { in: ['Rome', 'Oslo'] } } })).to.equal(2);
  });

  it('asks for an item of an array in a json column', async () => {
    expect(await ids({ where: { about: { contains: 'vip' } } })).to.equal('d');
    expect(await ids({ where: { about: { contains: 7 } } })).to.equal('d');
    expect(await ids({ where: { 'about.tags': { contains: 'vip' } } })).to.equal('a');
    expect(await ids({ where: { 'about.city': { contains: 'Rome' } } })).to.equal('');
  });

  const refused: Record<string, { readonly query: unknown; readonly words: RegExp }> = {
    'an unknown operator': { query: { where: { spent: { gtt: 1 } } }, words: /"gtt"; did you mean 'gt'\?|"gtt".*'gt'/ },
    'a place in a text column': { query: { where: { 'name.first': 'x' } }, words: /column name.*of type text/ },
    'a path that is none': { query: { where: { 'about.ci"ty': 'x' } }, words: /no place in a json column/ },
    'a path with SQL in it': { query: { where: { "about.x') --": 1 } }, words: /.*/ },
    'an object for a json column': { query: { where: { about: { city: 'Rome' } } }, words: /unknown operator "city"/ },
    'contains on a text column': { query: { where: { name: { contains: 'A' } } }, words: /"contains" is for json/ },
    'in without a list': { query: { where: { spent: { in: 5 } } }, words: /give an array/ },
    'a page behind a row that lacks the order': {
      query: { orderBy: { spent: 'asc' }, after: { id: 'a' } },
      words: /after has no spent/,
    },
    'a page behind no row': { query: { after: 'a' }, words: /after is 'a'/ },
  };
  for (const [what, { query, words }] of Object.entries(refused)) {
    it(`refuses ${what}${what === 'a path with SQL in it' ? ', or takes it for a name' : ''}`, async () => {
      if (what === 'a path with SQL in it') {
        expect(await view.find(query as Query<Customer>)).to.deep.equal([]);
        return;
      }
      const error = await failure(view.find(query as Query<Customer>));
      expect(error.code).to.equal('TROUPE_INVALID_OPTIONS');
      expect(error.message).to.match(words);
    });
  }

  it('sql refuses more than one statement', async () => {
    const error = await failure(view.sql('select 1; drop table customers'));
    expect(error.code).to.equal('TROUPE_INVALID_OPTIONS');
    expect(error.message).to.match(/more than one statement/);
    expect(await view.sql('select count(*) as n from customers;')).to.deep.equal([{ n: PEOPLE.length }]);
  });

  it('sql refuses a text where the array of parameters belongs, whose letters it would bind', async () => {
    expect((await failure(view.sql(undefined as never))).message).to.match(/the statement is undefined; give a text/);
    const error = await failure(view.sql('SELECT ? AS one', 'x' as never));
    expect(error.code).to.equal('TROUPE_INVALID_OPTIONS');
    expect(error.message).to.match(/params are 'x'; give an array/);
  });

  it('pages by key, in any order, with any size, miss and repeat no row, also among equals and nulls', async () => {
    const direction = constantFrom('asc' as const, 'desc' as const, undefined);
    const orders = record({ spent: direction, name: direction, share: direction, id: direction });
    await assert(
      asyncProperty(orders, integer({ min: 1, max: 4 }), async (given, limit) => {
        const orderBy = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const whole = await view.find({ orderBy });
        const paged: Customer[] = [];
        for (;;) {
          const after = paged.at(-1);
          const page: Customer[] = await view.find({ orderBy, limit, ...(after === undefined ? {} : { after }) });
          paged.push(...page);
          if (page.length < limit) break;
        }
        expect(paged).to.deep.equal(whole);
      }),
      { numRuns: 60 },
    );
  });
});
