/**
 * Bytes of the file that change by themselves: whatever is shown then is right, or it is TROUPE_JOURNAL_CORRUPT.
 *
 * A journal with all that it can hold is copied, one byte of the copy is changed, and everything is asked for.
 * `TROUPE_FLIPS` says how often; each failure names its seed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { hashText } from '../../src/core/fingerprint.js';
import type { Journal } from '../../src/journal/journal.js';
import { openJournal, openJournalReader } from '../../src/journal/open-journal.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { seededRandom } from '../../src/scenario/seeded-random.js';
import { ANYWHERE, append, errorOf, hashesIn, inFolder, readAll, readWhole } from './journal-harness.js';

const FLIPS = Number(process.env['TROUPE_FLIPS'] ?? 30);
const OWNERS = ['saga>fulfil/1', 'saga>fulfil/2', 'remind>thing/id-1'];
const AGGREGATES = Array.from({ length: 40 }, (_, i) => `id-${i}`);

/** What is asked of a journal, by name. */
type Questions = ReadonlyMap<string, (journal: Journal) => Promise<unknown>>;

function questions(): Questions {
  const all = new Map<string, (journal: Journal) => Promise<unknown>>();
  all.set('all events', (journal) => readAll(journal, journal.head));
  all.set('the head', (journal) => Promise.resolve(journal.head));
  for (const id of AGGREGATES) {
    all.set(`${id}: where it stands`, async (journal) => {
      const { stream, version, commandHashes } = await journal.load('thing', id, undefined);
      journal.release(stream);
      return { version, commandHashes: hashesIn(commandHashes).toSorted((a, b) => a - b) };
    });
    all.set(`${id}: its events`, (journal) => readWhole(journal, 'thing', id));
    all.set(`${id}: its history`, (journal) => readAll(journal, journal.head, { aggregate: 'thing', id }));
    all.set(`${id}: a reply`, (journal) => journal.findOutcome('thing', id, `c-${id}-3`, ANYWHERE));
    all.set(`${id}: a rejection`, (journal) => journal.findOutcome('thing', id, `r-${id}`, ANYWHERE));
  }
  all.set('timers', (journal) => journal.readTimers({ limit: 1_000 }));
  for (const owner of OWNERS) all.set(`timers of ${owner}`, (journal) => journal.readTimers({ owner, limit: 1_000 }));
  for (const kind of ['reaction', 'dead-letter']) all.set(`records: ${kind}`, (journal) => journal.readRecords(kind));
  return all;
}

async function fill(journal: Journal): Promise<void> {
  for (const id of AGGREGATES) {
    const { stream } = await journal.load('thing', id, undefined);
    const writes: Promise<unknown>[] = [];
    for (let n = 0; n < 40; n += 1) {
      const snapshot = n % 10 === 9 ? { state: JSON.stringify({ n, id }), schemaVersion: 1, keep: 2 } : undefined;
      const command = { commandId: `c-${id}-${n}`, data: [{ n, text: `event ${n} of ${id}` }], reply: { n } };
      writes.push(append(journal, stream, snapshot === undefined ? command : { ...command, snapshot }));
    }
    const outcome = { kind: 'rejection', reason: 'no', message: `no, ${id}`, details: null } as const;
    writes.push(
      append(journal, stream, { commandId: `r-${id}`, eventlessOutcome: { fingerprint: hashText(id), outcome } }),
    );
    await Promise.all(writes);
  }
  await journal.writeRecords([
    { kind: 'reaction', key: 'deliver', value: { position: 17 } },
    { kind: 'dead-letter', key: 'x', value: { reason: 'rejected' } },
  ]);
  const timers = OWNERS.flatMap((owner, i) =>
    Array.from({ length: 40 }, (_, n) => ({
      owner,
      name: `timer ${n}`,
      setting: `setting ${n}`,
      wakeAt: 1_000_000 + i * 7 + n * 1_000,
      body: JSON.stringify({ n, text: `what ${owner} wants to know at ${n}` }),
    })),
  );
  await journal.writeRecords(
    [],
    timers.map((timer) => ({ kind: 'set', timer })),
  );
}

