/** Laws of builds: a changed projection is built beside the old one, which answers until the new one takes its place. */
import { expect } from 'chai';
import { LIMITS } from '../../src/core/limits.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import { SqliteViews } from '../../src/projections/sqlite-views.js';
import { projection, type RuntimeProjection } from '../../src/projections/projection-definition.js';
import { counts, foldByHand } from './counting.js';
import { EventLog } from './event-log.js';
import { eventually, failure, hastyClock, ReadModels, settled } from './read-models.js';

const added = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ type: 'added', id: `id${i % 10}`, data: { n: 1 } }));

/** Version 1: how many. */
const first = projection({
  name: 'sales',
  version: 1,
  columns: { id: 'text primary key', many: 'integer', note: 'text' },
  key: (event) => event.aggregateId,
  on: { added: (row = { many: 0, note: 'old' }) => ({ ...row, many: row.many + 1 }) },
});

/** Version 2: another column in place of `note`, counted in tens. */
const second = projection({
  name: 'sales',
  version: 2,
  columns: { id: 'text primary key', many: 'integer', tens: 'integer null' },
  indexes: [['tens']],
  key: (event) => event.aggregateId,
  on: { added: (row = { many: 0, tens: 0 }) => ({ many: row.many + 1, tens: (row.tens ?? 0) + 10 }) },
});

