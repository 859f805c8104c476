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
import { append, errorOf, inFolder, readAll, readWhole } from './journal-harness.js';

const FLIPS = Number(process.env['TROUPE_FLIPS'] ?? 30);
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
      return { version, commandHashes: commandHashes.toSorted((a, b) => a - b) };
    });
    all.set(`${id}: its events`, (journal) => readWhole(journal, 'thing', id));
    all.set(`${id}: its history`, (journal) => readAll(journal, journal.head, { aggregate: 'thing', id }));
    all.set(`${id}: a reply`, (journal) => journal.findOutcome('thing', id, `c-${id}-3`));
    all.set(`${id}: a rejection`, (journal) => journal.findOutcome('thing', id, `r-${id}`));
  }
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