describe('a journal with a changed byte', function () {
  this.timeout(120_000);

  it(`shows nothing wrong in silence: ${FLIPS} bytes, anywhere in the file`, () =>
    inFolder(async (folder) => {
      const original = join(folder, 'original.db');
      const writing = await openJournal({ path: original });
      await fill(writing);
      await writing.close();
      const asked = questions();
      const whole = await openJournal({ path: original });
      const answers = new Map<string, string>();
      for (const [name, ask] of asked) answers.set(name, JSON.stringify(await ask(whole)));
      await whole.close();
      const bytes = readFileSync(original);
      let found = 0;
      for (let seed = 1; seed <= FLIPS; seed += 1) {
        const random = seededRandom(seed);
        const place = Math.floor(random() * bytes.length);
        const path = join(folder, `flipped-${seed}.db`);
        const changed = Buffer.from(bytes);
        changed[place] = (changed[place] ?? 0) ^ (1 + Math.floor(random() * 255));
        writeFileSync(path, changed);
        const faults: string[] = [];
        const about = `seed ${seed}, byte ${place}`;
        let journal: Journal | undefined;
        try {
          journal = await openJournal({ path });
        } catch (error) {
          faults.push((error as { code: string }).code);
        }
        if (journal !== undefined) {
          for (const [name, ask] of asked) {
            try {
              expect(JSON.stringify(await ask(journal)), `${about}, ${name}`).to.equal(answers.get(name));
            } catch (error) {
              if ((error as Error).name === 'AssertionError') throw error;
              faults.push((error as { code: string }).code);
            }
          }
          await journal.close().catch(() => undefined);
        }
        for (const code of faults) expect(code, about).to.equal('TROUPE_JOURNAL_CORRUPT');
        if (faults.length > 0) found += 1;
      }
      // Most bytes belong to something; the rest is free space.
      expect(found).to.be.greaterThan(FLIPS / 2);
    }));

  for (const [column, value] of [
    ['wake_at', 'wake_at + 1'],
    ['body', "replace(body, 'wants', 'wanks')"],
    ['setting', "setting || 'x'"],
    ['name', "name || 'x'"],
    ['owner', "owner || 'x'"],
  ] as const) {
    it(`finds another ${column} in a timer, and says which one`, () =>
      inFolder(async (folder) => {
        const path = join(folder, 'timers.db');
        const journal = await openJournal({ path });
        await fill(journal);
        await journal.close();
        const connection = await SqliteConnection.open(path, { mode: 'write' });
        await connection.exec(`UPDATE timer SET ${column} = ${value} WHERE name = 'timer 7' AND owner LIKE 'remind%'`);
        await connection.close();
        const again = await openJournal({ path });
        const error = await errorOf(again.readTimers({ limit: 1_000 }));
        await again.close();
        expect(error.code).to.equal('TROUPE_JOURNAL_CORRUPT');
        expect(error.message).to.match(/^the timer timer 7x? of remind>thing\/id-1x? is damaged.*restore a backup/);
      }));
  }

  for (const column of ['command_id', 'command_hash', 'hash_negated', 'fingerprint', 'outcome']) {
    it(`finds another ${column} of an outcome before its command is done again`, () =>
      inFolder(async (folder) => {
        const path = join(folder, 'outcomes.db');
        const journal = await openJournal({ path });
        await fill(journal);
        await journal.close();
        const connection = await SqliteConnection.open(path, { mode: 'write' });
        const isText = column === 'command_id' || column === 'outcome';
        const value = isText ? `${column} || ' '` : `${column} + 1`;
        await connection.exec(`UPDATE outcome SET ${column} = ${value} WHERE command_id = 'r-id-7'`);
        await connection.close();
        const again = await openJournal({ path });
        const asked = again
          .load('thing', 'id-7', undefined)
          .then(() => again.findOutcome('thing', 'id-7', 'r-id-7', ANYWHERE));
        const error = await errorOf(asked);
        await again.close();
        expect(error.code).to.equal('TROUPE_JOURNAL_CORRUPT');
        expect(error.message).to.match(/^the (outcome of command r-id-7|index of the outcomes of thing\/id-7)/);
      }));
  }

  it('says where, and what to do', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const journal = await openJournal({ path });
      await fill(journal);
      await journal.close();
      const connection = await SqliteConnection.open(path, { mode: 'write' });
      await connection.exec('UPDATE event_page SET recorded_at = recorded_at + 1 WHERE first_position > 700');
      await connection.close();
      const reader = await openJournalReader(path);
      const error = await errorOf(reader.read({ after: 800, limit: 10 }));
      await reader.close();
      expect(error.code).to.equal('TROUPE_JOURNAL_CORRUPT');
      expect(error.message).to.match(/page of events from position \d+ on is damaged.*restore a backup/);
      expect((error.details as { position: number }).position).to.be.within(700, 801);
    }));
});
