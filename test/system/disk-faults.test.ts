/**
 * Faults of the disk under a running system: writes fail with TROUPE_JOURNAL_WRITE_FAILED, nothing acknowledged is lost,
 * and when the fault is over the system goes on by itself.
 *
 * The full disk is a small tmpfs, which needs the right to mount; I/O errors in the middle of a commit come from the
 * limit of the size of files, moved while the process runs.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ActorSystem, isTroupeError } from 'troupe';
import { verifyCommand } from '../../src/cli/verify-command.js';
import { openJournal } from '../../src/journal/open-journal.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { readAll } from '../journal/journal-harness.js';
import { runTool } from '../cli/tool-run.js';
import { archive } from './fixtures/archive.js';
import { account, balances, mirror } from './fixtures/bank.js';

const BANK = new URL('./fixtures/bank.js', import.meta.url);
const TELLER = fileURLToPath(new URL('./fixtures/persistent-teller.js', import.meta.url));
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Why an external command can't be used here; undefined when it can. */
function obstacle(command: string, ...args: string[]): string | undefined {
  try {
    execFileSync(command, args, { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

describe('faults of the disk', function () {
  this.timeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-faults-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (journal: string, workers: number) =>
    ActorSystem.start({ cast: BANK, workers, journal, log: quiet, limits: { askTimeout: '20s' } });

  /** Deposits one, by id; the code of the failure, if it is one. */
  async function deposit(system: ActorSystem, to: string, id: string): Promise<string> {
    try {
      await system.ref(account, to).ask('deposit', { amount: 1 }, { id });
      return 'done';
    } catch (error) {
      return isTroupeError(error) ? error.code : String(error);
    }
  }

  /** The same, with what the failure says. */
  async function depositSaying(system: ActorSystem, to: string, id: string): Promise<string> {
    try {
      await system.ref(account, to).ask('deposit', { amount: 1 }, { id });
      return 'done';
    } catch (error) {
      return isTroupeError(error) ? `${error.code} ${error.message}` : String(error);
    }
  }

  /** The journal is sound, each acknowledged command is there once, and everything derived fits. */
  async function expectWhole(
    journal: string,
    acknowledged: ReadonlySet<string>,
    sent: ReadonlySet<string>,
  ): Promise<void> {
    const system = await start(journal, 0);
    await system.settled({ timeout: '60s' });
    for (let i = 0; i < 25; i += 1) {
      const { balance } = await system.state(account, `a${i}`);
      if (balance === 0) continue;
      expect(await system.state(mirror, `a${i}`)).to.include({ total: balance });
      expect(await system.view(balances).get(`a${i}`)).to.include({ balance });
    }
    await system.stop();
    const reading = await SqliteConnection.open(journal, { mode: 'read' });
    const rows = await reading.all<{ id: string; events: number }>(
      "SELECT command_id AS id, count(*) AS events FROM event_log WHERE type = 'account.deposited' GROUP BY 1",
    );
    await reading.close();
    expect(rows.filter(({ events }) => events !== 1)).to.deep.equal([]);
    const found = new Set(rows.map(({ id }) => id));
    expect(
      [...acknowledged].filter((id) => !found.has(id)),
      'acknowledged and lost',
    ).to.deep.equal([]);
    expect(
      [...found].filter((id) => !sent.has(id)),
      'never sent',
    ).to.deep.equal([]);
    const end = await runTool(verifyCommand, [journal, '--cast', fileURLToPath(BANK)]);
    expect(end.code, end.stdout).to.equal(0);
  }

  for (const workers of [0, 2]) {
    it(`a full disk: with ${workers} workers it is said, and over when there is room`, async function () {
      const disk = join(folder, `disk-${workers}`);
      mkdirSync(disk);
      const why = obstacle('mount', '-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk);
      if (why !== undefined) {
        process.stderr.write(`      skipped, because a small disk can't be mounted here: ${why}\n`);
        this.skip();
      }
      try {
        const journal = join(disk, 'bank.db');
        const system = await start(journal, workers);
        const acknowledged = new Set<string>();
        const sent = new Set<string>();
        const round = async (name: string): Promise<string[]> => {
          const ids = Array.from({ length: 100 }, (_, i) => `${name}-${i}`);
          for (const id of ids) sent.add(id);
          const codes = await Promise.all(ids.map((id, i) => deposit(system, `a${i % 25}`, id)));
          ids.forEach((id, i) => codes[i] === 'done' && acknowledged.add(id));
          return codes;
        };
        expect(new Set(await round('room'))).to.deep.equal(new Set(['done']));
        await system.settled();
        fill(join(disk, 'filler'));
        const codes: string[] = [];
        for (let n = 0; n < 40 && !codes.includes('TROUPE_JOURNAL_WRITE_FAILED'); n += 1)
          codes.push(...(await round(`full${n}`)));
        for (let n = 0; n < 3; n += 1) codes.push(...(await round(`still${n}`)));
        expect(codes).to.include('TROUPE_JOURNAL_WRITE_FAILED');
        expect(codes.filter((code) => code !== 'done' && code !== 'TROUPE_JOURNAL_WRITE_FAILED')).to.deep.equal([]);
        // A letter that can't be written yet is not forgotten.
        system.ref(account, 'a1').tell('open', { owner: 'x' });
        system.ref(account, 'a1').tell('open', { owner: 'y' });
        rmSync(join(disk, 'filler'));
        let again = [''];
        for (let n = 0; n < 50 && !again.every((code) => code === 'done'); n += 1) again = await round(`still0`);
        expect(new Set(again)).to.deep.equal(new Set(['done']));
        await system.settled({ timeout: '60s' });
        expect(system.health().problems.filter(({ kind }) => kind !== 'key-parked')).to.deep.equal([]);
        const letters = system.deadLetters.list().map(({ id }) => id);
        await system.stop();
        const reopened = await start(journal, 0);
        expect(reopened.deadLetters.list().map(({ id }) => id)).to.have.members(letters);
        await reopened.stop();
        await expectWhole(journal, acknowledged, sent);
      } finally {
        execFileSync('umount', ['-l', disk]);
      }
    });

    it(`I/O errors in the middle of commits: with ${workers} workers each is said, and over when the fault is`, async function () {
      const why = obstacle('prlimit', '--version');
      if (why !== undefined) {
        process.stderr.write(`      skipped, because the limit of a process can't be moved here: ${why}\n`);
        this.skip();
      }
      const journal = join(folder, `errors-${workers}.db`);
      const child = spawn(process.execPath, [TELLER, journal, `w${workers}`, String(workers)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const said = listen(child);
      await said.until(({ done }) => done > 50);
      for (let fault = 0; fault < 4; fault += 1) {
        const { failed } = said;
        // Beyond this size nothing can be written: the log ends in the middle of a page.
        limitFiles(child, statSync(`${journal}-wal`).size + 3_000);
        await said.until((now) => now.failed > failed + 10);
        limitFiles(child, undefined);
        const { done } = said;
        await said.until((now) => now.done > done + 50);
      }
      expect([...said.codes]).to.deep.equal(['TROUPE_JOURNAL_WRITE_FAILED']);
      const closed = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
      child.kill('SIGTERM');
      expect(await closed).to.equal(0);
      await expectWhole(journal, said.ids, said.all);
    });
  }

  for (const workers of [0, 2]) {
    it(`a file that becomes read-only: with ${workers} workers each write is refused with what to do, and it is over when the fault is`, async () => {
      const journal = join(folder, `read-only-${workers}.db`);
      const writers = watchWriters();
      try {
        const system = await start(journal, workers);
        const acknowledged = new Set<string>();
        const sent = new Set<string>();
        const round = async (name: string): Promise<string[]> => {
          const ids = Array.from({ length: 60 }, (_, i) => `${name}-${i}`);
          for (const id of ids) sent.add(id);
          const answers = await Promise.all(ids.map((id, i) => depositSaying(system, `a${i % 25}`, id)));
          ids.forEach((id, i) => answers[i] === 'done' && acknowledged.add(id));
          return answers;
        };
        expect(new Set(await round('before'))).to.deep.equal(new Set(['done']));
        await system.settled();
        for (let fault = 0; fault < 3; fault += 1) {
          // SQLite refuses by itself then, the journal and the read models, with the code of a read-only file.
          await writers.each((connection) => connection.exec('PRAGMA query_only = 1'));
          const refused = [...(await round(`fault${fault}`)), ...(await round(`still${fault}`))];
          for (const answer of refused)
            expect(answer).to.match(
              /^TROUPE_JOURNAL_WRITE_FAILED .*cannot be written; check the rights of the file.*\(SQLITE_READONLY/,
            );
          // What was acknowledged before is still known.
          expect(await deposit(system, 'a0', 'before-0')).to.equal('done');
          system.ref(account, 'a1').tell('withdraw', { amount: 1_000_000 });
          await writers.each((connection) => connection.exec('PRAGMA query_only = 0'));
          for (const name of [`fault${fault}`, `still${fault}`])
            expect(new Set(await round(name))).to.deep.equal(new Set(['done']));
        }
        await system.settled({ timeout: '60s' });
        expect(system.health().problems).to.deep.equal([]);
        // The letters of the three refused withdrawals, written when that was possible again.
        const letters = system.deadLetters.list();
        expect(letters.map(({ reason }) => reason)).to.deep.equal(['rejected', 'rejected', 'rejected']);
        await system.stop();
        const reopened = await start(journal, 0);
        expect(reopened.deadLetters.list().map(({ id }) => id)).to.have.members(letters.map(({ id }) => id));
        await reopened.stop();
        expect(acknowledged.size).to.equal(60 * 7);
        await expectWhole(journal, acknowledged, sent);
      } finally {
        writers.restore();
      }
    });

    it(`a disk that is full just when a snapshot is written: with ${workers} workers its command fails, is repeated, and nothing is wrong`, async () => {
      const journal = join(folder, `full-snapshot-${workers}.db`);
      const cast = new URL('./fixtures/archive.js', import.meta.url);
      const writers = watchWriters();
      try {
        const system = await ActorSystem.start({ cast, workers, journal, log: quiet });
        let failures = 0;
        // Each third commit with a snapshot finds the disk full: SQLite may not take one page more.
        let snapshots = 0;
        writers.onRun(async (connection, params, run) => {
          const isSnapshot = typeof params[SNAPSHOTS] === 'string' && params[SNAPSHOTS] !== '[]';
          snapshots += isSnapshot ? 1 : 0;
          if (!isSnapshot || snapshots % 3 !== 1) return run();
          const pages = await connection.get<{ page_count: number }>('PRAGMA page_count');
          await connection.exec(`PRAGMA max_page_count = ${pages?.page_count ?? 0}`);
          try {
            return await run();
          } finally {
            await connection.exec('PRAGMA max_page_count = 1073741823');
          }
        });
        for (let n = 1; n <= 40; n += 1) {
          for (const id of ['a', 'b']) {
            const file = (): Promise<string> =>
              system
                .ref(archive, id)
                .ask('file', { n }, { id: `${id}-${n}` })
                .then(
                  (sheets) => `sheet ${String(sheets)}`,
                  (error: unknown) => (isTroupeError(error) ? `${error.code} ${error.message}` : String(error)),
                );
            let answer = await file();
            for (; answer !== `sheet ${n}`; answer = await file()) {
              failures += 1;
              expect(answer).to.match(/^TROUPE_JOURNAL_WRITE_FAILED .*the disk is full; make room and retry/);
              expect(failures).to.be.lessThan(100);
            }
          }
        }
        expect(failures).to.be.greaterThan(3);
        await system.stop();
        const again = await ActorSystem.start({ cast: [archive], workers: 0, journal, log: quiet });
        for (const id of ['a', 'b']) {
          const { sheets } = await again.state(archive, id);
          expect(sheets.map((sheet) => Number.parseInt(sheet, 10))).to.deep.equal(
            Array.from({ length: 40 }, (_, i) => i + 1),
          );
        }
        await again.stop();
        const reading = await SqliteConnection.open(journal, { mode: 'read' });
        const [events] = await reading.all(
          `SELECT count(*) AS events, count(DISTINCT command_id) AS commands, count(DISTINCT aggregate_id || version) AS versions,
             max(position) AS head FROM event_log`,
        );
        const wrong = await reading.all(
          "SELECT * FROM snapshot_log WHERE json_array_length(state, '$.sheets') <> version OR version > 40",
        );
        const kept = await reading.all('SELECT aggregate_id FROM snapshot_log');
        await reading.close();
        expect(events).to.deep.equal({ events: 80, commands: 80, versions: 80, head: 80 });
        expect(wrong).to.deep.equal([]);
        expect(kept).to.have.length(4);
        const end = await runTool(verifyCommand, [journal, '--cast', fileURLToPath(cast)]);
        expect(end.code, end.stdout).to.equal(0);
      } finally {
        writers.restore();
      }
    });
  }

  it('a file replaced under a running system: nothing is acknowledged until it is back', async () => {
    const journal = join(folder, 'moved.db');
    const system = await start(journal, 0);
    const acknowledged = new Set<string>();
    expect(await deposit(system, 'a1', 'before')).to.equal('done');
    acknowledged.add('before');
    renameSync(journal, `${journal}.old`);
    copyFileSync(`${journal}.old`, journal);
    expect(await deposit(system, 'a1', 'meanwhile')).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
    expect(await deposit(system, 'a2', 'elsewhere')).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
    renameSync(`${journal}.old`, journal);
    for (const [id, to] of [
      ['meanwhile', 'a1'],
      ['elsewhere', 'a2'],
    ] as const) {
      expect(await deposit(system, to, id)).to.equal('done');
      acknowledged.add(id);
    }
    await system.settled();
    await system.stop();
    await expectWhole(journal, acknowledged, acknowledged);
  });

  it('a torn log: cut or changed anywhere, a copy opens with the commits up to there, whole', async () => {
    const journal = join(folder, 'torn.db');
    const system = await start(journal, 0);
    for (let n = 0; n < 30; n += 1)
      await Promise.all(Array.from({ length: 5 }, (_, i) => deposit(system, `a${i}`, `c${n}-${i}`)));
    await system.settled();
    const original = join(folder, 'torn-original.db');
    for (const suffix of ['', '-wal']) copyFileSync(journal + suffix, original + suffix);
    const copyTo = (copy: string): string => {
      for (const suffix of ['', '-wal']) copyFileSync(original + suffix, copy + suffix);
      return copy;
    };
    const events = await eventsOf(copyTo(join(folder, 'torn-whole.db')));
    const size = statSync(`${original}-wal`).size;
    expect(size).to.be.greaterThan(100_000);
    await system.stop();
    const lengths: number[] = [];
    for (let n = 0; n < 24; n += 1) {
      const copy = copyTo(join(folder, `torn-${n}.db`));
      const place = Math.floor((size * (n + 0.37)) / 24);
      if (n % 2 === 0) truncateSync(`${copy}-wal`, place);
      else flip(`${copy}-wal`, place);
      const found = await eventsOf(copy);
      expect(events.slice(0, found.length)).to.deep.equal(found);
      lengths.push(found.length);
      const end = await runTool(verifyCommand, [copy]);
      expect(end.code, end.stdout).to.equal(0);
    }
    expect(Math.min(...lengths)).to.be.lessThan(events.length / 4);
    expect(Math.max(...lengths)).to.be.greaterThan(events.length / 2);
  });

  it('a clock that jumps back: times of events never do, and timers and order stay', async () => {
    const journal = join(folder, 'clock.db');
    let wallMs = 5_000_000;
    const { systemClock } = await import('../../src/core/clock.js');
    const clock = { ...systemClock, now: () => wallMs, monotonic: () => systemClock.monotonic() };
    const system = await ActorSystem.start({
      cast: [account, mirror, balances],
      workers: 0,
      journal,
      clock,
      log: quiet,
    });
    const jumps = [5_000_000, 4_000_000, 6_000_000, 1, 7_000_000];
    for (const [i, ms] of jumps.entries()) {
      wallMs = ms;
      expect(await deposit(system, 'a1', `j${i}`)).to.equal('done');
    }
    await system.settled();
    await system.stop();
    const journalAgain = await openJournal({ path: journal, clock: { ...clock, now: () => 2 } });
    const times = (await readAll(journalAgain, journalAgain.head)).map(({ recordedAt }) => recordedAt);
    await journalAgain.close();
    expect(times).to.deep.equal([5_000_000, 5_000_000, 6_000_000, 6_000_000, 7_000_000]);
  });

  /** Takes all the room that is left. */
  function fill(path: string): void {
    for (let chunk = 1 << 20; chunk >= 512; chunk = Math.floor(chunk / 2)) {
      try {
        for (;;) writeFileSync(path, Buffer.alloc(chunk), { flag: 'a' });
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).to.equal('ENOSPC');
      }
    }
  }

  function limitFiles(child: ChildProcess, bytes: number | undefined): void {
    execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes ?? 'unlimited'}:unlimited`]);
  }

  function flip(path: string, place: number): void {
    const content = readFileSync(path);
    content[place] = (content[place] ?? 0) ^ 0x41;
    writeFileSync(path, content);
  }

  async function eventsOf(path: string): Promise<unknown[]> {
    const connection = await SqliteConnection.open(path, { mode: 'write' });
    const rows = await connection.all('SELECT * FROM event_log ORDER BY position');
    await connection.close();
    return rows;
  }
});

/** Place of the snapshots among the parameters of a commit (`sqlite-commit.ts`). */
const SNAPSHOTS = 8;

type Run = SqliteConnection['run'];
type OnRun = (connection: SqliteConnection, params: readonly unknown[], run: () => ReturnType<Run>) => ReturnType<Run>;

/** The connections that write, from here on: of the journal, and of the read models. */
function watchWriters() {
  const { open } = SqliteConnection;
  const writers: SqliteConnection[] = [];
  let onRun: OnRun = (_connection, _params, run) => run();
  SqliteConnection.open = async (path, options) => {
    const connection = await open.call(SqliteConnection, path, options);
    if (options.mode !== 'create') return connection;
    writers.push(connection);
    const run: Run = connection.run.bind(connection);
    connection.run = (sql, ...params) =>
      sql.startsWith('INSERT INTO commit_group')
        ? onRun(connection, params, () => run(sql, ...params))
        : run(sql, ...params);
    return connection;
  };
  return {
    each: async (change: (connection: SqliteConnection) => Promise<unknown>): Promise<void> => {
      expect(writers).to.not.deep.equal([]);
      for (const connection of writers) await change(connection);
    },
    onRun: (then: OnRun): void => {
      onRun = then;
    },
    restore: (): void => {
      SqliteConnection.open = open;
    },
  };
}

interface Said {
  /** Commands done, and failures so far. */
  readonly done: number;
  readonly failed: number;
}

/** What the teller says, as it says it. */
function listen(child: ChildProcess) {
  const said = {
    ids: new Set<string>(),
    all: new Set<string>(),
    codes: new Set<string>(),
    failed: 0,
    get done() {
      return this.ids.size;
    },
    /** Resolves when it is so; rejects after a minute, or when the process has ended. */
    async until(so: (now: Said) => boolean): Promise<void> {
      for (let waited = 0; !so(said); waited += 1) {
        if (waited > 6_000 || child.exitCode !== null)
          throw new Error(`never: ${said.done} done, ${said.failed} failed`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'ready') continue;
      const [id = '', code] = line.replace(/^!/, '').split(' ');
      said.all.add(id);
      if (code === undefined) said.ids.add(id);
      else {
        said.failed += 1;
        said.codes.add(code);
      }
    }
  });
  return said;
}

function nothing(): void {
  // Faults are made here, nobody has to be told of them.
}
