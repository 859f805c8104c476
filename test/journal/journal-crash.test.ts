/** However a process ends, its journal is sound and holds everything that was acknowledged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openJournal } from '../../src/journal/open-journal.js';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { inFolder, readAll } from './journal-harness.js';

const PROCESS = fileURLToPath(new URL('./fixtures/journal-process.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Command ids acknowledged, in order. */
  readonly acknowledged: readonly string[];
}

/** Runs the writing process; kills it once it has acknowledged `killAfter` entries. */
async function write(path: string, way: string, killAfter = Number.POSITIVE_INFINITY): Promise<Ended> {
  const child = spawn(process.execPath, [PROCESS, path, way], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  let lines = 0;
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
    for (const byte of text) if (byte === 0x0a) lines += 1;
    if (lines >= killAfter) child.kill('SIGKILL');
  });
  // The arguments of 'close', by Node's documentation.
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const complete = output.slice(0, output.lastIndexOf('\n') + 1);
  return { code, signal, acknowledged: complete.split('\n').filter((line) => line !== '') };
}

/** Checks positions, versions and that each acknowledged command is there once, in SQL and through the journal. */
async function checkSound(path: string, acknowledged: readonly string[]): Promise<void> {
  const journal = await openJournal({ path });
  const events = await readAll(journal, journal.head);
  expect(events.map(({ position }) => position)).to.deep.equal(events.map((_, i) => i + 1));
  await journal.close();
  const connection = await SqliteConnection.open(path, { mode: 'read' });
  const [integrity] = await connection.all<{ integrity_check: string }>('PRAGMA integrity_check');
  expect(integrity?.integrity_check).to.equal('ok');
  const gaps = await connection.all(
    `SELECT aggregate_id FROM event_log GROUP BY aggregate, aggregate_id
     HAVING count(*) <> max(version) OR count(DISTINCT version) <> count(*)`,
  );
  expect(gaps).to.deep.equal([]);
  const commands = await connection.all<{ command_id: string }>('SELECT command_id FROM event_log');
  await connection.close();
  const times = new Map<string, number>();
  for (const { command_id: id } of commands) times.set(id, (times.get(id) ?? 0) + 1);
  for (const id of acknowledged) expect(times.get(id), id).to.equal(1);
}

describe('a journal whose process ends with statements in flight', () => {
  it('is sound after kill -9 at 5 moments, with everything that was acknowledged, once', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'j.db');
      const all: string[] = [];
      for (const killAfter of [1, 37, 333, 1_000, 2_500]) {
        const { signal, acknowledged } = await write(path, 'kill', killAfter);
        expect(signal).to.equal('SIGKILL');
        all.push(...acknowledged);
        await checkSound(path, all);
      }
    })).timeout(60_000);

  const ways = { exit: 'process.exit()', throw: 'an uncaught exception', sigterm: 'SIGTERM' } as const;
  const expected = { exit: [0, null], throw: [1, null], sigterm: [null, 'SIGTERM'] } as const;

  for (const way of ['exit', 'throw', 'sigterm'] as const) {
    it(`never ends in a fatal abort: 5 times ${ways[way]}`, () =>
      inFolder(async (folder) => {
        const path = join(folder, 'j.db');
        const all: string[] = [];
        for (let round = 0; round < 5; round += 1) {
          const { code, signal, acknowledged } = await write(path, way);
          expect([code, signal]).to.deep.equal(expected[way]);
          expect(acknowledged.length).to.be.at.least(500);
          all.push(...acknowledged);
        }
        await checkSound(path, all);
      })).timeout(60_000);
  }
});
