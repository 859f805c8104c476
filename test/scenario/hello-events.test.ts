/**
 * The scenario people look at first: it holds, and holds again on the journal it left behind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { runProgram, TROUPE } from './run-program.js';

const HELLO = fileURLToPath(new URL('../../scenarios/hello-events.js', import.meta.url));

describe('hello-events', function () {
  this.timeout(60_000);

  it('keeps all the money, once and again on the same journal, with events of each run counted for itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hello-events-'));
    try {
      for (const seed of ['1', '2']) {
        const args = ['run', HELLO, '--json', '--journal', join(folder, 'hello.db'), '--seed', seed];
        const { code, stdout, stderr } = await runProgram(TROUPE, args);
        expect(code, stderr).to.equal(0);
        const result: { ok: boolean; events: number; checks: unknown[]; totals: { refused: number } } =
          JSON.parse(stdout);
        expect(result.ok).to.equal(true);
        expect(result.checks).to.have.length(4);
        // Each payment that was not refused is sent and received; the first run also has the five gifts.
        expect(result.events).to.equal(2 * (1_000 - result.totals.refused) + (seed === '1' ? 5 : 0));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
