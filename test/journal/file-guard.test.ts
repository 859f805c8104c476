/** A journal whose file is moved, deleted or replaced while it is open: nothing is acknowledged that would be gone. */
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openJournal } from '../../src/journal/open-journal.js';
import { append, codeOf, errorOf, inFolder, readWhole } from './journal-harness.js';

describe('a journal whose file is not there any more', () => {
  const CASES: readonly (readonly [what: string, does: (path: string) => void])[] = [
    ['moved away', (path) => renameSync(path, `${path}.moved`)],
    [
      'replaced by a copy of itself',
      (path) => {
        renameSync(path, `${path}.moved`);
        copyFileSync(`${path}.moved`, path);
      },
    ],
  ];
  for (const [what, does] of CASES) {
    it(`${what}: writes fail until it is back, and go on then without a restart`, () =>
      inFolder(async (folder) => {
        const path = join(folder, 'j.db');
        const journal = await openJournal({ path });
        const { stream } = await journal.load('thing', 'a', undefined);
        await append(journal, stream, { data: ['before'] });
        does(path);
        const error = await errorOf(append(journal, stream, { data: ['lost'] }));
        expect(error.code).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
        const other = await journal.load('thing', 'b', undefined);
        const again = await errorOf(append(journal, other.stream, { data: ['lost too'] }));
        expect(again.code).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
        expect(`${error.message} ${again.message}`).to.match(/was (moved|replaced).*put the file back/);
        renameSync(`${path}.moved`, path);
        const loaded = await journal.load('thing', 'a', undefined);
        await append(journal, loaded.stream, { data: ['after'] });
        const seen = (await readWhole(journal, 'thing', 'a')).map(({ data }) => data);
        await journal.close();
        const reopened = await openJournal({ path });
        // What was not acknowledged may be there, as after a crash; what was is, in order.
        expect(seen.filter((data) => data !== 'lost')).to.deep.equal(['before', 'after']);
        expect((await readWhole(reopened, 'thing', 'a')).map(({ data }) => data)).to.deep.equal(seen);
        await reopened.close();
      }));
  }

  it('deleted: writes fail, also when its log is what was deleted', () =>
    inFolder(async (folder) => {
      for (const suffix of ['', '-wal']) {
        const path = join(folder, `j${suffix}.db`);
        const journal = await openJournal({ path });
        const { stream } = await journal.load('thing', 'a', undefined);
        await append(journal, stream);
        rmSync(path + suffix);
        expect(await codeOf(append(journal, stream))).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
        await journal.close().catch(() => undefined);
      }
    }));
});
