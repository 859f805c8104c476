/** A rebuild that is killed with SIGKILL in the middle goes on where it was, and is exact in the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

const STORY = fileURLToPath(new URL('../../scenarios/projection-rebuild/projection-rebuild.js', import.meta.url));

describe('projection-rebuild', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'projection-rebuild-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runProgram(TROUPE, ['run', STORY, '--json', ...args], { cwd: folder });

  for (const workers of [0, 1]) {
    it(`holds its six checks with workers: ${workers}`, async () => {
      const { code, stdout, stderr } = await run('--readings', '10000', '--workers', String(workers));
      expect(code, stderr).to.equal(0);
      const result = JSON.parse(stdout) as { checks: unknown[]; totals: Record<string, number> };
      expect(result.checks).to.have.length(6);
      const { killedAtPosition = 0, resumedAtPosition = 0 } = result.totals;
      expect(killedAtPosition).to.be.within(4_000, 9_999);
      expect(resumedAtPosition).to.be.least(killedAtPosition);
    });
  }

  it('refuses a journal in memory, which would not outlive its process', async () => {
    const { code, stderr } = await run('--journal', ':memory:');
    expect(code).to.equal(2);
    expect(stderr).to.match(/give a file/);
  });
});
