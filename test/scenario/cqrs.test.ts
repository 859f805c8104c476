/** Read models that come and change while orders go on: no failed query, no wrong answer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

const STORY = fileURLToPath(new URL('../../scenarios/cqrs/cqrs.js', import.meta.url));

describe('cqrs', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cqrs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runProgram(TROUPE, ['run', STORY, '--json', ...args], { cwd: folder });

  for (const workers of [0, 1]) {
    it(`holds its eleven checks with workers: ${workers}, no query failed`, async () => {
      const { code, stdout, stderr } = await run('--orders', '400', '--workers', String(workers));
      expect(code, stderr).to.equal(0);
      const result = JSON.parse(stdout) as { checks: unknown[]; totals: Record<string, number> };
      expect(result.checks).to.have.length(11);
      expect(result.totals['failedQueries']).to.equal(0);
      expect(result.totals['answersWhileBuilding']).to.be.greaterThan(0);
    });
  }

  it('refuses a journal in memory, which has no second release', async () => {
    const { code, stderr } = await run('--journal', ':memory:');
    expect(code).to.equal(2);
    expect(stderr).to.match(/give a file/);
  });
});
