/** Promises 1 to 3 and 8 under SIGKILL: what was acknowledged is there once, and nothing has a gap. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import sqlite3 from 'sqlite3';
import { ActorSystem } from 'troupe';
import { account, balances, mirror } from './fixtures/bank.js';

const KILLS = 20;
const TELLER = fileURLToPath(new URL('./fixtures/teller.js', import.meta.url));

/** A small generator with a seed, so that a failing round can be run again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs the teller and kills it a while after it is ready; resolves with the ids that it said were acknowledged. */
function killedAfter(journal: string, round: number, delayMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [TELLER, journal, `r${round}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), delayMs);
      output += text;
    });
    child.once('error', reject);
    child.once('close', (_code, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`the teller ended by itself, with ${String(signal ?? _code)}`));
      // The last line may have been cut in the middle of its being read, never of its being written.
      else resolve(output.split('\n').slice(1, -1));
    });
  });
}

function query<Row>(path: string, sql: string): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(path, sqlite3.OPEN_READONLY);
    database.all(sql, (error: Error | null, rows: Row[]) => {
      database.close();
      if (error === null) resolve(rows);
      else reject(error);
    });
  });
}

describe('kill -9', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-kill-'));
  const journal = join(folder, 'bank.db');
  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`at ${KILLS} moments loses nothing acknowledged, doubles nothing, and leaves no gap`, async () => {
    const random = randomFrom(11);
    const acknowledged: string[] = [];
    for (let round = 1; round <= KILLS; round += 1) {
      acknowledged.push(...(await killedAfter(journal, round, 20 + random() * 400)));
      const [positions] = await query<Record<string, number>>(
        journal,
        'select count(*) as events, coalesce(max(position), 0) as head, count(distinct position) as places from event_log',
      );
      expect(positions?.['places'], `round ${round}`).to.equal(positions?.['events']);
      expect(positions?.['head'], `round ${round}`).to.equal(positions?.['events']);
      const gaps = await query(
        journal,
        `select aggregate, aggregate_id from event_log group by 1, 2
         having count(*) <> max(version) or count(distinct version) <> count(*) or min(version) <> 1`,
      );
      expect(gaps, `round ${round}`).to.deep.equal([]);
    }
    expect(acknowledged.length).to.be.greaterThan(KILLS);
    const commands = await query<{ id: string; events: number; type: number }>(
      journal,
      `select command_id as id, count(*) as events from event_log where aggregate = 'account' group by 1`,
    );
    const eventsOf = new Map(commands.map(({ id, events }) => [id, events]));
    for (const id of acknowledged) {
      expect(eventsOf.get(id), id).to.equal(Number(id.split('-')[1]) % 5 === 0 ? 2 : 1);
    }
  });

  it('leaves reactions and read models that end where a fresh fold ends', async () => {
    const system = await ActorSystem.start({
      cast: new URL('./fixtures/bank.js', import.meta.url),
      workers: 0,
      journal,
    });
    await system.settled({ timeout: '120s' });
    for (let i = 0; i < 25; i += 1) {
      const id = `a${i}`;
      let balance = 0;
      let movements = 0;
      for await (const event of system.read(account, id)) {
        balance += (event.data as { amount: number }).amount;
        movements += 1;
      }
      expect(await system.state(account, id)).to.include({ balance });
      expect(await system.state(mirror, id)).to.deep.equal({ total: balance, seen: movements });
      expect(await system.view(balances).get(id)).to.deep.equal({ account: id, balance, movements });
    }
    await system.stop();
  });
});
