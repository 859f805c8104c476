/** A merge of the index that is on its way: what is asked between two of its slices, and what a crash there leaves. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeAhead, IndexReach, NOTHING_AHEAD } from '../../src/journal/index-reach.js';
import type { Journal, Stream } from '../../src/journal/journal.js';
import { JOURNAL_LIMITS } from '../../src/journal/journal-limits.js';
import { openJournal } from '../../src/journal/open-journal.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { verifyJournal } from '../../src/journal/verify-journal.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { append, codeOf, hashesIn, inFolder, readAll, readWhole } from './journal-harness.js';

/** Enough for some slices. */
const STREAMS = Math.ceil(12.5 * JOURNAL_LIMITS.mergeSlice);

async function aheadIn(path: string): Promise<string | undefined> {
  const connection = await SqliteConnection.open(path, { mode: 'read' });
  const row = await connection.get<{ value: string }>("SELECT value FROM meta WHERE key = 'index_ahead'");
  await connection.close();
  return row?.value;
}

/** Whether a merge is on its way. */
function isAhead(ahead: string | undefined): boolean {
  return ahead !== undefined && ahead !== NOTHING_AHEAD;
}

async function findingsOf(path: string): Promise<string[]> {
  const findings: string[] = [];
  const connection = await SqliteConnection.open(path, { mode: 'read' });
  await verifyJournal(connection, { found: ({ message }) => findings.push(message) });
  await connection.close();
  return findings;
}

function streamsOf(journal: Journal): Promise<Stream[]> {
  const ids = Array.from({ length: STREAMS }, (_, id) => `${id}`);
  return Promise.all(ids.map(async (id) => (await journal.load('thing', id, undefined)).stream));
}

/** What was written: of each aggregate its commands, in their order. */
class Written {
  readonly journal: Journal;
  #streams: readonly Stream[];
  readonly commands: string[][];
  count = 0;

  private constructor(journal: Journal, streams: readonly Stream[]) {
    this.journal = journal;
    this.#streams = streams;
    this.commands = streams.map(() => []);
  }

  static async to(journal: Journal): Promise<Written> {
    return new Written(journal, await streamsOf(journal));
  }

  /** Compares, which takes the right to append from these streams. */
  async expectAll(): Promise<void> {
    await expectAll(this.journal, this.commands);
    this.#streams = await streamsOf(this.journal);
  }

