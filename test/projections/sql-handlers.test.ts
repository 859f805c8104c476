/** Laws of `sql` handlers: statements count with the checkpoint, can't reach beyond rows, and their faults are the event's. */
import { expect } from 'chai';
import { projection, type RuntimeProjection, type SqlStatement } from '../../src/projections/projection-definition.js';
import { EventLog } from './event-log.js';
import { ReadModels, settled } from './read-models.js';

/** A projection of one statement, whatever the event. */
function stating(statements: (event: { data: unknown }) => unknown, name = 'by-month'): RuntimeProjection {
  return projection({
    name,
    columns: { month: 'text primary key', n: 'integer', note: 'text null' },
    sql: { sold: statements as () => SqlStatement[] },
  });
}

const upsert =
  'INSERT INTO by_month (month, n) VALUES (?, ?) ON CONFLICT (month) DO UPDATE SET n = by_month.n + excluded.n';

describe('sql handlers', () => {
  let models: ReadModels;
  let log: EventLog;

  beforeEach(() => {
    models = new ReadModels();
    log = new EventLog();
  });

  afterEach(() => models.close());

  const stoppedBy = async (definition: RuntimeProjection): Promise<string> => {
    const running = await models.start(log, [definition], { path: ':memory:' });
    await settled(running, log);
    const [metrics] = running.metrics();
    expect(metrics?.state).to.equal('stopped');
    await running.stop();
    return metrics?.error ?? '';
  };

  it('run with bound parameters; a handler may return none', async () => {
    const definition = stating(({ data }) =>
      (data as string[])[0] === 'skip' ? [] : [[upsert, ...(data as [string, number])]],
    );
    log.add({ type: 'sold', data: ["'); DROP TABLE by_month; --", 1] }, { type: 'sold', data: ['skip'] });
    log.add({ type: 'sold', data: ['may', 3_000_000_000] }, { type: 'sold', data: ['may', 1] });
    const running = await models.start(log, [definition]);
    await settled(running, log);
    expect(await running.view(definition).find()).to.deep.equal([
      { month: "'); DROP TABLE by_month; --", n: 1, note: null },
      { month: 'may', n: 3_000_000_001, note: null },
    ]);
  });

  it('a statement that fails undoes its event whole, keeps those before, and stops the projection there', async () => {
    const definition = stating(({ data }) => [
      [upsert, 'may', 1],
      ...(data === 'bad' ? [['INSERT INTO nowhere VALUES (1)']] : []),
    ]);
    log.add({ type: 'sold' }, { type: 'sold' }, { type: 'sold', data: 'bad' }, { type: 'sold' });
    const running = await models.start(log, [definition]);
    await settled(running, log);
    expect(await running.view(definition).find()).to.deep.equal([{ month: 'may', n: 2, note: null }]);
    expect(running.metrics()[0]).to.include({ state: 'stopped', position: 2 });
    expect(running.problems()[0]?.position).to.equal(3);
    expect(running.problems()[0]?.error).to.match(/at position 3 .*no such table: nowhere/);
  });

  it('a broken rule of the table is a fault of the event', async () => {
    log.add({ type: 'sold' });
    expect(await stoppedBy(stating(() => [['INSERT INTO by_month (month, n) VALUES (?, ?)', 'may', 'many']]))).to.match(
      /cannot store TEXT value in INTEGER column/,
    );
  });

  it('only statements that write rows are taken', async () => {
    log.add({ type: 'sold' });
    for (const statement of [
      'COMMIT',
      'PRAGMA user_version = 1',
      "ATTACH 'x' AS y",
      'DROP TABLE by_month',
      '-- INSERT\nBEGIN',
      'SELECT 1',
      '',
    ]) {
      expect(await stoppedBy(stating(() => [[statement]])), statement).to.match(/none that writes rows/);
    }
  });

  it('what is no statement is refused, and so is what SQLite would bind in silence as something else', async () => {
    log.add({ type: 'sold' });
    expect(await stoppedBy(stating(() => upsert))).to.match(/return an array of \[statement/);
    expect(await stoppedBy(stating(() => [upsert]))).to.match(/as a statement/);
    expect(await stoppedBy(stating(() => [[upsert, 'may', undefined]]))).to.match(/parameter 2 .* is undefined/);
    expect(await stoppedBy(stating(() => [[upsert, 'may', 5n]]))).to.match(/parameter 2 .* is 5n/);
    expect(await stoppedBy(stating(() => [[upsert, 'may', {}]]))).to.match(/parameter 2 .* is an object/);
    expect(await stoppedBy(stating(() => [[upsert, 'may', NaN]]))).to.match(/parameter 2 .* is NaN/);
  });

  it('rows and statements of one projection see each other, in the order of the events', async () => {
    const both = projection({
      name: 'both',
      columns: { id: 'text primary key', n: 'integer' },
      key: (event) => event.aggregateId,
      on: { added: (row = { n: 0 }) => ({ n: row.n + 1 }), mixed: (row = { n: 0 }) => ({ n: row.n + 1 }) },
      sql: { doubled: () => [['UPDATE both SET n = n * 2']], mixed: () => [['UPDATE both SET n = n * 10']] },
    });
    const types = ['added', 'doubled', 'added', 'doubled', 'doubled', 'mixed', 'added', 'mixed'];
    log.add(...types.map((type) => ({ type })));
    const running = await models.start(log, [both]);
    await settled(running, log);
    // ((((1 * 2) + 1) * 2 * 2) + 1) * 10 + 1 + 1) * 10
    expect(await running.view(both).find()).to.deep.equal([{ id: 'a', n: 1_320 }]);
  });

  it('are run on the table that is being built, not on the one that answers meanwhile', async () => {
    const first = stating(() => [[upsert, 'may', 1]]);
    log.add({ type: 'sold' }, { type: 'sold' });
    await models.fold(log, [first]);
    const second = projection({
      name: 'by-month',
      version: 2,
      columns: { month: 'text primary key', n: 'integer', note: 'text null' },
      sql: {
        sold: () => [
          [
            `INSERT INTO "by_month" (month, n, note) VALUES (?, ?, 'by_month') ON CONFLICT (month) DO UPDATE SET n = BY_MONTH.n + 10 /* by_month */`,
            'june',
            10,
          ],
        ],
      },
    });
    const [rows] = await models.fold(log, [second]);
    expect(rows).to.deep.equal([{ month: 'june', n: 20, note: 'by_month' }]);
  });

  it('a watcher hears of what statements change', async () => {
    const definition = stating(() => [[upsert, 'may', 1]]);
    const running = await models.start(log, [definition]);
    const seen: unknown[] = [];
    const subscription = running
      .view(definition)
      .watch('may')
      .subscribe((row) => seen.push(row?.['n']));
    for (let n = 1; n <= 3; n += 1) {
      log.add({ type: 'sold' });
      await running.view(definition).caughtUp();
      await running.view(definition).get('may');
    }
    await settled(running, log);
    await running.view(definition).get('may');
    expect(seen.at(-1)).to.equal(3);
    subscription.unsubscribe();
  });

  it('a column with the name of its table is refused: a statement could mean either', async () => {
    const definition = projection({
      name: 'by-month',
      columns: { id: 'text primary key', By_Month: 'integer' },
      sql: { sold: () => [] },
    });
    expect(() => models.start(log, [definition])).to.not.throw();
    const error = await models.start(log, [definition]).catch((error: unknown) => error as Error);
    expect((error as Error).message).to.match(/column By_Month has the name of the table/);
  });
});
