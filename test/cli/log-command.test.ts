/** `troupe log`: what it lists, how it is filtered and followed, and what it says to what it can't read. */
import { writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { expect } from 'chai';
import { logCommand } from '../../src/cli/log-command.js';
import { parseMoment } from '../../src/cli/moment.js';
import { printable } from '../../src/cli/output.js';
import { Interruption } from '../../src/scenario/scenario-host.js';
import { openJournal } from '../../src/journal/open-journal.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { fakeHost } from '../scenario/fake-host.js';
import { eventually } from '../support/eventually.js';
import { TROUPE } from '../scenario/run-program.js';
import { account } from './fixtures/accounts.js';
import { fillAccounts, folderOfSuite, runTool, startAccounts } from './tool-run.js';

const log = (...args: string[]) => runTool(logCommand, args);

describe('troupe log', function () {
  this.timeout(60_000);
  const folder = folderOfSuite();
  const bank = folder.path('bank.db');
  before(() => fillAccounts(bank));

  it('lists all events in order of position, with where they belong and what they hold', async () => {
    const end = await log(bank);
    expect(end.code).to.equal(0);
    expect(end.stderr).to.equal('');
    expect(end.lines.map((line) => line.replace(/\d{4}-\S+ \S+/, 'TIME'))).to.deep.equal([
      'position  recorded (UTC)           aggregate/id@version  type      data',
      '       1  TIME  account/ada@1         received  {"amount":100}',
      '       2  TIME  account/ada@2         paid      {"amount":30,"to":"ben"}',
      '       3  TIME  account/ben@1         received  {"amount":30}',
      '       4  TIME  account/cleo@1        received  {"amount":5}',
    ]);
  });

  it('prints each event as a line of JSON, with all its fields', async () => {
    const [, paid] = (await log('--json', bank)).json();
    expect(paid).to.include({ position: 2, aggregate: 'account', aggregateId: 'ada', version: 2, type: 'paid' });
    expect(paid).to.include({ commandId: 'invoice', correlationId: 'trade', causationId: null, id: 'account/ada@2' });
    expect(paid).to.deep.include({ data: { amount: 30, to: 'ben' }, metadata: {}, schemaVersion: 1 });
  });

  const FILTERS: readonly (readonly [args: readonly string[], positions: readonly number[]])[] = [
    [
      ['--aggregate', 'account', '--id', 'ada'],
      [1, 2],
    ],
    [['--aggregate', 'nothing'], []],
    [['--type', 'paid'], [2]],
    [
      ['--type', 'paid,received', '--limit', '2'],
      [1, 2],
    ],
    [
      ['--correlation', 'trade'],
      [2, 3],
    ],
    [
      ['--after', '2'],
      [3, 4],
    ],
    [['--tail', '1'], [4]],
    [
      ['--tail', '100'],
      [1, 2, 3, 4],
    ],
    [['--since', '2100-01-01'], []],
    [['--until', '1h'], []],
    [
      ['--since', '1h', '--until', '2100'],
      [1, 2, 3, 4],
    ],
  ];
  for (const [args, positions] of FILTERS) {
    it(`with ${args.join(' ')} lists positions [${positions.join(', ')}]`, async () => {
      const end = await runTool(logCommand, [bank, '--json', ...args], {
        ...fakeHost(),
        clock: new ManualClock(Date.now()) as never,
      });
      expect(end.json().map(({ position }) => position)).to.deep.equal(positions);
      expect(end.code).to.equal(0);
    });
  }

  it('finds the first event of a time among many by halving, and ends behind the last one', async () => {
    const clock = new ManualClock(1_000_000_000_000);
    const path = folder.path('times.db');
    const system = await startAccounts(path, clock);
    for (let i = 0; i < 50; i += 1) {
      await system.ref(account, 'ada').ask('receive', { amount: i });
      await clock.advance(1_000);
    }
    await system.stop();
    const end = await log(path, '--since', '1000000010000', '--until', '2001-09-09T01:47:00', '--json');
    expect(end.json().map(({ position }) => position)).to.deep.equal(Array.from({ length: 11 }, (_, i) => 11 + i));
  });

  it('follows a running system until it is told to end', async () => {
    const path = folder.path('live.db');
    const system = await startAccounts(path);
    const ada = system.ref(account, 'ada');
    await ada.ask('receive', { amount: 1 });
    const host = fakeHost();
    const following = runTool(logCommand, [path, '-f', '--json'], host);
    for (let amount = 2; amount <= 5; amount += 1) {
      await ada.ask('receive', { amount });
      await eventually(() => host.stdout.lines.length >= amount);
    }
    host.end(new Interruption('SIGINT'));
    const end = await following;
    expect(end.json().map(({ data }) => (data as { amount: number }).amount)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(end.code).to.equal(130);
    await system.stop();
  });

  it('ends quietly when its reader has gone', async () => {
    const path = folder.path('long.db');
    const system = await startAccounts(path);
    await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => system.ref(account, `a${i}`).ask('receive', { amount: i })),
    );
    await system.stop();
    const child = spawn('sh', ['-c', `"${process.execPath}" "${TROUPE}" log "${path}"; echo "code $?" >&2`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdout.once('data', () => child.stdout.destroy());
    await new Promise((resolve) => child.once('close', resolve));
    expect(errors).to.equal('code 0\n');
  });

  it('says so when there are no events yet, or none that match', async () => {
    const path = folder.path('new.db');
    await (await openJournal({ path })).close();
    expect(await log(path)).to.include({ code: 0, stdout: '', stderr: 'the journal has no events yet\n' });
    expect(await log(bank, '--type', 'never')).to.include({ code: 0, stdout: '', stderr: 'no event matches\n' });
  });

  it('refuses with 2 what is no journal, a later format, and words it does not know', async () => {
    writeFileSync(folder.path('notes.txt'), 'hello '.repeat(200));
    writeFileSync(folder.path('empty.db'), '');
    const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [[], /^troupe: log needs a journal: troupe log JOURNAL \[options\]; see troupe log --help\n$/],
      [[folder.path('missing.db')], /there is no such file; give the path of a journal\n$/],
      [[folder.path('notes.txt')], /no SQLite database/],
      [[folder.path('empty.db')], /the file is empty, no journal/],
      [[':memory:'], /ends with its system/],
      [[bank, 'order'], /log does not know what to do with 'order': troupe log JOURNAL\n$/],
      [[bank, '--limit', '0'], /--limit takes a whole number from 1 on; got 0/],
      [[bank, '--after', '1.5'], /--after takes a whole number from 0 on/],
      [[bank, '--type', 'a,,b'], /--type has an empty part/],
      [[bank, '--since', 'yesterday'], /--since takes a date/],
      [[bank, '--typ', 'a'], /unknown option --typ; did you mean '--type'\?/],
      [[bank, '-x'], /unknown option -x/],
    ];
    for (const [args, message] of refusals) {
      const end = await log(...args);
      expect(end.stderr, args.join(' ')).to.match(message);
      expect(end).to.include({ code: 2, stdout: '' });
      expect(end.stderr.split('\n')).to.have.length(2);
    }
  });

  it('takes the journal by option too, and helps with an example, without colours when they are not wanted', async () => {
    expect((await log('--journal', bank, '--tail', '1')).lines).to.have.length(2);
    const plain = await runTool(logCommand, ['--help'], fakeHost({ columns: 80, env: { NO_COLOR: '1' } }));
    expect(plain.stdout).to.match(/Usage\n {2}troupe log JOURNAL[^]*-f, --follow[^]*Examples\n {2}troupe log shop\.db/);
    expect(plain.stdout).not.to.include('\u001b');
    expect((await runTool(logCommand, ['-h'], fakeHost({ columns: 80 }))).stdout).to.include('\u001b[1m');
  });

  it('cuts lines at the edge of a terminal, and nowhere else', async () => {
    const narrow = await runTool(logCommand, [bank], fakeHost({ columns: 60, env: { NO_COLOR: '1' } }));
    for (const line of narrow.lines) expect(line.length).to.be.at.most(60);
  });
});

describe('moments and texts of tools', () => {
  it('reads dates in UTC unless they name a zone, epoch milliseconds, and how long ago', () => {
    const read = (text: string) => parseMoment(text, 'since', 10_000_000);
    expect(read('1970-01-02')).to.equal(86_400_000);
    expect(read('1970-01-01T00:00:01')).to.equal(1_000);
    expect(read('1970-01-01 00:00:01.5')).to.equal(1_500);
    expect(read('1970-01-01T01:00:01+01:00')).to.equal(1_000);
    expect(read('1970-01-01T00:00Z')).to.equal(0);
    expect(read('1971')).to.equal(365 * 86_400_000);
    expect(read('1323079200000')).to.equal(1_323_079_200_000);
    expect(read('10s')).to.equal(9_990_000);
    for (const wrong of ['', 'now', '12', '2011-13-45', '-5s', '10 s'])
      expect(() => read(wrong), wrong).to.throw('--since');
  });

  it('lets no control character of the data reach a terminal', () => {
    expect(printable('a\u001b[31mb\u0007\nc\u009bd')).to.equal('a\\u001b[31mb\\u0007\\nc\\u009bd');
  });
});
