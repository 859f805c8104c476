/** What the journal keeps on disk: reopening, damage, a full disk, a second writer, the public views. */
import { copyFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { hashText } from '../../src/core/fingerprint.js';
import { pageChecksum } from '../../src/journal/checksums.js';
import type { Journal, LoadedStream } from '../../src/journal/journal.js';
import { JOURNAL_LIMITS } from '../../src/journal/journal-limits.js';
import { openJournal, openJournalReader } from '../../src/journal/open-journal.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { eventually } from '../support/eventually.js';
import {
  ANYWHERE,
  KeptEvents,
  replayWhole,
  append,
  codeOf,
  errorOf,
  hashesIn,
  inFile,
  inFolder,
  readAll,
  readWhole,
  settableClock,
} from './journal-harness.js';

/** Runs statements on a file beside the journal that has it open. */
async function meddle(path: string, ...statements: string[]): Promise<void> {
  const connection = await SqliteConnection.open(path, { mode: 'write' });
  for (const statement of statements) await connection.exec(statement);
  await connection.close();
}

async function rowsOf<Row>(path: string, sql: string): Promise<Row[]> {
  const connection = await SqliteConnection.open(path, { mode: 'read' });
  const rows = await connection.all<Row>(sql);
  await connection.close();
  return rows;
}

/** A small journal with everything in it that a journal can hold. */
async function fill(journal: Journal): Promise<void> {
  const { stream: a } = await journal.load('thing', 'a', 1);
  const { stream: b } = await journal.load('thing', 'b', 1);
  for (let n = 1; n <= 50; n += 1) {
    await Promise.all([
      append(journal, a, {
        commandId: `a${n}`,
        data: [{ n }],
        reply: n,
        ...(n % 10 === 0 ? { snapshot: snapshot(n) } : {}),
      }),
      append(journal, b, { commandId: `b${n}`, data: n % 2 === 0 ? [1, 2] : [1] }),
    ]);
  }
  await append(journal, b, { commandId: 'refused', eventlessOutcome: refusal });
  await journal.writeRecords([{ kind: 'k', key: 'a', value: [1] }]);
}

const refusal = { fingerprint: 7, outcome: { kind: 'rejection', reason: 'no', message: 'm', details: null } } as const;

function snapshot(n: number): { state: string; schemaVersion: number; keep: number } {
  return { state: JSON.stringify({ n }), schemaVersion: 1, keep: 2 };
}

/** Where the hashes stand differs between the file and what is behind its index. */
function known({ commandHashes }: LoadedStream): { stream: undefined; commandHashes: number[] } {
  return { stream: undefined, commandHashes: hashesIn(commandHashes) };
}

/** Everything a journal answers about what `fill` wrote. */
async function contentOf(journal: Journal): Promise<unknown> {
  const [a, b] = [await journal.load('thing', 'a', 1), await journal.load('thing', 'b', 1)];
  return {
    identity: journal.identity,
    head: journal.head,
    events: await readAll(journal, journal.head),
    byId: await readAll(journal, journal.head, { aggregate: 'thing', id: 'b' }),
    a: { ...a, ...known(a), events: await readWhole(journal, 'thing', 'a') },
    b: { ...b, ...known(b), events: await readWhole(journal, 'thing', 'b') },
    tail: (await readWhole(journal, 'thing', 'a', 45)).map(({ version }) => version),
    outcomes: await Promise.all(
      ['a1', 'a50', 'b50', 'refused', 'none'].map((id) =>
        journal.findOutcome('thing', id.startsWith('a') ? 'a' : 'b', id, ANYWHERE),
      ),
    ),
    records: await journal.readRecords('k'),
  };
}

describe('a journal file', () => {
  it('answers after a clean stop what it answered before, and leaves no log behind', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const first = await openJournal({ path });
      await fill(first);
      const before = await contentOf(first);
      await first.close();
      expect(await readdir(folder)).to.have.members(['j.db', 'j.db.lock']);
      const second = await openJournal({ path });
      expect(await contentOf(second)).to.deep.equal(before);
      const { stream } = await second.load('thing', 'a', 1);
      expect((await append(second, stream)).firstPosition).to.equal(first.head + 1);
      await second.close();
    }));

  it('answers after a crash what it answered before, from the events alone', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const journal = await openJournal({ path });
      await fill(journal);
      const before = await contentOf(journal);
      // What the disk holds at this moment, file and log, is what a crash would leave.
      const crashed = join(folder, 'crashed.db');
      await copyFile(path, crashed);
      await copyFile(`${path}-wal`, `${crashed}-wal`);
      await journal.close();
      const again = await openJournal({ path: crashed });
      expect(await contentOf(again)).to.deep.equal(before);
      await again.close();
    }));

  it(`puts the index into the file when ${JOURNAL_LIMITS.tailRows} rows have gathered, and finds everything across the border`, () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      // Time stands still: in the quiet what is left in memory would go into the file, too.
      const journal = await openJournal({ path, clock: new ManualClock() });
      const streams = await Promise.all(
        Array.from({ length: 500 }, async (_, i) => (await journal.load('thing', `${i}`, undefined)).stream),
      );
      const count = JOURNAL_LIMITS.tailRows * 2 + 10_000;
      const waiting: Promise<unknown>[] = [];
      for (let i = 0; i < count; i += 1) {
        waiting.push(append(journal, streams[i % 500] ?? expect.fail(), { commandId: `c${i}`, data: [i] }));
        if (i % 1_000 === 999) await Promise.all(waiting.splice(0));
      }
      await Promise.all(waiting);
      const [meta] = await rowsOf<{ value: number }>(path, "SELECT value FROM meta WHERE key = 'indexed_to'");
      expect(meta?.value).to.be.greaterThan(0).and.lessThan(count);
      for (const id of [0, 7, 499]) {
        const expected = Array.from({ length: Math.ceil((count - id) / 500) }, (_, i) => id + i * 500);
        expect((await readWhole(journal, 'thing', `${id}`)).map(({ data }) => data)).to.deep.equal(expected);
        expect(
          (await readAll(journal, count, { aggregate: 'thing', id: `${id}` })).map(({ data }) => data),
        ).to.deep.equal(expected);
        const loaded = await journal.load('thing', `${id}`, undefined);
        expect(loaded.version).to.equal(expected.length);
        expect(hashesIn(loaded.commandHashes)).to.have.length(expected.length);
        for (const [index, n] of expected.entries()) {
          const found = await journal.findOutcome('thing', `${id}`, `c${n}`, [index + 1]);
          expect(found?.outcome, `c${n}`).to.deep.include({ position: n + 1 });
        }
      }
      await journal.close();
      const again = await openJournal({ path });
      expect((await again.load('thing', '7', undefined)).version).to.equal(Math.ceil((count - 7) / 500));
      await again.close();
    })).timeout(60_000);

  it('replays everybody whose events are whole beside a damaged page, each event once', () =>
    inFile({}, async (journal, path) => {
      const ids = Array.from({ length: 60 }, (_, n) => `${n}`);
      const streams = await Promise.all(ids.map(async (id) => (await journal.load('thing', id, undefined)).stream));
      // Rounds of one event each; large ones have pages of their own, so that some pages hold one aggregate only.
      for (let round = 1; round <= 6; round += 1) {
        const text = 'x'.repeat(round === 4 ? JOURNAL_LIMITS.pageChars : 10);
        await Promise.all(streams.map((stream) => append(journal, stream, { data: [{ round, text }] })));
      }
      const [victim] = await readAll(journal, journal.head, { aggregate: 'thing', id: '17', after: 3 * 60 });
      const damage = `UPDATE event_page SET body = replace(body, 'xx', 'xy') WHERE first_position = ${victim?.position}`;
      await meddle(path, damage);
      const outcomes = await Promise.all(
        ids.map(async (id) => {
          const kept = new KeptEvents();
          const code = await codeOf(replayWhole(journal, id, kept, 6));
          return [id, code, kept.events.map(({ version }) => version)] as const;
        }),
      );
      for (const [id, code, versions] of outcomes) {
        if (id !== '17') expect([id, code, versions]).to.deep.equal([id, 'it succeeded', [1, 2, 3, 4, 5, 6]]);
        else expect([code, [1, 2, 3].slice(0, versions.length)]).to.deep.equal(['TROUPE_JOURNAL_CORRUPT', versions]);
      }
    }));

  it('replays what is larger than a step may read, in steps', () =>
    inFile({ durability: 'os' }, async (journal) => {
      const streams = await Promise.all(
        ['a', 'b', 'c'].map(async (id) => (await journal.load('thing', id, undefined)).stream),
      );
      const text = 'x'.repeat(JOURNAL_LIMITS.sweepChars / 4);
      const count = Math.ceil((1.5 * JOURNAL_LIMITS.replayEach) / text.length);
      for (let n = 0; n < count; n += 1) {
        await Promise.all(streams.map((stream) => append(journal, stream, { data: [{ n, text }] })));
      }
      await Promise.all(
        streams.map(async ({ id }) => {
          const kept = new KeptEvents();
          await journal.replayStream('thing', id, kept, count);
          expect(kept.version).to.be.greaterThan(0).and.lessThan(count);
          await replayWhole(journal, id, kept, count);
          expect(kept.events.map(({ data }) => (data as { n: number }).n)).to.deep.equal(
            Array.from({ length: count }, (_, n) => n),
          );
        }),
      );
    })).timeout(60_000);

  it('names no more pages in a row of the index than a lookup should read, however long the history is', () =>
    inFile({ durability: 'os' }, async (journal, path) => {
      const { stream } = await journal.load('thing', 'a', undefined);
      const count = JOURNAL_LIMITS.tailRowsLeft + 500;
      const data = [{ text: 'x'.repeat(JOURNAL_LIMITS.pageChars) }];
      for (let n = 1; n <= count; n += 1) {
        const done = append(journal, stream, { commandId: `c${n}`, data, reply: n });
        if (n % 256 === 0 || n === count) await done;
      }
      // In the quiet they go from memory into the file; what was told of them before goes on being true.
      const before = (await journal.load('thing', 'a', undefined)).commandHashes;
      const rowCount = 'SELECT count(*) AS n FROM stream_page';
      await eventually(async () => ((await rowsOf<{ n: number }>(path, rowCount))[0]?.n ?? 0) > 1, 30_000);
      const rows = await rowsOf<{ pages: string }>(path, 'SELECT pages FROM stream_page');
      const sizes = rows.map(({ pages }) => pages.split(',').length / 2);
      expect(Math.max(...sizes)).to.equal(JOURNAL_LIMITS.indexRowPages);
      expect(sizes.reduce((sum, size) => sum + size)).to.equal(count);
      const after = (await journal.load('thing', 'a', undefined)).commandHashes;
      for (const told of [before, after]) {
        expect(hashesIn(told)).to.deep.equal(Array.from({ length: count }, (_, i) => hashText(`c${i + 1}`)));
        for (const [near, hashes] of told) {
          for (const n of [near, near + hashesIn([[near, hashes]]).length - 1]) {
            const found = await journal.findOutcome('thing', 'a', `c${n}`, [near]);
            expect(found?.outcome, `c${n}`).to.deep.include({ reply: n, version: n });
          }
        }
      }
      // More rows than one step of a replay reads.
      expect(rows.length).to.be.greaterThan(JOURNAL_LIMITS.indexRows);
      const kept = new KeptEvents();
      await replayWhole(journal, 'a', kept, count);
      expect(kept.events.map(({ version }) => version)).to.deep.equal(Array.from({ length: count }, (_, n) => n + 1));
      expect((await readWhole(journal, 'thing', 'a')).map(({ version }) => version)).to.deep.equal(
        Array.from({ length: count }, (_, i) => i + 1),
      );
    })).timeout(120_000);

  it('stores commits of any number of pages, with and without something beside them, as one row for each page', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const journal = await openJournal({ path });
      const { stream } = await journal.load('thing', 'a', 1);
      const wide = 'x'.repeat(JOURNAL_LIMITS.pageChars);
      const counts = [1, 2, JOURNAL_LIMITS.plainPages - 1, JOURNAL_LIMITS.plainPages, JOURNAL_LIMITS.plainPages + 1];
      const written: unknown[] = [];
      for (const snapshotToo of [false, true]) {
        for (const count of counts) {
          const data = Array.from({ length: count }, (_, n) => `${wide}${written.length + n}`);
          const times = await Promise.all(
            data.map((one, n) =>
              append(journal, stream, { data: [one], ...(snapshotToo && n === 0 ? { snapshot: snapshot(n) } : {}) }),
            ),
          );
          expect(new Set(times.map(({ recordedAt }) => recordedAt)).size).to.equal(1);
          written.push(...data);
        }
      }
      await journal.close();
      const reopened = await openJournal({ path });
      expect((await readWhole(reopened, 'thing', 'a')).map(({ data }) => data)).to.deep.equal(written);
      await reopened.close();
      const [rows] = await rowsOf<{ n: number }>(path, 'SELECT count(*) AS n FROM event_page');
      expect(rows?.n).to.equal(written.length);
    }));

  it('never lets the time of a commit go back, across a restart too', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const clock = settableClock(2_000_000);
      const first = await openJournal({ path, clock });
      await append(first, (await first.load('thing', 'a', undefined)).stream);
      await first.close();
      clock.wallMs = 1_000_000;
      const second = await openJournal({ path, clock });
      expect((await append(second, (await second.load('thing', 'a', undefined)).stream)).recordedAt).to.equal(
        2_000_000,
      );
      await second.close();
    }));

  it('keeps its log below 100 MB under a steady load, and empties it in the quiet', () =>
    inFile({ durability: 'os' }, async (journal, path) => {
      const { stream } = await journal.load('thing', 'a', undefined);
      const data = [{ text: 'x'.repeat(100_000) }];
      let largest = 0;
      for (let n = 0; n < 30; n += 1) {
        await Promise.all(Array.from({ length: 50 }, () => append(journal, stream, { data })));
        largest = Math.max(largest, (await stat(`${path}-wal`)).size);
      }
      expect(largest).to.be.lessThan(100_000_000);
    })).timeout(60_000);
});

