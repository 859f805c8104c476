/** Reminders under SIGKILL: a chain in which each sets the next one breaks nowhere, doubles nowhere, and is never early. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { type JournalReader, openJournalReader } from '../../src/journal/open-journal.js';

const PROCESS = fileURLToPath(new URL('./fixtures/ticking-process.js', import.meta.url));
const KILLS = Number(process.env['TROUPE_REMINDER_KILLS'] ?? 3);
const DIARIES = 15;
const UNTIL = 40;

/** Runs the process; kills it a while after it is ready, unless it is to end by itself. */
async function run(journal: string, workers: number, killAfterMs: number | undefined): Promise<string> {
  const args = [PROCESS, journal, String(workers), String(DIARIES), String(UNTIL)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    output += text;
  });
  await once(child, 'close');
  return output;
}

async function allOf(reader: JournalReader): Promise<RecordedEvent[]> {
  const head = await reader.head();
  const all: RecordedEvent[] = [];
  for (let after = 0; after < head; ) {
    const { events, searchedTo } = await reader.read({ after, limit: 1_000 });
    all.push(...events);
    after = searchedTo;
  }
  return all;
}

describe('reminders of a process that is killed', function () {
  this.timeout(180_000);
  for (const workers of [0, 2]) {
    it(`come once each, in turn, never early, with ${workers} workers and ${KILLS} kills`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'troupe-'));
      try {
        const journal = join(folder, 'test.db');
        for (let kill = 0; kill < KILLS; kill += 1) await run(journal, workers, 3 + ((kill * 37) % 90));
        expect(await run(journal, workers, undefined)).to.equal('ready\ndone\n');
        const reader = await openJournalReader(journal);
        const events = await allOf(reader);
        const ticks = new Map<string, number[]>();
        for (const { aggregateId, data, recordedAt } of events) {
          const { n, dueAt } = data as { n: number; dueAt: number };
          expect(recordedAt, `${aggregateId} ${n}`).to.be.at.least(dueAt);
          ticks.set(aggregateId, [...(ticks.get(aggregateId) ?? []), n]);
        }
        const all = Array.from({ length: UNTIL }, (_, i) => i + 1);
        expect(ticks.size).to.equal(DIARIES);
        for (const [id, numbers] of ticks) expect(numbers, id).to.deep.equal(all);
        expect(await reader.readTimers({ limit: 10 })).to.deep.equal([]);
        await reader.close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
