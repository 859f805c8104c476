/** What `projection()` makes of its options, and what it refuses. */
import { expect } from 'chai';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import { projection, type RuntimeProjection } from '../../src/projections/projection-definition.js';
import { expectRefusal } from '../expect-refusal.js';

const order = aggregate({
  name: 'order',
  initialState: () => 0,
  events: { 'order.created': { apply: (state) => state } },
});
const columns = { id: 'text primary key', total: 'integer' };
const row = () => ({ total: 1 });

/** As from JavaScript: no type stands between the test and the check. */
function define(options: Record<string, unknown>): RuntimeProjection {
  return projection({
    name: 'sales',
    of: [order],
    columns,
    key: () => 'k',
    on: { 'order.created': row },
    ...options,
  } as never);
}

describe('projection()', () => {
  it('refuses columns without exactly one primary key', () => {
    expectRefusal(
      () => define({ columns: { id: 'text' } }),
      'projection sales',
      '"columns"',
      'exactly one column',
      'none is',
    );
    expectRefusal(() => define({ columns: {} }), 'none is');
    expectRefusal(() => define({ columns: { a: 'text primary key', b: 'text primary key' } }), 'a and b are');
    expectRefusal(() => define({ columns: undefined }), '"columns" is missing');
  });

  it('refuses column names that SQLite could not take as they are, or not tell apart', () => {
    for (const name of ['', '1st', 'a b', 'a-b', 'a.b', 'é', 'x'.repeat(64)]) {
      expectRefusal(() => define({ columns: { ...columns, [name]: 'text' } }), 'name columns with');
    }
    expectRefusal(() => define({ columns: { ...columns, Total: 'text' } }), 'SQLite takes it for');
    expectRefusal(() => define({ columns: { ...columns, constructor: 'text' } }), 'every object of JavaScript');
  });

  it('refuses column types other than text, integer, real and json', () => {
    for (const type of [
      'varchar',
      'int',
      'text unique',
      'text primary',
      'text not null primary key',
      '',
      1,
      undefined,
      'blob',
    ]) {
      expectRefusal(
        () => define({ columns: { ...columns, extra: type } }),
        '"columns.extra"',
        "'text', 'integer', 'real' or 'json'",
      );
    }
  });

  it('reads columns in any case, and what may be null', () => {
    const { options } = define({
      columns: { id: 'INTEGER  PRIMARY KEY', a: ' Text Not  Null ', b: 'json null', c: 'real' },
    });
    expect(options.columns).to.deep.equal([
      { name: 'id', type: 'integer', primaryKey: true, notNull: true },
      { name: 'a', type: 'text', primaryKey: false, notNull: true },
      { name: 'b', type: 'json', primaryKey: false, notNull: false },
      { name: 'c', type: 'real', primaryKey: false, notNull: false },
    ]);
  });

  it('refuses a projection that does nothing', () => {
    expectRefusal(() => define({ on: undefined }), '"on" is missing', 'or statements in "sql"');
    expectRefusal(() => define({ on: {}, sql: {} }), 'or statements in "sql"');
  });

  it('refuses handlers without a key, and takes statements without one', () => {
    expectRefusal(() => define({ key: undefined }), '"key" is missing', 'event.aggregateId');
    expectRefusal(() => define({ key: 'id' }), `"key" is 'id'`, '(event)');
    expect(define({ on: undefined, key: undefined, sql: { 'order.created': () => [] } }).options.key).to.equal(
      undefined,
    );
  });

  it('refuses an event type that none of its aggregates has, in rows and in statements', () => {
    expectRefusal(
      () => define({ on: { 'order.create': row } }),
      `"on['order.create']"`,
      "did you mean 'order.created'?",
    );
    expectRefusal(
      () => define({ sql: { 'order.create': () => [] } }),
      `"sql['order.create']"`,
      "did you mean 'order.created'?",
    );
  });

  it('refuses indexes over columns that there are not', () => {
    for (const indexes of ['total', ['total'], [[]], [['total'], 'id']]) {
      expectRefusal(() => define({ indexes }), '"indexes"', "[['total']]");
    }
    expectRefusal(() => define({ indexes: [['total', 'sum']] }), "'sum' is no column");
    expect(define({ indexes: [['total', 'id']] }).options.indexes).to.deep.equal([['total', 'id']]);
  });

  it('refuses a version that is no integer of 1 or more, and unknown options', () => {
    for (const version of [0, 1.5, '2']) expectRefusal(() => define({ version }), '"version"', 'at least 1');
    expectRefusal(() => define({ colums: {} }), '"colums"', "did you mean 'columns'?");
  });

  it('names the table for the projection, - and . as _, and leaves sqlite_ to SQLite', () => {
    expect(define({ name: 'sales-by.country' }).options.table).to.equal('sales_by_country');
    expectRefusal(() => define({ name: 'sqlite-stat' }), '"name"', 'sqlite_');
  });

  it('fills in defaults: version 1, no indexes, no statements', () => {
    const { version, indexes, sql, of } = define({}).options;
    expect({ version, indexes, sql: sql.size, of }).to.deep.equal({ version: 1, indexes: [], sql: 0, of: [order] });
  });

  it('is frozen', () => {
    const definition = define({ indexes: [['total']] });
    const { options } = definition;
    for (const part of [
      definition,
      options,
      options.columns,
      options.columns[0],
      options.indexes,
      options.indexes[0],
    ]) {
      expect(Object.isFrozen(part)).to.equal(true);
    }
  });
});