describe('reading a large journal file', () => {
  it('keeps the heap flat: 150 MB of events of 500 KB, read in order and by aggregate', () =>
    inFile({ durability: 'os' }, async (journal) => {
      const { stream } = await journal.load('thing', 'a', undefined);
      const data = [{ text: 'x'.repeat(500_000) }];
      for (let n = 0; n < 300; n += 1) await append(journal, stream, { data });
      let largest = 0;
      let count = 0;
      for (let after = 0; after < 300; ) {
        const page = await journal.read({ after, limit: 1_000 });
        count += page.events.length;
        after = page.searchedTo;
        largest = Math.max(largest, page.events.length);
      }
      for (let after = 0; after < 300; ) {
        const page = await journal.readStream('thing', 'a', after, 300);
        count += page.length;
        after += page.length;
        largest = Math.max(largest, page.length);
      }
      expect(count).to.equal(600);
      // 2 MB and one event more.
      expect(largest).to.be.at.most(5);
    })).timeout(60_000);
});

describe('a damaged journal file', () => {
  it('names the page, and serves aggregates that are not in it', () =>
    inFile({}, async (journal, path) => {
      const [a, b] = [
        (await journal.load('thing', 'a', undefined)).stream,
        (await journal.load('thing', 'b', undefined)).stream,
      ];
      await append(journal, a, { data: ['good'] });
      await append(journal, b, { data: ['good'] });
      await meddle(path, "UPDATE event_page SET body = replace(body, 'good', 'evil') WHERE first_position = 2");
      const [fine, broken] = await Promise.all([
        readWhole(journal, 'thing', 'a'),
        errorOf(readWhole(journal, 'thing', 'b')),
      ]);
      expect(fine).to.have.length(1);
      expect(broken.code).to.equal('TROUPE_JOURNAL_CORRUPT');
      expect(broken.message).to.contain('position 2');
      expect(await codeOf(readAll(journal, 2))).to.equal('TROUPE_JOURNAL_CORRUPT');
    }));

  it('passes over a damaged snapshot and one beyond the head, with a warning, to the next older one', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const warnings: string[] = [];
      const journal = await openJournal({ path, warn: (message) => warnings.push(message) });
      const { stream } = await journal.load('thing', 'a', 1);
      for (let n = 1; n <= 3; n += 1) await append(journal, stream, { snapshot: { ...snapshot(n), keep: 5 } });
      await meddle(
        path,
        "UPDATE snapshot SET state = '{}' WHERE version = 3",
        'INSERT INTO snapshot SELECT stream, 99, schema_version, state, checksum, recorded_at FROM snapshot WHERE version = 1',
      );
      expect((await journal.load('thing', 'a', 1)).snapshot).to.deep.equal({ version: 2, state: '{"n":2}' });
      expect(warnings).to.have.length(2);
      expect(warnings.join()).to.contain('thing/a').and.to.contain('version 99').and.to.contain('checksum');
      await meddle(path, 'UPDATE snapshot SET checksum = 0');
      expect((await journal.load('thing', 'a', 1)).snapshot).to.equal(undefined);
      await journal.close();
    }));
});

