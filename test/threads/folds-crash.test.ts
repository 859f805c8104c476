/** Read models after `kill -9`: as they stand in the file, each is a fresh fold of the log up to its checkpoint. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openJournalReader } from '../../src/journal/open-journal.js';
import { compareBuild } from '../../src/projections/compare-build.js';
import { seededRandom } from '../../src/scenario/seeded-random.js';
import { books, bySql, byTag, fragile } from './fixtures/folding.js';

const CHILD = fileURLToPath(new URL('./fixtures/folding-child.js', import.meta.url));
/** Kills for each number of workers; more by `TROUPE_FOLD_KILLS`. */
const KILLS = Number(process.env['TROUPE_FOLD_KILLS'] ?? 3);

describe('read models after kill -9', function () {
  this.timeout(60_000 + KILLS * 20_000);

  for (const workers of [0, 2]) {
    it(`workers: ${workers}: killed ${KILLS} times in the middle of writing, folding and rebuilding, every row is that of a fresh fold`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'troupe-'));
      const journal = join(folder, 'test.db');
      const random = seededRandom(11 + workers);
      let last = 0;
      try {
        for (let kill = 1; kill <= KILLS; kill += 1) {
          const child = fork(CHILD, [journal, String(workers), kill % 2 === 0 ? 'rebuild' : ''], { stdio: 'ignore' });
          await once(child, 'message');
          await new Promise((resolve) => setTimeout(resolve, 50 + random() * 500));
          child.kill('SIGKILL');
          await once(child, 'close');
          const reader = await openJournalReader(journal);
          for (const definition of [books, bySql, byTag, fragile]) {
            const found = await compareBuild(definition, { viewsPath: `${journal}.views`, journal: reader });
            expect(found, `kill ${kill}`).to.include({ differences: 0, name: definition.name });
            last = Math.max(last, found.position);
          }
          await reader.close();
        }
        expect(last).to.be.greaterThan(0);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