describe('builds', () => {
  let models: ReadModels;
  let log: EventLog;

  beforeEach(() => {
    models = new ReadModels();
    log = new EventLog();
    log.add(...added(100));
  });

  afterEach(() => models.close());

  it('a new version takes the place of the old one when it is at the head, with its own columns and indexes', async () => {
    await models.fold(log, [first]);
    const [rows] = await models.fold(log, [second]);
    expect(rows).to.have.length(10);
    expect(rows?.[0]).to.deep.equal({ id: 'id0', many: 10, tens: 100 });
    const tables = await models.ask("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    expect(tables).to.deep.equal([{ name: 'sales' }, { name: 'troupe_projections' }, { name: 'troupe_views' }]);
    expect(await models.ask('SELECT version, state, position FROM troupe_projections')).to.deep.equal([
      { version: 2, state: 'live', position: 100 },
    ]);
  });

  it('other columns under the same version are another build too', async () => {
    await models.fold(log, [first]);
    const renamed = projection({ ...options(second), version: 1 });
    expect((await models.fold(log, [renamed]))[0]?.[0]).to.deep.equal({ id: 'id0', many: 10, tens: 100 });
  });

  it('the old one answers while the new one is built: queries in its columns, what it lacks is null', async () => {
    await models.fold(log, [first]);
    log.add(...added(50));
    log.reopen();
    const held = holdReads(log);
    const running = await models.start(log, [second]);
    const view = running.view(second);
    expect(await view.get('id0')).to.deep.equal({ id: 'id0', many: 10, tens: null });
    expect(await view.count({ where: { tens: null } })).to.equal(10);
    expect(await view.find({ where: { tens: { gt: 0 } }, orderBy: { tens: 'desc' } })).to.deep.equal([]);
    expect(running.metrics()[0]).to.include({ version: 2, state: 'rebuilding', position: 0, lag: 150 });
    expect(running.isSettled(log.head)).to.equal(false);
    expect((await failure(view.caughtUp(1, { timeout: 1 }))).code).to.equal('TROUPE_ASK_TIMEOUT');
    held.release();
    await view.caughtUp();
    expect(await view.get('id0')).to.deep.equal({ id: 'id0', many: 15, tens: 150 });
    expect(running.metrics()[0]).to.include({ version: 2, state: 'running', position: 150, lag: 0 });
  });

  it('columns that have another type in the old one are null until the new one is there', async () => {
    await models.fold(log, [first]);
    log.reopen();
    const held = holdReads(log);
    const retyped = projection({
      name: 'sales',
      version: 2,
      columns: { id: 'text primary key', many: 'real', note: 'json null' },
      key: (event) => event.aggregateId,
      on: { added: (row = { many: 0, note: [] }) => ({ many: row.many + 0.5, note: { n: row.many } }) },
    });
    const running = await models.start(log, [retyped]);
    const view = running.view(retyped);
    expect(await view.get('id0')).to.deep.equal({ id: 'id0', many: 10, note: null });
    held.release();
    await view.caughtUp();
    expect(await view.get('id0')).to.deep.equal({ id: 'id0', many: 5, note: { n: 4.5 } });
  });

  it('no query fails and none sees half of each while the new one takes its place, with events coming all the time', async () => {
    await models.fold(log, [first]);
    log.add(...added(LIMITS.projectionBatch * 3));
    log.reopen();
    const running = await models.start(log, [second]);
    const view = running.view(second);
    const seen = { old: 0, new: 0 };
    const reader = async (): Promise<void> => {
      while (running.metrics()[0]?.state === 'rebuilding' || seen.new < 20) {
        const rows = await view.find();
        const old = rows.every((row) => row.tens === null && row.many === 10);
        const built = rows.every((row) => row.tens === row.many * 10 && row.many >= 610);
        expect(old || built, JSON.stringify(rows[0])).to.equal(true);
        if (old) expect(seen.new, 'the old one after the new one').to.equal(0);
        seen[old ? 'old' : 'new'] += 1;
        log.add(...added(10));
      }
    };
    await Promise.all([reader(), reader(), reader()]);
    await settled(running, log);
    expect(seen.old).to.be.greaterThan(0);
    expect(await view.get('id3')).to.deep.equal({ id: 'id3', many: log.head / 10, tens: log.head });
  });

  it('a build that was interrupted goes on where it was', async () => {
    await models.fold(log, [first]);
    log.add(...added(LIMITS.projectionBatch * 4));
    log.reopen();
    let pages = 0;
    const held = holdReads(log, () => {
      pages += 1;
      return pages > 2;
    });
    const running = await models.start(log, [second]);
    await eventually(() => running.metrics()[0]?.position === LIMITS.projectionBatch);
    const stopping = running.stop();
    held.release();
    await stopping;
    const [building] = await models.ask<{ position: number }>(
      "SELECT position FROM troupe_projections WHERE state = 'building'",
    );
    expect(building?.position).to.be.within(LIMITS.projectionBatch, LIMITS.projectionBatch * 3);
    let firstRead: number | undefined;
    const { read } = log.journal;
    log.reopen();
    log.journal.read = (query) => {
      firstRead ??= query.after;
      return read(query);
    };
    const [rows] = await models.fold(log, [second]);
    expect(firstRead).to.equal(building?.position);
    expect(rows?.[0]).to.deep.equal({ id: 'id0', many: 810, tens: 8_100 });
  });

  it('a build of a version that is given up is dropped, and the old one goes on', async () => {
    await models.fold(log, [first]);
    log.reopen();
    const held = holdReads(log);
    const abandoned = await models.start(log, [second]);
    const stopping = abandoned.stop();
    held.release();
    await stopping;
    log.add(...added(10));
    const [rows] = await models.fold(log, [first]);
    expect(rows?.[0]).to.deep.equal({ id: 'id0', many: 11, note: 'old' });
    expect(await models.ask("SELECT name FROM sqlite_schema WHERE name LIKE 'troupe_building%'")).to.deep.equal([]);
  });

  it('a new version that can not take an event stops there, and the old one goes on answering', async () => {
    await models.fold(log, [first]);
    const broken = projection({ ...options(second), on: { added: () => ({ many: 'x' }) } });
    const running = await models.start(log, [broken]);
    await settled(running, log);
    expect(running.metrics()[0]).to.include({ state: 'stopped', position: 0 });
    expect(running.problems()[0]?.position).to.equal(1);
    expect(await running.view(broken).get('id0')).to.deep.equal({ id: 'id0', many: 10, tens: null });
    expect((await failure(running.view(broken).caughtUp())).message).to.match(/stopped at position 1/);
    await running.stop();
    const [rows] = await models.fold(log, [second]);
    expect(rows?.[0]).to.deep.equal({ id: 'id0', many: 10, tens: 100 });
  });

  it('another projection with the same table name is another build', async () => {
    await models.fold(log, [projection({ ...options(first), name: 'a-b' })]);
    const [rows] = await models.fold(log, [
      projection({ ...options(first), name: 'a.b', on: { removed: () => null } }),
    ]);
    expect(rows).to.deep.equal([]);
  });

  it('rebuild() builds anew beside the rows, and resolves when they have been replaced', async () => {
    const running = await models.start(log, [counts]);
    await settled(running, log);
    await models.ask("UPDATE counts SET sum = -1 WHERE id = 'id3'");
    expect((await running.view(counts).get('id3'))?.sum).to.equal(-1);
    await running.view(counts).rebuild();
    expect(await running.view(counts).find()).to.deep.equal(foldByHand(log)[0]);
    log.add(...added(5));
    await running.view(counts).caughtUp();
    expect(await running.view(counts).find()).to.deep.equal(foldByHand(log)[0]);
  });

  it('while it is rebuilt the live one goes on: caughtUp and reads see new events, and never an older state', async () => {
    log.add(...added(LIMITS.projectionBatch * 2));
    log.reopen();
    const running = await models.start(log, [counts]);
    await settled(running, log);
    const view = running.view(counts);
    let rebuilt = false;
    const rebuild = view.rebuild().then(() => {
      rebuilt = true;
    });
    let rounds = 0;
    let last = 0;
    while (!rebuilt) {
      log.add(...added(10));
      await view.caughtUp();
      const events = (await view.get('id0'))?.events ?? 0;
      expect(events).to.be.at.least(log.head / 10);
      expect(events).to.be.at.least(last);
      last = events;
      rounds += 1;
    }
    await rebuild;
    expect(rounds).to.be.greaterThan(0);
    await settled(running, log);
    expect(await view.find()).to.deep.equal(foldByHand(log)[0]);
  });

  it('rebuilds that are asked for at the same time are one', async () => {
    const running = await models.start(log, [counts]);
    const { rebuild } = running.view(counts);
    await Promise.all([1, 2, 3].map(() => rebuild.call(running.view(counts))));
    const [{ generation } = { generation: 0 }] = await models.ask<{ generation: number }>(
      'SELECT generation FROM troupe_projections',
    );
    expect(generation).to.equal(2);
  });

  it('a watcher sees the change that a rebuild brings', async () => {
    const running = await models.start(log, [counts]);
    await settled(running, log);
    await models.ask("UPDATE counts SET sum = -1 WHERE id = 'id3'");
    const seen: unknown[] = [];
    running
      .view(counts)
      .watch('id3')
      .subscribe((row) => seen.push(row?.sum));
    await eventually(() => seen.length === 1);
    await running.view(counts).rebuild();
    await eventually(() => seen.length === 2);
    expect(seen).to.deep.equal([-1, 10]);
  });

  it('stop while it is rebuilt rejects with TROUPE_SYSTEM_STOPPED, and the next start finishes it', async () => {
    const running = await models.start(log, [counts]);
    await settled(running, log);
    log.reopen();
    await running.stop();
    const again = await models.start(log, [counts]);
    const held = holdReads(log);
    const rebuild = failure(again.view(counts).rebuild());
    await eventually(() => again.metrics()[0]?.state === 'rebuilding');
    const stopping = again.stop();
    held.release();
    await stopping;
    expect((await rebuild).code).to.equal('TROUPE_SYSTEM_STOPPED');
    expect(await models.fold(log, [counts])).to.deep.equal([foldByHand(log)[0]]);
    expect(await models.ask('SELECT state, generation FROM troupe_projections')).to.deep.equal([
      { state: 'live', generation: 2 },
    ]);
  });

  it('a swap that the disk refuses is tried again', async () => {
    await models.fold(log, [first]);
    const { swap } = SqliteViews.prototype;
    let refusals = 3;
    SqliteViews.prototype.swap = async function (plan, built) {
      refusals -= 1;
      if (refusals >= 0) throw new TroupeError('TROUPE_JOURNAL_WRITE_FAILED', 'the disk is full');
      await swap.call(this, plan, built);
    };
    try {
      log.reopen();
      const running = await models.start(log, [second], { clock: hastyClock });
      await settled(running, log);
      expect((await running.view(second).get('id0'))?.tens).to.equal(100);
    } finally {
      SqliteViews.prototype.swap = swap;
    }
    expect(models.log.matching('warn', /disk is full/)).to.have.length.greaterThan(0);
  });
});

/** The options that a definition was made from, near enough to make another one. */
function options(definition: RuntimeProjection): Omit<Parameters<typeof projection>[0], 'name'> & { name: string } {
  const { name, options } = definition;
  const { version, columns, indexes, key, on } = options;
  return {
    name,
    version,
    columns: Object.fromEntries(
      columns.map((column) => [
        column.name,
        `${column.type} ${column.primaryKey ? 'primary key' : column.notNull ? 'not null' : 'null'}`,
      ]),
    ) as never,
    indexes: indexes,
    key: key as never,
    on: Object.fromEntries(on) as never,
  };
}

/** Makes readers of the journal wait, those for which `holds` is true. */
function holdReads(log: EventLog, holds: () => boolean = () => true): { release(): void } {
  const { read } = log.journal;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  log.journal.read = async (query) => {
    if (holds()) await released;
    return read(query);
  };
  return {
    release: () => {
      log.journal.read = read;
      release();
    },
  };
}