describe('a commit of the journal file', () => {
  it('is one transaction: when its last part fails, nothing of it is there', () =>
    inFile({}, async (journal, path) => {
      await meddle(path, "CREATE TRIGGER broken BEFORE INSERT ON record BEGIN SELECT RAISE(ABORT, 'broken'); END");
      const { stream } = await journal.load('thing', 'a', 1);
      const results = await Promise.all([
        codeOf(append(journal, stream, { snapshot: snapshot(1) })),
        codeOf(append(journal, stream, { commandId: 'x', eventlessOutcome: refusal })),
        codeOf(journal.writeRecords([{ kind: 'k', key: 'a', value: 1 }])),
      ]);
      expect(results).to.deep.equal(Array(3).fill('TROUPE_JOURNAL_WRITE_FAILED'));
      for (const table of ['event_page', 'stream', 'outcome', 'snapshot', 'record']) {
        expect(await rowsOf(path, `SELECT * FROM ${table}`), table).to.deep.equal([]);
      }
      await meddle(path, 'DROP TRIGGER broken');
      expect((await append(journal, (await journal.load('thing', 'a', 1)).stream)).firstPosition).to.equal(1);
    }));

  it('fails when the disk is full, and goes on without a restart when there is room again', () =>
    inFile({ pragmas: ['max_page_count = 66'] }, async (journal) => {
      // SQLite itself reports SQLITE_FULL beyond this size.
      const large = { data: ['x'.repeat(50_000)] };
      let written = 0;
      let failure: unknown;
      for (let n = 0; n < 20 && failure === undefined; n += 1) {
        const { stream } = await journal.load('thing', 'a', undefined);
        await append(journal, stream, large).then(
          () => (written += 1),
          (error: unknown) => (failure = error),
        );
      }
      expect((failure as Error).message)
        .to.contain('disk is full')
        .and.to.contain('not acknowledged');
      expect(written).to.be.greaterThan(0);
      expect((await readWhole(journal, 'thing', 'a')).map(({ version }) => version)).to.deep.equal(
        Array.from({ length: written }, (_, i) => i + 1),
      );
      const { stream } = await journal.load('thing', 'a', undefined);
      expect((await append(journal, stream)).firstPosition).to.equal(written + 1);
    }));

  it('notices a writer that came past the lock: nothing is mixed up, instances load again', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const warnings: string[] = [];
      const journal = await openJournal({ path, warn: (message) => warnings.push(message) });
      const { stream: a } = await journal.load('thing', 'a', undefined);
      const { stream: b } = await journal.load('thing', 'b', undefined);
      await append(journal, a, { data: ['ours'] });
      // A copy without its lock, written by somebody else, takes the journal's place: as if two had written.
      const body = JSON.stringify([['thing', 'a', 2, 't', 1, 'theirs', 'c', 'c', null, null, null, [1]]]);
      await meddle(path, `INSERT INTO event_page SELECT 2, 2, recorded_at, 1, '${body}' FROM event_page`);
      await meddle(
        path,
        `UPDATE event_page SET recorded_at = 7, checksum = ${pageChecksum(2, 2, 7, body)} WHERE first_position = 2`,
      );
      expect(await codeOf(append(journal, a, { data: ['lost'] }))).to.equal('TROUPE_VERSION_CONFLICT');
      expect(b.alive).to.equal(false);
      expect(warnings.join()).to.contain('somebody else');
      const again = await journal.load('thing', 'a', undefined);
      expect(again.version).to.equal(2);
      expect((await append(journal, again.stream, { data: ['ours again'] })).firstPosition).to.equal(3);
      expect((await readWhole(journal, 'thing', 'a')).map(({ data }) => data)).to.deep.equal([
        'ours',
        'theirs',
        'ours again',
      ]);
      await journal.close();
    }));
});