  async append(count: number): Promise<void> {
    const waiting: Promise<unknown>[] = [];
    for (let i = 0; i < count; i += 1) {
      const id = (this.count * 7) % STREAMS;
      this.count += 1;
      const commandId = `c${this.count}`;
      this.commands[id]?.push(commandId);
      waiting.push(append(this.journal, this.#streams[id] ?? expect.fail(), { commandId, data: [this.count] }));
    }
    await Promise.all(waiting);
  }
}

/** Everything about some aggregates, wherever a merge has got to, is what was written. */
async function expectAll(journal: Journal, commands: readonly (readonly string[])[]): Promise<void> {
  const ids = [0, 1, 2, ...Array.from({ length: 8 }, (_, i) => (i + 1) * JOURNAL_LIMITS.mergeSlice), STREAMS - 1];
  for (const id of ids) {
    const expected = commands[id] ?? expect.fail();
    const loaded = await journal.load('thing', `${id}`, undefined);
    expect(loaded.version, `${id}`).to.equal(expected.length);
    expect(hashesIn(loaded.commandHashes), `${id}`).to.have.length(expected.length);
    expect((await readWhole(journal, 'thing', `${id}`)).map(({ commandId }) => commandId)).to.deep.equal(expected);
    const read = await readAll(journal, journal.head, { aggregate: 'thing', id: `${id}` });
    expect(read.map(({ commandId }) => commandId)).to.deep.equal(expected);
    for (const version of [1, Math.ceil(expected.length / 2), expected.length]) {
      const commandId = expected[version - 1] ?? expect.fail();
      expect((await journal.findOutcome('thing', `${id}`, commandId, [version]))?.outcome).to.include({ version });
    }
  }
}

describe('a merge on its way', () => {
  it('hides nothing and doubles nothing, slice by slice, and goes on after a crash where it was', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      // Time stands still: in the quiet what is left in memory would go into the file, too.
      const journal = await openJournal({ path, clock: new ManualClock() });
      const written = await Written.to(journal);
      while (!isAhead(await aheadIn(path))) await written.append(400);
      const crashes: { readonly path: string; readonly commands: readonly (readonly string[])[] }[] = [];
      const reached = new Set<string>();
      for (let ahead = await aheadIn(path); ahead !== undefined && isAhead(ahead); ahead = await aheadIn(path)) {
        reached.add(ahead);
        if (reached.size % 6 === 1) {
          // What the disk holds at this moment, file and log, is what a crash would leave.
          const crashed = join(folder, `crashed-${crashes.length}.db`);
          await copyFile(path, crashed);
          await copyFile(`${path}-wal`, `${crashed}-wal`);
          crashes.push({ path: crashed, commands: written.commands.map((one) => [...one]) });
          expect(await findingsOf(crashed)).to.deep.equal([]);
          await written.expectAll();
        }
        await written.append(1);
      }
      expect(reached.size).to.be.above(2);
      await written.expectAll();
      await journal.close();
      expect(await findingsOf(path)).to.deep.equal([]);
      for (const crash of crashes) {
        const clock = new ManualClock();
        const again = await openJournal({ path: crash.path, clock });
        await expectAll(again, crash.commands);
        // What is left of the merge goes along with these.
        const { stream } = await again.load('thing', '3', undefined);
        let commits = 0;
        for (; commits < 100 && isAhead(await aheadIn(crash.path)); commits += 1)
          await append(again, stream, { data: [0] });
        expect(commits).to.be.above(0).and.below(100);
        await expectAll(again, crash.commands);
        await again.close();
        expect(await findingsOf(crash.path)).to.deep.equal([]);
        const third = await openJournal({ path: crash.path });
        await expectAll(third, crash.commands);
        await third.close();
      }
    })).timeout(120_000);

  it('answers while slices land, whichever the reader sees', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const journal = await openJournal({ path, clock: new ManualClock() });
      const written = await Written.to(journal);
      while (!isAhead(await aheadIn(path))) await written.append(1_000);
      // A copy: of what is appended meanwhile these questions need not know.
      const commands = written.commands.map((one) => [...one]);
      const others = written.append(20);
      const ids = Array.from({ length: STREAMS }, (_, id) => id).filter((id) => id % 40 === 0);
      const versions = await Promise.all(
        ids.map(async (id) => (await readWhole(journal, 'thing', `${id}`)).map(({ commandId }) => commandId)),
      );
      await others;
      for (const [i, id] of ids.entries()) {
        expect(versions[i]?.slice(0, commands[id]?.length)).to.deep.equal(commands[id]);
      }
      await journal.close();
    })).timeout(60_000);

  it('goes on when nobody knows whether a commit without events, which took a slice along, was written', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      let isLost = false;
      // Its answer is lost: the slice is in the file, and the records of the commit are taken for not written.
      const fault = (_number: number, when: string): Error | undefined =>
        isLost && when === 'after' ? new Error('the answer was lost') : undefined;
      const journal = await openJournal({ path, clock: new ManualClock(), fault });
      const written = await Written.to(journal);
      while (!isAhead(await aheadIn(path))) await written.append(400);
      const before = await aheadIn(path);
      isLost = true;
      expect(await codeOf(journal.writeRecords([{ kind: 'k', key: 'a', value: 1 }]))).to.equal(
        'TROUPE_JOURNAL_WRITE_FAILED',
      );
      isLost = false;
      expect(await aheadIn(path)).to.not.equal(before);
      await written.append(1);
      await written.expectAll();
      while (isAhead(await aheadIn(path))) await written.append(1);
      await written.expectAll();
      await journal.close();
      expect(await findingsOf(path)).to.deep.equal([]);
    })).timeout(60_000);

  it('whose place in the file has changed is damage, and not believed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const journal = await openJournal({ path });
      const { stream } = await journal.load('thing', 'a', undefined);
      await append(journal, stream, { data: [1] });
      await journal.close();
      for (const value of ['[5,5,-5,-4]', 'x', '[5,5]', '{}']) {
        const connection = await SqliteConnection.open(path, { mode: 'write' });
        await connection.exec(`INSERT OR REPLACE INTO meta (key, value) VALUES ('index_ahead', '${value}')`);
        await connection.close();
        expect(await codeOf(openJournal({ path })), value).to.equal('TROUPE_JOURNAL_CORRUPT');
        expect((await findingsOf(path)).join(), value).to.contain('how far a merge has got is not known');
      }
    }));
});

describe('the reach of the index', () => {
  it('is one position for all, or another one for aggregates with small numbers', () => {
    const none = IndexReach.read({ indexedTo: 7, indexAhead: null });
    expect([none.of(1), none.of(99)]).to.deep.equal([7, 7]);
    const over = IndexReach.read({ indexedTo: 7, indexAhead: NOTHING_AHEAD });
    expect([over.of(0), over.of(99)]).to.deep.equal([7, 7]);
    const ahead = IndexReach.read({ indexedTo: 7, indexAhead: encodeAhead(50, 4) });
    expect([ahead.of(1), ahead.of(3), ahead.of(4)]).to.deep.equal([50, 50, 7]);
  });
});
