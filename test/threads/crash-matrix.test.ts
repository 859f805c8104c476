/**
 * Workers that die, as laws over the journal: five ways to die, at four moments, by the hand of an aggregate, an actor,
 * or a reaction's handler or command, under traffic of tells, sends and asks.
 *
 * Each way runs in a process of its own, which must end by itself. `TROUPE_CRASH_ROUNDS` sets how many seeds each way
 * gets; a failure names its seed.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import sqlite3 from 'sqlite3';
import type { CrashCase } from './fixtures/crash-child.js';
import { MOMENTS, VICTIMS, WAYS } from './fixtures/mortal.js';

const CHILD = fileURLToPath(new URL('./fixtures/crash-child.js', import.meta.url));
const ROUNDS = Number(process.env['TROUPE_CRASH_ROUNDS'] ?? 1);
/** Of one child: 12 systems, each of which loses a worker, on a machine that may have other things to do. */
const CHILD_MS = 600_000;

describe('workers that die', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const way of WAYS) {
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      it(`${way}, seed ${seed}: nothing acknowledged is lost or done twice, order is kept, others go on`, async () => {
        const { code, signal, cases } = await runChild([folder, way, String(seed)]);
        expect({ code, signal }).to.deep.equal({ code: 0, signal: null });
        expect(cases).to.have.length(MOMENTS.length * VICTIMS.length);
        for (const one of cases) {
          expect({ name: one.name, failures: one.failures }).to.deep.equal({ name: one.name, failures: [] });
          expect({ name: one.name, faults: await faultsOf(one) }).to.deep.equal({ name: one.name, faults: [] });
        }
      }).timeout(CHILD_MS + 20_000);
    }
  }
});

/** What the journal says against the promises, in SQL. */
async function faultsOf({ journal, acknowledged, ledgers, perLedger }: CrashCase): Promise<string[]> {
  const database = await open(journal);
  try {
    const faults: string[] = [];
    const expectNone = async (what: string, sql: string, ...params: unknown[]): Promise<void> => {
      const rows = await all(database, sql, params);
      if (rows.length > 0) faults.push(`${what}: ${JSON.stringify(rows.slice(0, 3))}`);
    };
    await expectNone(
      'positions with gaps',
      'select count(*) as events, min(position) as first, max(position) as last from event_log having events <> last or first <> 1',
    );
    await expectNone(
      'versions with gaps',
      `select aggregate, aggregate_id, count(*) as events, max(version) as last from event_log
       group by aggregate, aggregate_id having events <> last or min(version) <> 1`,
    );
    await expectNone(
      'commands done twice',
      'select command_id, count(*) as times from event_log group by command_id having times > 1',
    );
    await expectNone(
      'recorded before what came earlier',
      `select position from (select position, recorded_at, lag(recorded_at) over (order by position) as before from event_log)
       where recorded_at < before`,
    );
    // The number added is the version among additions: none is missing, none comes twice, none has overtaken.
    for (const [type, aggregate] of [
      ['ledger.added', 'ledger'],
      ['mirror.seen', 'mirror'],
    ]) {
      await expectNone(
        `order of ${type}`,
        `select aggregate_id, n, place from
           (select aggregate_id, json_extract(data, '$.n') as n,
                   row_number() over (partition by aggregate_id order by version) as place
            from event_log where aggregate = ? and type = ?)
         where n <> place`,
        aggregate,
        type,
      );
      const [total] = await all(database, 'select count(*) as events from event_log where type = ?', [type]);
      if (total?.['events'] !== ledgers * perLedger) faults.push(`${type}: ${JSON.stringify(total)}`);
    }
    await expectNone(
      'acknowledged and not there',
      `select value from json_each(?) where value not in (select command_id from event_log)`,
      JSON.stringify(acknowledged),
    );
    return faults;
  } finally {
    await close(database);
  }
}

interface ChildResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly cases: readonly CrashCase[];
}

function runChild(args: readonly string[]): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--enable-source-maps', CHILD, ...args],
      { timeout: CHILD_MS, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout) => {
        const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
        // Written by the child, one case a line.
        const cases = lines.map((line) => JSON.parse(line) as CrashCase);
        resolve({ code: child.exitCode, signal: child.signalCode, cases });
      },
    );
    child.stderr?.pipe(process.stderr);
  });
}

function open(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(path, sqlite3.OPEN_READONLY, (error) => {
      if (error === null) resolve(database);
      else reject(error);
    });
  });
}

type Row = Readonly<Record<string, unknown>>;

function all(database: sqlite3.Database, sql: string, params: readonly unknown[]): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    database.all<Row>(sql, params, (error, rows) => {
      if (error === null) resolve(rows);
      else reject(error);
    });
  });
}

function close(database: sqlite3.Database): Promise<void> {
  return new Promise((resolve) => {
    database.close(() => resolve());
  });
}
