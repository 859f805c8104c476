/**
 * A worker in an endless loop: found out, replaced, and nothing that waited for it is lost.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

const STORY = fileURLToPath(new URL('../../scenarios/blocked-worker/blocked-worker.js', import.meta.url));

interface Result {
  readonly ok: boolean;
  readonly workers: number;
  readonly events: number;
  readonly checks: readonly unknown[];
  readonly totals: { readonly deposits: number };
}

describe('blocked-worker', function () {
  this.timeout(90_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blocked-worker-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runProgram(TROUPE, ['run', STORY, '--json', ...args], { cwd: folder });

  it('holds its nine checks on the two workers that it starts with by default', async () => {
    const { code, stdout, stderr } = await run('--seed', '3', '--journal', join(folder, 'story.db'));
    expect(code, stderr).to.equal(0);
    const result: Result = JSON.parse(stdout);
    expect(result).to.include({ ok: true, workers: 2 });
    expect(result.checks).to.have.length(9);
    expect(result.events).to.equal(result.totals.deposits);
  });

  it('refuses to be played without worker threads', async () => {
    const { code, stdout, stderr } = await run('--workers', '0');
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.match(/needs worker threads; give --workers 2 or more/);
  });
});
