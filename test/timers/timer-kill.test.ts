/**
 * Timers of every kind under SIGKILL: of aggregates, actors, sagas, from outside, at a pace, by the calendar. None is
 * early, none is lost, none has its effect twice.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { openJournalReader } from '../../src/journal/open-journal.js';

const PROCESS = fileURLToPath(new URL('./fixtures/bells-process.js', import.meta.url));
const KILLS = Number(process.env['TROUPE_TIMER_KILLS'] ?? 4);
/** Timers of each kind. */
const EACH = Number(process.env['TROUPE_TIMERS'] ?? 150);

/** One life; killed a while after it is ready, unless it is to end by itself. */
async function live(args: readonly string[], killAfterMs: number | undefined): Promise<string> {
  const child = spawn(process.execPath, [PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    output += text;
  });
  await once(child, 'close');
  return output;
}

/** When the message of a reminder was due, which its id says. */
function dueOf(event: RecordedEvent): number {
  return Number(/@(\d+)#/.exec(event.commandId)?.[1]);
}

describe('timers of a process that is killed', function () {
  this.timeout(120_000);
  for (const workers of ['0', '2']) {
    it(`set by everything that can set some: none early, lost or twice, with ${workers} workers and ${KILLS} kills`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'troupe-'));
      try {
        const journal = join(folder, 'test.db');
        const args = [journal, workers, String(EACH)];
        for (let kill = 0; kill < KILLS; kill += 1) {
          await live([...args, kill === 0 ? 'first' : 'again'], 5 + ((kill * 173) % 400));
        }
        expect(await live([...args, 'again'], undefined)).to.equal('ready\ndone\n');

        const reader = await openJournalReader(journal);
        const rang = new Map<string, number>();
        const paces = new Map<string, number[]>([
          ['second', []],
          ['pace', []],
        ]);
        for (let after = 0; after < (await reader.head()); ) {
          const { events, searchedTo } = await reader.read({ after, limit: 1_000, types: ['bell.rang'] });
          for (const event of events) {
            const { aggregateId, data, recordedAt } = event;
            // What `ring` of the cast takes.
            const dueAt = (data as { dueAt: number }).dueAt || dueOf(event);
            expect(recordedAt, `${aggregateId} was early`).to.be.at.least(dueAt);
            const pace = paces.get(aggregateId);
            if (pace === undefined) rang.set(aggregateId, (rang.get(aggregateId) ?? 0) + 1);
            else pace.push(dueAt);
          }
          after = searchedTo;
        }
        expect(
          [...rang.values()].every((times) => times === 1),
          'some rang twice',
        ).to.equal(true);
        expect(rang.size).to.equal(4 * EACH);
        for (const [id, beatMs] of [
          ['second', 1_000],
          ['pace', 40],
        ] as const) {
          const due = paces.get(id) ?? [];
          const [first = 0] = due;
          expect(due.length, id).to.be.greaterThan(1);
          expect(due, id).to.deep.equal(due.map((_, i) => first + i * beatMs));
        }
        expect(await reader.readTimers({ limit: 10 })).to.deep.equal([]);
        await reader.close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
