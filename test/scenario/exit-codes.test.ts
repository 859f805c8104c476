/**
 * Scenarios as processes: the exit code is 0 only if all checks hold, however a run ends.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { lockJournal } from '../../src/journal/journal-lock.js';
import { type ProgramOptions, runProgram, STORIES, TROUPE } from './run-program.js';

describe('scenario processes', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scenario-process-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (args: readonly string[], options: ProgramOptions = {}) =>
    runProgram(TROUPE, ['run', STORIES, ...args], { cwd: folder, ...options });

  const ENDS: readonly (readonly [string, number, RegExp])[] = [
    ['holds', 0, /^a warning\n$/],
    ['fails', 1, /^$/],
    ['empty', 1, /^$/],
    ['throws', 1, /^throws: the shop burned down\nError: the shop burned down\n {4}at [^]*stories\.ts:/],
    ['refuses', 2, /^refuses: line 3 has 7 columns and should have 8; correct the file\n$/],
    ['locked', 2, /^locked: shop\.db is in use by another process; stop it, or choose another journal\n$/],
    ['times-out', 1, /TROUPE_ASK_TIMEOUT/],
    ['uncaught', 1, /^uncaught: thrown into the void\n/],
    ['rejected', 1, /^rejected: a promise nobody waited for\n/],
    ['stalls', 1, /^stalls: did not stop in time.*\nstalls: waits for something that can never come/],
    ['exits', 1, /^process\.exit\(0\) was called before the end\n$/],
    ['leaves', 0, /^still open 2 s after the end: 1 Timeout; ended\n$/],
  ];
  for (const [name, code, stderr] of ENDS) {
    it(`ends the story ${name} with ${code}`, async () => {
      const end = await run([name]);
      expect(end.stderr).to.match(stderr);
      expect(end.code).to.equal(code);
    });
  }

  it('writes one line of JSON to standard output and nothing else', async () => {
    const { code, stdout } = await run(['holds', '--json']);
    expect(code).to.equal(0);
    expect(stdout.split('\n')).to.have.length(2);
    const result: Record<string, unknown> = JSON.parse(stdout);
    expect(Object.keys(result)).to.deep.equal([
      'scenario',
      'ok',
      'seconds',
      'events',
      'eventsPerSecond',
      'workers',
      'checks',
      'totals',
    ]);
    expect(result).to.deep.include({ scenario: 'holds', ok: true, events: 1_234, workers: 0, totals: { rows: 5_331 } });
  });

  it('writes nothing to standard output for bad input with --json', async () => {
    for (const args of [
      ['refuses', '--json'],
      ['holds', '--json', '--workers', 'x'],
      ['hold', '--json'],
    ]) {
      const { code, stdout, stderr } = await run(args);
      expect(code).to.equal(2);
      expect(stdout).to.equal('');
      expect(stderr.split('\n')).to.have.length(2);
    }
  });

  it('colours a pipe when forced, and not by itself', async () => {
    expect((await run(['holds'])).stdout).to.not.include('\u001b');
    expect((await run(['holds'], { env: { FORCE_COLOR: '1' } })).stdout).to.include('\u001b[32m✓');
    expect((await run(['holds'], { env: { NO_COLOR: '1' } })).stdout).to.not.include('\u001b');
  });

  it('goes on to the end when whoever read its output has gone', async () => {
    const end = await run(['chatters'], { onOutput: (_text, child) => child.stdout?.destroy() });
    expect(end.stderr).to.equal('');
    expect(end.code).to.equal(0);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`lets a scenario stop cleanly on ${signal}, and ends with ${code}`, async () => {
      const end = await run(['waits'], {
        onOutput(text, child) {
          if (text.includes('waiting')) child.kill(signal);
        },
      });
      expect(end.stdout).to.include('stopped cleanly');
      expect(end.stderr).to.include(`ended by ${signal}, stopping`);
      expect(end.code).to.equal(code);
    });
  }

  it('takes signals of the same moment for one, as npm and the terminal both send them', async () => {
    const end = await run(['waits'], {
      onOutput(text, child) {
        if (text.includes('waiting') || text.includes('stopping')) child.kill('SIGINT');
      },
    });
    expect(end.stdout).to.include('stopped cleanly');
    expect(end.code).to.equal(130);
  });

  it('ends at once on the second signal', async () => {
    const end = await run(['stubborn'], {
      onOutput(text, child) {
        if (text.includes('waiting') || text.includes('still here')) child.kill('SIGINT');
      },
    });
    expect(end.code).to.equal(130);
    expect(end.stdout).to.not.include('Checks');
  });

  it('makes a fresh journal of its own below .troupe, and removes what belonged to the old one alone', async () => {
    const troupe = join(folder, '.troupe');
    mkdirSync(troupe);
    const old = ['holds.db', 'holds.db-wal', 'holds.db-shm', 'holds.db.views', 'holds.db.views-wal'];
    const others = ['holds.db.bak', 'holds.dbx', 'other.db', 'holds'];
    for (const file of [...old, ...others]) writeFileSync(join(troupe, file), 'x');
    const { stdout } = await run(['holds']);
    expect(stdout).to.include(`journal ${join('.troupe', 'holds.db')} given false`);
    expect(readdirSync(troupe).filter((file) => file !== 'holds.db.lock')).to.have.members(others);
  });

  it('leaves the old default journal as it was when the run never took its own, as with bad input', async () => {
    const troupe = join(folder, '.troupe');
    mkdirSync(troupe);
    const old = ['refuses.db', 'refuses.db-wal', 'refuses.db.views'];
    for (const file of old) writeFileSync(join(troupe, file), file);
    const left = () => readdirSync(troupe).filter((file) => file !== 'refuses.db.lock');
    expect((await run(['refuses'])).code).to.equal(2);
    expect(left()).to.have.members(old);
    for (const file of old) expect(readFileSync(join(troupe, file), 'utf8')).to.equal(file);
    // A run that was killed before it took its journal.
    for (const file of old) renameSync(join(troupe, file), join(troupe, file.replace('.db', '.db.before')));
    expect((await run(['refuses'])).code).to.equal(2);
    expect(left()).to.have.members(old);
  });

  it('keeps the journal of a scenario that goes on with it, and one that was given', async () => {
    mkdirSync(join(folder, '.troupe'));
    for (const file of ['.troupe/holds.db', 'mine.db']) writeFileSync(join(folder, file), 'x');
    await run(['holds', '--resume']);
    expect(existsSync(join(folder, '.troupe/holds.db'))).to.equal(true);
    const { stdout } = await run(['holds', '--journal', 'mine.db']);
    expect(stdout).to.include('journal mine.db given true');
    expect(existsSync(join(folder, 'mine.db'))).to.equal(true);
  });

  it('refuses to run on a default journal that another process is using, and leaves it alone', async () => {
    const journal = join(folder, '.troupe/holds.db');
    mkdirSync(join(folder, '.troupe'));
    writeFileSync(journal, 'x');
    const lock = await lockJournal(realpathSync(journal));
    try {
      const end = await run(['holds']);
      expect(end.code).to.equal(2);
      expect(end.stdout).to.equal('');
      expect(end.stderr).to.match(/^holds: .*holds\.db: another process.*\n$/);
      expect(existsSync(journal)).to.equal(true);
    } finally {
      await lock.release();
    }
    await run(['holds']);
    expect(existsSync(journal)).to.equal(false);
  });

  it('says what to do when .troupe cannot be made', async () => {
    writeFileSync(join(folder, '.troupe'), 'a file');
    const end = await run(['holds']);
    expect(end.code).to.equal(2);
    expect(end.stderr).to.match(
      /^holds: cannot use \.troupe.holds\.db \(.*\); give a file elsewhere with --journal FILE/,
    );
  });
});
