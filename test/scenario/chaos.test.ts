/** Chaos, for a few seconds: `npm run scenario -- chaos --seconds 60` goes on for as long as one likes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

const STORY = fileURLToPath(new URL('../../scenarios/chaos/chaos.js', import.meta.url));
const SECONDS = process.env['TROUPE_CHAOS_SECONDS'] ?? '4';

interface Result {
  readonly ok: boolean;
  readonly checks: readonly { readonly ok: boolean }[];
  readonly totals: { readonly deposits: number; readonly harm: number };
}

describe('chaos', function () {
  this.timeout(180_000 + Number(SECONDS) * 2_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runProgram(TROUPE, ['run', STORY, '--json', ...args], { cwd: folder });

  it(`loses and doubles nothing in ${SECONDS} s of workers that exit, fail, stand still and hoard`, async () => {
    const { code, stdout, stderr } = await run('--seconds', SECONDS, '--seed', '7');
    expect(code, `${stderr}${stdout}`).to.equal(0);
    const result: Result = JSON.parse(stdout);
    expect(result.ok).to.equal(true);
    expect(result.checks).to.have.length(9);
    expect(result.totals.deposits).to.be.greaterThan(0);
    expect(result.totals.harm).to.be.greaterThan(0);
  });

  it('refuses to be played without worker threads', async () => {
    const { code, stdout, stderr } = await run('--workers', '0');
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.match(/needs worker threads/);
  });
});
