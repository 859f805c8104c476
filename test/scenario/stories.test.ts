/**
 * The stories of event-driven systems, small: each holds all its checks, and those that can hold again on the journal that
 * they left behind, with another seed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram } from './run-program.js';

const RUN = fileURLToPath(new URL('../../scenarios/run.js', import.meta.url));

interface Result {
  readonly ok: boolean;
  readonly events: number;
  readonly workers: number;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
}

/** Name, arguments that make it small, number of its checks. */
const STORIES: readonly (readonly [name: string, args: readonly string[], checks: number])[] = [
  ['event-notification', ['--orders', '12'], 8],
  ['event-sourcing', ['--moves', '150'], 7],
  ['event-ordering', ['--movements', '1500', '--workers', '1'], 8],
  ['duplicates', ['--orders', '20'], 6],
  ['event-loss', ['--orders', '150'], 7],
  ['event-explosion', ['--lines', '300'], 5],
  ['schema-evolution', ['--orders', '12'], 9],
  ['snapshots', ['--longest', '2000'], 4],
];

describe('the stories of events', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-stories-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, args, checks] of STORIES) {
    it(`${name} holds its ${checks} checks`, async () => {
      const journal = join(folder, `${name}.db`);
      const { code, stdout, stderr } = await runProgram(RUN, [name, '--json', '--journal', journal, ...args]);
      expect(code, stdout + stderr).to.equal(0);
      const result: Result = JSON.parse(stdout);
      expect(result.ok).to.equal(true);
      expect(result.checks).to.have.length(checks);
      expect(result.events).to.be.above(0);
    });
  }

  it('holds again on the journal of the run before, with another seed', async () => {
    for (const [name, args] of STORIES.filter(([story]) => ['event-ordering', 'schema-evolution'].includes(story))) {
      const again = ['--json', '--journal', join(folder, `${name}.db`), ...args, '--seed', '5'];
      const { code, stdout, stderr } = await runProgram(RUN, [name, ...again]);
      expect(code, stdout + stderr).to.equal(0);
    }
  });

  it('refuses a journal in memory where processes are killed or started again', async () => {
    for (const name of ['duplicates', 'event-loss', 'schema-evolution', 'snapshots']) {
      const { code, stdout, stderr } = await runProgram(RUN, [name, '--json', '--journal', ':memory:']);
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr).to.contain('--journal');
    }
  });
});
