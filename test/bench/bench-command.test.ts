/**
 * `npm run bench`: what it shows, what it refuses to show, and what it says to wrong words.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { benchCommand } from '../../bench/harness/bench-command.js';
import { Interruption } from '../../src/scenario/scenario-host.js';
import { fakeHost } from '../scenario/fake-host.js';
import { eventually } from '../support/eventually.js';
import { runProgram } from '../scenario/run-program.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const BENCH = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

describe('bench command', function () {
  this.timeout(120_000);
  let scratch: string;
  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'troupe-bench-test-'));
  });
  after(() => rmSync(scratch, { recursive: true }));

  const run = async (args: readonly string[], host = fakeHost()) => {
    const code = await benchCommand({ url: new URL('./fixtures/suites/', import.meta.url), scratch }, args, host);
    return { code, stdout: host.stdout.text, stderr: host.stderr.text };
  };

  it('shows a row for each arm and the ratio to its baseline, and writes the same as JSON', async () => {
    const file = join(scratch, 'honest.json');
    const { code, stdout } = await run(['honest', '--quick', '--json', file]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^ {2}single +1,000,000 {2}messages\/s/m);
    expect(stdout).to.match(/^ {2}double +2,000,000 {2}messages\/s .* 2 of single$/m);
    const record = JSON.parse(readFileSync(file, 'utf8'));
    expect(record.node).to.equal(process.version);
    expect(record.machine).to.be.a('string');
    expect(record.commit).to.be.a('string');
    expect(record.results.map((row: { name: string }) => row.name)).to.deep.equal(['single', 'double']);
    expect(record.results[0]).to.include({ suite: 'honest', sent: 300, processed: 300, samples: 30 });
    expect(record.ratios).to.deep.equal({ 'honest.double/single': 2 });
  });

  it('shows no row of an arm that fails, loses a message, or never ends, says why, and exits with 1', async () => {
    const file = join(scratch, 'troubled.json');
    const { code, stdout, stderr } = await run(['troubled', '--quick', '--json', file]);
    expect(code).to.equal(1);
    expect(stdout).to.match(/^ {2}sound /m);
    expect(stdout).not.to.match(/loses-one|does-nothing|throws|exits|waits/);
    expect(stderr).to.include('troubled.loses-one is not shown: it sent 1000 and 999 were processed\n');
    expect(stderr).to.include('troubled.does-nothing is not shown: it sent 0 and 0 were processed\n');
    expect(stderr).to.match(
      /troubled\.throws is not shown: its process ended with 1\n[^]*this arm does not want to run/,
    );
    expect(stderr).to.include('troubled.exits is not shown: its process ended with 7\n');
    expect(stderr).to.match(/troubled\.waits is not shown: its process ended with 13\n/);
    expect(JSON.parse(readFileSync(file, 'utf8')).ratios).to.deep.equal({});
  });

  it('compares with an earlier run, and refuses a file that is none before it measures', async () => {
    const file = join(scratch, 'earlier.json');
    await run(['honest', '--quick', '--json', file]);
    const again = await run(['honest', '--quick', '--compare', file]);
    expect(again.stdout).to.match(/^Against commit .*: 0 of 2 rows changed beyond the noise$/m);
    const refused = await run(['honest', '--quick', '--compare', join(scratch, 'nowhere.json')]);
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.match(/nowhere\.json can't be read as JSON/);
  });

  it('plays as many rounds as it is told', async () => {
    const file = join(scratch, 'rounds.json');
    await run(['honest', '--quick', '--rounds', '2', '--json', file]);
    expect(JSON.parse(readFileSync(file, 'utf8')).results[0]).to.include({ rounds: 2, sent: 200 });
  });

  it('leaves nothing in the folder that arms may write to', async () => {
    await run(['honest', '--quick']);
    expect(readdirSync(scratch).filter((name) => name.startsWith('bench-'))).to.deep.equal([]);
  });

  it('ends with 130 when it is interrupted before anything is measured, without a table', async () => {
    const ending = new AbortController();
    const host = { ...fakeHost(), ending: ending.signal };
    const running = run(['honest'], host);
    ending.abort(new Interruption('SIGINT'));
    expect(await running).to.include({ code: 130, stdout: '', stderr: 'bench: interrupted after 0 of 10 runs\n' });
  });

  it('says what it has so far when it is interrupted, and leaves no process, no folder and no JSON', async () => {
    const file = join(scratch, 'interrupted.json');
    const ending = new AbortController();
    const host = { ...fakeHost(), ending: ending.signal };
    const running = run(['endless', '--json', file], host);
    let grandchild = 0;
    await eventually(() => {
      const [folder = ''] = readdirSync(scratch).filter((name) => name.startsWith('bench-'));
      const written = join(scratch, folder, 'grandchild');
      if (existsSync(written)) grandchild = Number(readFileSync(written, 'utf8'));
      return grandchild > 0;
    });
    ending.abort(new Interruption('SIGINT'));
    const { code, stdout, stderr } = await running;
    expect(code).to.equal(130);
    expect(stdout)
      .to.match(/^ {2}sound +1 /m)
      .and.not.to.match(/endless-arm/);
    expect(stderr).to.equal(`bench: interrupted after 1 of 10 runs; ${file} is not written\n`);
    expect(existsSync(file)).to.equal(false);
    expect(readdirSync(scratch).filter((name) => name.startsWith('bench-'))).to.deep.equal([]);
    await eventually(() => !isAlive(grandchild));
  });

  it('lists suites, questions and arms', async () => {
    const { code, stdout } = await run(['--list']);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^honest {2}Is two twice one\?\n {2}single +one\n {2}double +two\n/m);
    expect(stdout).to.match(/^troubled /m);
  });

  it('helps', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).to.equal(0);
    expect(stdout).to.match(/npm run bench -- \[SUITE\] \[options\][^]*--quick[^]*--json FILE[^]*--list[^]*Exit code/);
  });

  const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
    [['honset'], /^bench: there is no suite honset; did you mean 'honest'\?\n$/],
    [['nothing'], /^bench: there is no suite nothing; there are endless, honest, troubled\n$/],
    [['honest', 'troubled'], /^bench: one suite at a time, or none for all; got honest and troubled\n$/],
    [['--qiuck'], /^bench: unknown option --qiuck; did you mean '--quick'\?\n$/],
    [['honest', '--rounds', '0'], /^bench: --rounds is 0; give a whole number from 1\n$/],
    [['honest', '--json'], /^bench: --json needs a value: --json FILE\n$/],
    [
      ['honest', '--json', tmpdir()],
      /^bench: --json \S+ is a folder; give a file in a folder that exists and can be written\n$/,
    ],
    [
      ['honest', '--json', 'no/such/folder/x.json'],
      /^bench: --json \S+ can't be written; give a file in a folder that exists/,
    ],
  ];
  for (const [args, message] of REFUSED) {
    it(`refuses \`${args.join(' ').replace(tmpdir(), 'FOLDER')}\` with 2 and one line`, async () => {
      expect(await run(args)).to.satisfy((end: { code: number; stdout: string; stderr: string }) => {
        expect(end.stderr).to.match(message);
        return end.code === 2 && end.stdout === '';
      });
    });
  }

  it('finds the suites of this repository', async () => {
    const end = await runProgram(BENCH, ['--list']);
    expect(end.code).to.equal(0);
    expect(end.stdout)
      .to.match(/^journal /m)
      .and.to.match(/^mailbox /m);
  });
});