describe('the public views', () => {
  it('event_log shows what read returns, snapshot_log what is kept', () =>
    inFile({}, async (journal, path) => {
      await fill(journal);
      const events = await readAll(journal, journal.head);
      const rows = await rowsOf<Record<string, unknown>>(path, 'SELECT * FROM event_log ORDER BY position');
      expect(rows).to.deep.equal(
        events.map((event) => ({
          position: event.position,
          aggregate: event.aggregate,
          aggregate_id: event.aggregateId,
          version: event.version,
          type: event.type,
          schema_version: event.schemaVersion,
          data: JSON.stringify(event.data),
          event_id: event.id,
          command_id: event.commandId,
          correlation_id: event.correlationId,
          causation_id: event.causationId,
          metadata: '{}',
          recorded_at: event.recordedAt,
        })),
      );
      const snapshots = await rowsOf<{ version: number }>(path, 'SELECT * FROM snapshot_log ORDER BY version');
      expect(snapshots.map((row) => ({ ...row, recorded_at: 0 }))).to.deep.equal(
        [40, 50].map((version) => ({
          aggregate: 'thing',
          aggregate_id: 'a',
          version,
          state: JSON.stringify({ n: version }),
          recorded_at: 0,
        })),
      );
    }));
});

describe('a reader of a journal file', () => {
  it('reads beside the writer, sees each commit, and leaves nothing behind', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const journal = await openJournal({ path });
      await fill(journal);
      const reader = await openJournalReader(path);
      expect(reader.identity).to.equal(journal.identity);
      expect(await readAll(reader, await reader.head())).to.deep.equal(await readAll(journal, journal.head));
      expect(await reader.readRecords('k')).to.deep.equal([{ key: 'a', value: [1] }]);
      const { stream } = await journal.load('thing', 'a', undefined);
      await append(journal, stream, { data: ['new'] });
      const after = (await reader.head()) - 1;
      expect((await reader.read({ after, limit: 10 })).events.map(({ data }) => data)).to.deep.equal(['new']);
      await journal.close();
      expect(await reader.head()).to.equal(journal.head);
      await reader.close();
      const alone = await openJournalReader(path);
      expect(await readAll(alone, await alone.head(), { aggregate: 'thing', id: 'a' })).to.have.length(51);
      await alone.close();
      expect(await readdir(folder)).to.have.members(['j.db', 'j.db.lock']);
    }));
});
