/**
 * A message that ends its worker each time: quarantined after two, and nothing else is lost.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

const STORY = fileURLToPath(new URL('../../scenarios/poison-message/poison-message.js', import.meta.url));

interface Result {
  readonly ok: boolean;
  readonly workers: number;
  readonly events: number;
  readonly checks: readonly unknown[];
  readonly totals: { readonly deposits: number };
}

describe('poison-message', function () {
  this.timeout(90_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'poison-message-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runProgram(TROUPE, ['run', STORY, '--json', ...args], { cwd: folder });

  it('holds its nine checks on the two workers that it starts with by default', async () => {
    const { code, stdout, stderr } = await run('--seed', '3', '--journal', join(folder, 'story.db'));
    expect(code, stderr).to.equal(0);
    const result: Result = JSON.parse(stdout);
    expect(result).to.include({ ok: true, workers: 2 });
    expect(result.checks).to.have.length(9);
    // Each deposit is one event, and each of the 60 documents but one.
    expect(result.events).to.equal(result.totals.deposits + 59);
  });

  it('refuses to be played without worker threads', async () => {
    const { code, stdout, stderr } = await run('--workers', '0');
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.match(/needs worker threads; give --workers 2 or more/);
  });
});
