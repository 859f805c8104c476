/** What can be opened, what is refused and left as it was, and who may write. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openJournal, openJournalReader } from '../../src/journal/open-journal.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { APPLICATION_ID, FORMAT_VERSION } from '../../src/journal/sqlite-schema.js';
import { load } from '../../src/journal/sqlite-driver.js';
import { append, codeOf, errorOf, inFolder } from './journal-harness.js';

const HOLDER = fileURLToPath(new URL('./fixtures/journal-process.js', import.meta.url));

/** A process that has a journal open for writing; resolves when it has. */
async function holdInProcess(path: string): Promise<{ kill(): Promise<void> }> {
  const child = spawn(process.execPath, [HOLDER, path, 'hold'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('opening a journal', () => {
  it('makes a missing file, and takes an empty one as new', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'empty.db'), '');
      for (const name of ['new.db', 'empty.db']) {
        const journal = await openJournal({ path: join(folder, name) });
        expect(journal.head).to.equal(0);
        expect(journal.identity).to.have.length(21);
        await append(journal, (await journal.load('thing', 'a', undefined)).stream);
        await journal.close();
      }
    }));

  it("keeps ':memory:' in memory", () =>
    inFolder(async (folder) => {
      const journal = await openJournal({ path: ':memory:' });
      await append(journal, (await journal.load('thing', 'a', undefined)).stream);
      await journal.close();
      expect(await readdir(folder)).to.deep.equal([]);
    }));

  it('refuses what is no journal, by code and with what to do, and leaves everything as it was', () =>
    inFolder(async (folder) => {
      const at = (name: string): string => join(folder, name);
      await mkdir(at('folder'));
      await writeFile(at('text.db'), 'this is no database, and longer than the header of one would be'.repeat(10));
      await writeFile(at('short.db'), 'x');
      await symlink(at('loop'), at('loop'));
      for (const [name, mode] of [
        ['foreign.db', 'DELETE'],
        ['foreign-wal.db', 'WAL'],
        ['newer.db', 'DELETE'],
      ] as const) {
        const connection = await SqliteConnection.open(at(name), { mode: 'create' });
        await connection.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE t (x); INSERT INTO t VALUES (1)`);
        if (name === 'newer.db')
          await connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 99`);
        await connection.close();
      }
      const before = await contentOf(folder);
      const cases: readonly (readonly [name: string, code: string, ...words: string[]])[] = [
        ['folder', 'TROUPE_INVALID_OPTIONS', 'directory'],
        ['missing/j.db', 'TROUPE_INVALID_OPTIONS', 'does not exist', 'create it'],
        ['text.db/j.db', 'TROUPE_INVALID_OPTIONS', 'no folder'],
        ['loop', 'TROUPE_INVALID_OPTIONS', 'link'],
        ['text.db', 'TROUPE_JOURNAL_CORRUPT', 'no SQLite database'],
        ['short.db', 'TROUPE_JOURNAL_CORRUPT', 'no SQLite database'],
        ['foreign.db', 'TROUPE_JOURNAL_CORRUPT', 'another program'],
        ['foreign-wal.db', 'TROUPE_JOURNAL_CORRUPT', 'another program'],
        ['newer.db', 'TROUPE_JOURNAL_CORRUPT', 'format 99', `format ${FORMAT_VERSION}`],
      ];
      for (const [name, code, ...words] of cases) {
        for (const open of [() => openJournal({ path: at(name) }), () => openJournalReader(at(name))]) {
          const error = await errorOf(open());
          expect(error.code, name).to.equal(code);
          expect(error.message).to.contain(at(name));
          for (const word of words) expect(error.message).to.contain(word);
        }
      }
      expect((await errorOf(openJournalReader(at('none.db')))).message).to.contain('no such file');
      expect(await contentOf(folder)).to.deep.equal(before);
    }));

  it('refuses a folder that may not be written, and reads a journal in it', async function () {
    // The superuser may write everywhere.
    if (process.getuid?.() === 0) this.skip();
    await inFolder(async (folder) => {
      const journal = await openJournal({ path: join(folder, 'j.db') });
      await append(journal, (await journal.load('thing', 'a', undefined)).stream);
      await journal.close();
      await chmod(folder, 0o555);
      expect(await codeOf(openJournal({ path: join(folder, 'j.db') }))).to.equal('TROUPE_INVALID_OPTIONS');
      expect(await codeOf(openJournal({ path: join(folder, 'new.db') }))).to.equal('TROUPE_INVALID_OPTIONS');
      const reader = await openJournalReader(join(folder, 'j.db'));
      expect(await reader.head()).to.equal(1);
      await reader.close();
      await chmod(folder, 0o755);
    });
  });

  it('says what to do when the native driver is missing', async () => {
    const missing = new Error('Could not locate the bindings file.');
    const error = await errorOf(load(() => Promise.reject(missing)));
    expect(error.cause).to.equal(missing);
    expect(error.message).to.contain('npm rebuild sqlite3').and.to.contain('allowScripts');
  });
});

describe('the lock of a journal', () => {
  it('refuses a second writer of the same process at once, through a symbolic link too, until the first has closed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const link = join(folder, 'link.db');
      await symlink(path, link);
      const first = await openJournal({ path: link });
      for (const second of [path, link]) {
        const error = await errorOf(openJournal({ path: second }));
        expect(error.code).to.equal('TROUPE_JOURNAL_LOCKED');
        expect(error.message).to.contain(path).and.to.contain('stop it or use another path');
      }
      await append(first, (await first.load('thing', 'a', undefined)).stream);
      await first.close();
      const again = await openJournal({ path });
      expect(again.head).to.equal(1);
      await again.close();
    }));

  it('lets one of several through that open at the same time', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const opened = await Promise.allSettled(Array.from({ length: 5 }, () => openJournal({ path })));
      const journals = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(journals).to.have.length(1);
      await journals[0]?.close();
    }));

  it('refuses a second writer of another process, lets it read, and falls when the first is killed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const holder = await holdInProcess(path);
      expect(await codeOf(openJournal({ path }))).to.equal('TROUPE_JOURNAL_LOCKED');
      const reader = await openJournalReader(path);
      expect(await reader.head()).to.be.greaterThan(0);
      await reader.close();
      await holder.kill();
      const journal = await openJournal({ path });
      expect(journal.head).to.be.greaterThan(0);
      await journal.close();
    }));
});

/** Every file of a folder with what is in it. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    content[entry.name] = entry.isFile() ? (await readFile(join(folder, entry.name))).toString('base64') : '';
  }
  return content;
}
