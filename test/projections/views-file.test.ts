/** Laws of the views file: whose it is, what stands in it, and what becomes of one that is damaged or somebody else's. */
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { projection } from '../../src/projections/projection-definition.js';
import { Projections } from '../../src/projections/projections.js';
import { counting, counts, foldByHand, mixture, tallies } from './counting.js';
import { EventLog } from './event-log.js';
import { failure, ReadModels, settled } from './read-models.js';

describe('the views file', () => {
  let models: ReadModels;
  let log: EventLog;

  beforeEach(() => {
    models = new ReadModels();
    log = new EventLog();
    log.add(...mixture(50));
  });

  afterEach(() => models.close());

  it('has one table for each projection, - and . as _, with the declared columns in their order', async () => {
    const wide = projection({
      name: 'My-wide.Table',
      columns: { order: 'integer primary key', select: 'json', b: 'real null', a: 'text' },
      indexes: [['a', 'b'], ['select']],
      key: (event) => event.position,
      on: { added: (_row, { type }) => ({ select: [type], b: 0.5, a: 'x' }) },
    });
    await models.fold(log, [wide]);
    const columns = await models.ask<{ name: string; type: string }>(
      "SELECT name, type FROM pragma_table_info('My_wide_Table')",
    );
    expect(columns).to.deep.equal([
      { name: 'order', type: 'INTEGER' },
      { name: 'select', type: 'TEXT' },
      { name: 'b', type: 'REAL' },
      { name: 'a', type: 'TEXT' },
    ]);
    const [row] = await models.ask('SELECT * FROM My_wide_Table');
    expect(row).to.deep.equal({ order: 1, select: '["added"]', b: 0.5, a: 'x' });
    const indexes = await models.ask("SELECT name FROM pragma_index_list('My_wide_Table')");
    expect(indexes).to.have.length(2);
  });

  it('carries the identity of the journal, and in its header the mark of a views file', async () => {
    await models.fold(log, [counts]);
    expect(await models.ask("SELECT value FROM troupe_views WHERE key = 'journal'")).to.deep.equal([
      { value: 'journal-1' },
    ]);
    expect(readFileSync(models.path).toString('latin1', 68, 72)).to.equal('Trpv');
  });

  it('is built anew when it belongs to another journal', async () => {
    await models.fold(log, counting);
    const other = new EventLog('journal-2');
    other.add(...mixture(20, 3));
    expect(await models.fold(other, counting)).to.deep.equal(foldByHand(other));
    expect(models.log.matching('warn', /belongs to another journal; .*built anew/)).to.have.length(1);
  });

  it('is built anew when its checkpoint lies beyond the head, and only then', async () => {
    await models.fold(log, counting);
    log.truncate(50);
    expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
    expect(models.log.matching('warn', /./)).to.have.length(0);
    log.truncate(30);
    expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
    expect(models.log.matching('warn', /at position 50, beyond the journal's last event at 30/)).to.have.length(1);
  });

  it('built anew, it takes the events that came after the loss', async () => {
    await models.fold(log, counting);
    log.truncate(30);
    const events = mixture(10, 2);
    await models.fold(log, counting);
    log.add(...events);
    expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
  });

  it('a checkpoint beyond the head of a projection that is no longer defined counts too', async () => {
    await models.fold(log, counting);
    log.truncate(30);
    expect(await models.fold(log, [counts])).to.deep.equal([foldByHand(log)[0]]);
    expect(models.log.matching('warn', /beyond/)).to.have.length(1);
  });

  it('tables of projections that are no longer defined are left alone, and go on when they are again', async () => {
    await models.fold(log, [counts, tallies]);
    const before = await models.ask('SELECT * FROM tallies ORDER BY key');
    log.add(...mixture(5));
    await models.fold(log, [counts]);
    expect(await models.ask('SELECT * FROM tallies ORDER BY key')).to.deep.equal(before);
    expect(await models.fold(log, [counts, tallies])).to.deep.equal([foldByHand(log)[0], foldByHand(log)[2]]);
  });

  it('deleted whole, it is built anew', async () => {
    await models.fold(log, counting);
    await models.close();
    mkdirSync(models.folder);
    expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
  });

  it('a table that somebody dropped, or whose entry somebody deleted, is built anew, the others are not', async () => {
    await models.fold(log, counting);
    await models.ask('DROP TABLE tallies');
    await models.ask("DELETE FROM troupe_projections WHERE table_name = 'counts'");
    await models.ask("UPDATE counts_by_sql SET sum = -1 WHERE id = 'id0'");
    const [one, two, three] = await models.fold(log, counting);
    const [byHand, , tallied] = foldByHand(log);
    expect(one).to.deep.equal(byHand);
    expect(two).to.deep.include({ ...byHand[0], sum: -1 });
    expect(three).to.deep.equal(tallied);
  });

  it('there is none without projections', async () => {
    await models.fold(log, []);
    expect(existsSync(models.path)).to.equal(false);
  });

  it('an empty file is taken', async () => {
    writeFileSync(models.path, '');
    expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
  });

  it("somebody else's SQLite database is refused and left as it is", async () => {
    const other = await SqliteConnection.open(models.path, { mode: 'create' });
    await other.exec('CREATE TABLE precious (n); INSERT INTO precious VALUES (1)');
    await other.close();
    const before = readFileSync(models.path);
    const error = await failure(models.start(log, counting));
    expect(error.code).to.equal('TROUPE_INVALID_OPTIONS');
    expect(error.message).to.match(/another SQLite database; move it away/);
    expect(readFileSync(models.path).equals(before)).to.equal(true);
  });

  it('a folder in its place is refused', async () => {
    mkdirSync(models.path);
    const error = await failure(models.start(log, counting));
    expect(error.code).to.equal('TROUPE_INVALID_OPTIONS');
    expect(error.message).to.match(/check that it is a file/);
  });

  it('what is no database is set aside, never overwritten, and the file built anew', async () => {
    writeFileSync(models.path, 'not a database, but somebody may want it');
    expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
    expect(models.log.matching('warn', /damaged: it is set aside as .*shop\.db\.views\.damaged-\d+/)).to.have.length(1);
    const aside = readdirSync(models.folder).find((name) => name.includes('damaged')) ?? '';
    expect(readFileSync(join(models.folder, aside), 'utf8')).to.equal('not a database, but somebody may want it');
  });

  for (const [how, damage] of Object.entries<(path: string) => void>({
    'its header is gone': (path) => overwrite(path, 0, 64),
    'its second page is gone': (path) => overwrite(path, 4_096, 4_096),
    'all pages but the first are gone': (path) => truncateSync(path, 4_096),
    'it ends within a page': (path) => truncateSync(path, readFileSync(path).length - 1_000),
  })) {
    it(`damaged (${how}), it ends in the right rows, with a warning if it had to be set aside`, async () => {
      await models.fold(log, counting);
      damage(models.path);
      expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
      const aside = readdirSync(models.folder).filter((name) => /damaged-\d+$/.test(name));
      expect(models.log.matching('warn', /damaged/)).to.have.length(aside.length);
    });
  }

  it('two projections with one table name are refused, whatever their case', () => {
    const named = (name: string) => projection({ ...base, name });
    const base = { columns: { id: 'text primary key' }, key: () => 'a', on: { added: () => ({}) } } as const;
    for (const [one, other] of [
      ['a-b', 'a.b'],
      ['a_b', 'A-B'],
    ] as const) {
      expect(() => new Projections({ ...unused(log), definitions: [named(one), named(other)] }))
        .to.throw(/both need the table/)
        .with.property('code', 'TROUPE_INVALID_OPTIONS');
    }
    for (const name of ['troupe_views', 'Troupe-x']) {
      expect(() => new Projections({ ...unused(log), definitions: [named(name)] }))
        .to.throw(/may not begin with troupe_/)
        .with.property('code', 'TROUPE_INVALID_OPTIONS');
    }
  });

  it('a key column of type json is refused', () => {
    const definition = projection({
      name: 'x',
      columns: { id: 'json primary key' },
      key: () => 'a',
      on: { added: () => ({}) },
    });
    expect(() => new Projections({ ...unused(log), definitions: [definition] })).to.throw(/can't be of type json/);
  });

  it('stop is idempotent, and leaves neither log nor lock: another program can take the file', async () => {
    const running = await models.start(log, counting);
    await settled(running, log);
    await Promise.all([running.stop(), running.stop()]);
    expect(readdirSync(models.folder)).to.deep.equal(['shop.db.views']);
    await models.ask('PRAGMA journal_mode = DELETE');
  });

  it('stop writes the checkpoint of events that changed nothing', async () => {
    log.add(...Array.from({ length: 30 }, () => ({ type: 'none of its types' })));
    await models.fold(log, [counts]);
    expect(await models.ask('SELECT position FROM troupe_projections')).to.deep.equal([{ position: 80 }]);
  });
});

function overwrite(path: string, at: number, count: number): void {
  const content = readFileSync(path);
  for (let i = at; i < Math.min(at + count, content.length); i += 1) content[i] = (content[i] ?? 0) ^ 0xa5;
  writeFileSync(path, content);
}

function unused(log: EventLog) {
  const { journal, window } = log;
  const nowhere = { debug: silent, info: silent, warn: silent, error: silent };
  const clock = { now: () => 0, monotonic: () => 0, setTimer: () => ({ cancel: silent }) };
  return { journal, window, viewsPath: ':memory:', clock, log: nowhere };
}

function silent(): void {
  // Nobody listens.
}
