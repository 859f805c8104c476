import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const CHILD = fileURLToPath(new URL('./fixtures/waiting-child.js', import.meta.url));

describe('a process that waits for the result of a saga', function () {
  this.timeout(60_000);

  it('stays until it is there, also when the saga sleeps out of memory and nothing else is to do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-'));
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [CHILD, join(folder, 'test.db')]);
      expect(stdout).to.equal('rested');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
