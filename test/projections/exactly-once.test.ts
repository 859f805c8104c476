/** Laws of exactly once: whatever happens between two batches, the rows are those of a plain fold of the log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { LIMITS } from '../../src/core/limits.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import { SqliteConnection, type SqliteSession } from '../../src/journal/sqlite-connection.js';
import { projection } from '../../src/projections/projection-definition.js';
import { counting, counts, foldByHand, mixture } from './counting.js';
import { EventLog } from './event-log.js';
import { hastyClock, ReadModels, settled } from './read-models.js';

describe('exactly once', () => {
  let models: ReadModels;

  beforeEach(() => {
    models = new ReadModels();
  });

  afterEach(() => models.close());

  it('a restart after each of 40 events changes nothing', async () => {
    const log = new EventLog();
    for (const event of mixture(40)) {
      log.add(event);
      expect(await models.fold(log, counting), `after ${log.head}`).to.deep.equal(foldByHand(log));
    }
  });

  it('live events, in commits of all sizes, count as in the plain fold', async () => {
    const log = new EventLog();
    const running = await models.start(log, counting);
    const events = mixture(600);
    for (let i = 0, size = 1; i < events.length; i += size, size = (size % 37) + 1) {
      log.add(...events.slice(i, i + size));
      if (size % 5 === 0) await settled(running, log);
    }
    await settled(running, log);
    const rows = [];
    for (const definition of counting) rows.push(await running.view(definition).find());
    expect(rows).to.deep.equal(foldByHand(log));
  });

  it('events beyond the window come from the journal, in pages, also while new ones come', async () => {
    const log = new EventLog();
    log.add(...mixture(LIMITS.projectionBatch * 2 + 123, 3_000));
    log.reopen(50);
    const running = await models.start(log, [counts]);
    for (const event of mixture(200, 3_000)) log.add(event);
    await settled(running, log);
    expect(await running.view(counts).find()).to.deep.equal(foldByHand(log)[0]);
  });

  for (const moment of ['before', 'after'] as const) {
    it(`a write that fails ${moment} it is done is repeated from the checkpoint, at each of the first 8 writes`, async () => {
      for (let broken = 1; broken <= 8; broken += 1) {
        const log = new EventLog(`journal-${moment}-${broken}`);
        const path = `${models.path}-${moment}-${broken}`;
        const restore = breakWrite(broken, moment);
        try {
          const running = await models.start(log, counting, { path, clock: hastyClock });
          for (const event of mixture(30)) {
            log.add(event);
            if (event.type === 'removed') await settled(running, log);
          }
          await settled(running, log);
          const rows = [];
          for (const definition of counting) rows.push(await running.view(definition).find());
          expect(rows, `write ${broken}`).to.deep.equal(foldByHand(log));
          expect(running.problems()).to.deep.equal([]);
          await running.stop();
        } finally {
          restore();
        }
      }
      expect(models.log.matching('warn', /tries again: the disk is full/)).to.have.length(8);
    });
  }

  it('a page that can not be read is read again, and counts once', async () => {
    const log = new EventLog();
    log.add(...mixture(LIMITS.projectionBatch + 100, 50));
    log.reopen();
    let reads = 0;
    log.onRead = () => {
      reads += 1;
      if (reads % 2 === 1) throw new TroupeError('TROUPE_JOURNAL_WRITE_FAILED', 'the disk reported an error');
    };
    const running = await models.start(log, counting, { clock: hastyClock });
    await settled(running, log);
    const rows = [];
    for (const definition of counting) rows.push(await running.view(definition).find());
    expect(rows).to.deep.equal(foldByHand(log));
  });

  it('a key given twice by one event counts once, and a skipped event not at all', async () => {
    const log = new EventLog();
    log.add(
      { type: 'added', id: 'a', data: { n: 1 } },
      { type: 'skipped', id: 'a' },
      { type: 'added', id: 'b', data: { n: 1 } },
    );
    const [, , tallied] = await models.fold(log, counting);
    expect(tallied).to.deep.equal([
      { key: 'all', events: 2 },
      { key: 'one/a', events: 1 },
      { key: 'one/b', events: 1 },
    ]);
  });

  it('one event with 15,000 keys, more than the rows kept in memory, changes each of them once', async () => {
    const keys = Array.from({ length: LIMITS.projectionRowsCached * 1.5 }, (_, i) => i);
    const wide = projection({
      name: 'wide',
      columns: { n: 'integer primary key', times: 'integer' },
      key: () => keys,
      on: { added: (row = { times: 0 }) => ({ times: row.times + 1 }) },
    });
    const log = new EventLog();
    log.add(...Array.from({ length: 5 }, () => ({ type: 'added' })));
    const running = await models.start(log, [wide]);
    await settled(running, log);
    expect(await running.view(wide).count({ where: { times: 5 } })).to.equal(keys.length);
    expect(await running.view(wide).count()).to.equal(keys.length);
  });

  it('more rows than are kept in memory go out and come back', async () => {
    const log = new EventLog();
    const ids = LIMITS.projectionRowsCached + 2_500;
    const added = (n: number) => Array.from({ length: ids }, (_, i) => ({ type: 'added', id: `id${i}`, data: { n } }));
    log.add(...added(1), ...added(2), ...added(3));
    log.reopen();
    const running = await models.start(log, [counts]);
    await settled(running, log);
    expect(await running.view(counts).count({ where: { events: 3, sum: 6 } })).to.equal(ids);
  });

  it('a batch of 40 rows of 1 MB each is one transaction too', async () => {
    const large = projection({
      name: 'large',
      columns: { id: 'text primary key', text: 'text' },
      key: (event) => event.aggregateId,
      on: { added: (_row, { aggregateId }) => ({ text: aggregateId.repeat(500_000) }), removed: () => null },
    });
    const log = new EventLog();
    log.add(...Array.from({ length: 40 }, (_, i) => ({ type: 'added', id: String(i + 10) })), {
      type: 'removed',
      id: '11',
    });
    const running = await models.start(log, [large]);
    await settled(running, log);
    const [row] = await running.view(large).sql('SELECT count(*) AS n, min(length(text)) AS least FROM large');
    expect(row).to.deep.equal({ n: 39, least: 1_000_000 });
  });

  it('the checkpoint in the file is never beyond the rows: a reader sees whole batches', async () => {
    const log = new EventLog();
    const running = await models.start(log, [counts]);
    const events = mixture(500, 3).filter((event) => event.type === 'added');
    let seen = 0;
    for (const event of events) {
      log.add(event);
      // One statement is one state of the file.
      const [row] = await running.view(counts).sql<{ position: number; events: number }>(
        `SELECT position, (SELECT coalesce(sum(events), 0) FROM counts) AS events
           FROM troupe_projections WHERE table_name = 'counts'`,
      );
      expect(row?.events).to.equal(row?.position);
      seen = Math.max(seen, row?.events ?? 0);
    }
    expect(seen).to.be.greaterThan(0);
  });

  it('kill -9 at 6 moments: after each the rows are those of a plain fold', async function () {
    this.timeout(60_000);
    const log = new EventLog('journal-of-the-child');
    log.add(...mixture(12_000, 300));
    for (let kill = 1; kill <= 6; kill += 1) {
      const child = spawn(process.execPath, [new URL('./folding-child.js', import.meta.url).pathname, models.path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      let told = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        // It writes a dot for each batch.
        told += chunk.length;
        if (told >= kill * 3) child.kill('SIGKILL');
      });
      const [, signal] = (await exited) as [number | null, string | null];
      expect(signal, `kill ${kill}`).to.equal('SIGKILL');
    }
    expect(await models.fold(log, counting)).to.deep.equal(foldByHand(log));
  });
});

/** Makes the n-th write of a batch fail, of all connections; gives the way back. */
function breakWrite(nth: number, moment: 'before' | 'after'): () => void {
  const { run, transaction } = SqliteConnection.prototype;
  let writes = 0;
  /** Whether this is the write that fails. */
  const isBroken = (sql: string): boolean => {
    if (!sql.includes('troupe_apply')) return false;
    writes += 1;
    return writes === nth;
  };
  const fault = () => new TroupeError('TROUPE_JOURNAL_WRITE_FAILED', 'the disk is full');
  SqliteConnection.prototype.run = async function (sql, ...params) {
    if (!isBroken(sql)) return run.call(this, sql, ...params);
    if (moment === 'after') await run.call(this, sql, ...params);
    throw fault();
  };
  SqliteConnection.prototype.transaction = async function <T>(
    work: (session: SqliteSession) => Promise<T>,
  ): Promise<T> {
    let broken = false;
    const counted = (session: SqliteSession): Promise<T> =>
      work({
        all: (sql, ...params) => session.all(sql, ...params),
        get: (sql, ...params) => session.get(sql, ...params),
        exec: (sql) => session.exec(sql),
        run: async (sql, ...params) => {
          broken ||= isBroken(sql);
          if (broken && moment === 'before') throw fault();
          return session.run(sql, ...params);
        },
      });
    // The type parameter is lost by `call`; the original gives what `work` gives.
    const result = (await transaction.call(this, counted)) as T;
    if (broken) throw fault();
    return result;
  };
  return () => {
    SqliteConnection.prototype.run = run;
    SqliteConnection.prototype.transaction = transaction;
  };
}
