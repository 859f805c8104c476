/**
 * Memory while a long history is replayed: flat, for one aggregate and for the whole log.
 *
 * `TROUPE_REPLAY_EVENTS` says how long it is; 1,000,000 take a minute or so.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { ActorSystem, aggregate } from 'troupe';

const EVENTS = Number(process.env['TROUPE_REPLAY_EVENTS'] ?? 30_000);
const PER_APPEND = 1_000;

const meter = aggregate({
  name: 'meter',
  initialState: () => ({ count: 0, sum: 0 }),
  events: { read: { apply: (state, data: { n: number }) => ({ count: state.count + 1, sum: state.sum + data.n }) } },
  queries: { count: (state) => state.count },
});

describe('replaying a long history', function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-replay-'));
  const journal = join(folder, 'meter.db');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  after(() => rmSync(folder, { recursive: true, force: true }));

  const heapMb = (): number => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const start = () => ActorSystem.start({ cast: [meter], workers: 0, journal: { path: journal, durability: 'os' } });

  it(`keeps the heap flat: ${EVENTS} events of one aggregate, by recovery, by state and by reading the log`, async () => {
    const writing = await start();
    for (let n = 0; n < EVENTS; n += PER_APPEND) {
      const events = Array.from({ length: PER_APPEND }, (_, i) => ({ type: 'read', data: { n: n + i } }));
      await writing.append(meter, 'a', events, { timeout: '60s' });
    }
    await writing.stop();
    const system = await start();
    const before = heapMb();
    expect(await system.ref(meter, 'a').ask('count', undefined, { timeout: '300s' })).to.equal(EVENTS);
    const afterRecovery = heapMb();
    expect(await system.state(meter, 'a', { atVersion: EVENTS })).to.include({ count: EVENTS });
    let seen = 0;
    let highest = 0;
    for await (const event of system.readAll()) {
      seen = event.position;
      if (seen % Math.floor(EVENTS / 10) === 0) highest = Math.max(highest, heapMb());
    }
    expect(seen).to.equal(EVENTS);
    await system.stop();
    // An instance keeps a few bytes for each command that it has done (here one for 1,000 events), and nothing of events.
    expect(afterRecovery - before).to.be.below(10);
    expect(highest - before).to.be.below(30);
    if (EVENTS >= 1_000_000)
      process.stdout.write(
        `      heap ${before.toFixed(1)} MB, after recovery ${afterRecovery.toFixed(1)}, at most ${highest.toFixed(1)} while reading\n`,
      );
  });
});
