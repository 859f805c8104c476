/** Sagas under SIGKILL: a real process, a real file, killed at every place of every saga, or in the middle of many. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openJournalReader } from '../../src/journal/open-journal.js';

const CHILD = fileURLToPath(new URL('./fixtures/fates-child.js', import.meta.url));
const STEPS = 5;

/** `TROUPE_SAGA_KILLS=all`: each fate at each step. By default two, one of each kind. */
const ALL = process.env['TROUPE_SAGA_KILLS'] === 'all';
const steps = Array.from({ length: STEPS }, (_, n) => n);
const FATES = ALL
  ? ['good', ...steps.map((n) => `refused-${n}`), ...steps.map((n) => `cancelled-${n}`)]
  : ['refused-3', 'cancelled-1'];

/** Sagas that are killed in the middle, all at once. */
const MANY = Number(process.env['TROUPE_SAGAS'] ?? 600);

interface Said {
  readonly states: Readonly<Record<string, string>>;
  readonly problems: readonly unknown[];
}

/** One life of the child: what it said at its end, or undefined when it was killed. */
function live(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  killAfterMs?: () => number | undefined,
): Promise<Said | undefined> {
  const child = spawn(process.execPath, [CHILD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let output = '';
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const delayMs = output === '' ? killAfterMs?.() : undefined;
      if (delayMs !== undefined) setTimeout(() => child.kill('SIGKILL'), delayMs);
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(undefined);
      else if (code === 0) resolve(JSON.parse(output.split('\n').at(-2) ?? '') as Said);
      else reject(new Error(`the child ended with ${String(code ?? signal)}`));
    });
  });
}

/** Type and aggregate id of all events, in order. */
async function eventsIn(journal: string): Promise<string[]> {
  const reader = await openJournalReader(journal);
  const events: string[] = [];
  for (let after = 0; after < (await reader.head()); ) {
    const page = await reader.read({ after, limit: 10_000 });
    events.push(...page.events.map(({ type, aggregateId }) => `${type} ${aggregateId}`));
    after = page.searchedTo;
  }
  await reader.close();
  return events;
}

describe('sagas under kill -9', function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-sagas-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it(`at every place of ${FATES.length} sagas end as they do without, and do nothing twice`, async () => {
    const plainJournal = join(folder, 'plain.db');
    const plain = await live([plainJournal, '0', 'one by one', ...FATES], {});
    const journal = join(folder, 'killed.db');
    const places = join(folder, 'places.txt');
    let said: Said | undefined;
    let kills = 0;
    while (said === undefined) {
      said = await live([journal, '0', 'one by one', ...FATES], { TROUPE_TEST_PLACES: places });
      if (said === undefined) kills += 1;
      expect(kills).to.be.lessThan(500);
    }
    expect(kills).to.equal(readFileSync(places, 'utf8').trim().split('\n').length);
    expect(kills).to.be.greaterThan(FATES.length * 6);
    expect(said).to.deep.equal(plain);
    const events = await eventsIn(journal);
    expect(new Set(events).size, 'an effect twice').to.equal(events.length);
    // Sagas of one life run one after the other, so the order is that of the plain run, too.
    expect(events).to.deep.equal(await eventsIn(plainJournal));
  });

  for (const workers of ['0', '2']) {
    it(`${MANY} at once, killed in the middle, all end, each step once (workers: ${workers})`, async () => {
      const journal = join(folder, `many-${workers}.db`);
      const args = [journal, workers, 'all at once', String(MANY)];
      const env = { TROUPE_TEST_STEPS: '3' };
      const startedMs = performance.now();
      const middle = await live(args, env, () => Math.max(150, MANY / 8));
      const killed = existsSync(journal) ? (await eventsIn(journal)).length : 0;
      const again = performance.now();
      const said = middle ?? (await live(args, env));
      const events = await eventsIn(journal);
      expect(said?.problems).to.deep.equal([]);
      expect(new Set(events).size, 'an effect twice').to.equal(events.length);
      expect(events).to.have.length(4 * MANY);
      if (process.env['TROUPE_SAGAS'] !== undefined) {
        const seconds = (performance.now() - again) / 1_000;
        process.stderr.write(
          `${MANY} sagas of 3 steps, workers ${workers}: killed at ${killed} events after ` +
            `${Math.round(again - startedMs)} ms; the rest in ${seconds.toFixed(1)} s (${Math.round((4 * MANY - killed) / seconds)} events/s)\n`,
        );
      }
    });
  }
});
