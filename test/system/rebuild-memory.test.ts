/**
 * Memory while read models are built anew from many events: flat, on the thread that folds and on the one that writes.
 *
 * `TROUPE_REBUILD_EVENTS` says how many.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem } from 'troupe';
import { bySql, heapMb, heaps, LOOK_EVERY, meter, sums } from './fixtures/meters.js';

const EVENTS = Number(process.env['TROUPE_REBUILD_EVENTS'] ?? 100_000);
const PER_APPEND = 1_000;
const TEXT = 'x'.repeat(500);
/** What a thread may hold on its way: some pages of events, rows of a batch. */
const MOST_MB = 30;

describe('building read models anew', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-rebuild-'));
  const journal = { path: join(folder, 'meters.db'), durability: 'os' } as const;
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (workers: number) =>
    ActorSystem.start({ cast: new URL('./fixtures/meters.js', import.meta.url), workers, journal });

  before(async () => {
    const system = await start(0);
    for (let n = 0; n < EVENTS; n += PER_APPEND) {
      const events = Array.from({ length: PER_APPEND }, (_, i) => ({
        type: 'read',
        data: { n: 1, text: `${n + i} ${TEXT}` },
      }));
      await system.append(meter, `m${n % 7}`, events, { timeout: '60s' });
    }
    await system.settled({ timeout: '120s' });
    await system.stop();
  });

  for (const workers of [0, 1]) {
    it(`keeps the heap flat: three read models of ${EVENTS} events, with ${workers} workers`, async () => {
      const system = await start(workers);
      const before = heapMb();
      let main = before;
      let building = true;
      const rebuilt = Promise.all([sums, bySql, heaps].map((one) => system.view(one).rebuild()));
      const ended = rebuilt.finally(() => {
        building = false;
      });
      while (building) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        main = Math.max(main, heapMb());
      }
      await ended;
      const looks = await system.view(heaps).find({ orderBy: { position: 'asc' } });
      const total = await system.view(sums).sql('SELECT sum(n) AS n FROM sums');
      await system.stop();
      expect(total).to.deep.equal([{ n: EVENTS }]);
      expect(looks.map(({ position }) => position)).to.deep.equal(
        Array.from({ length: EVENTS / LOOK_EVERY }, (_, i) => (i + 1) * LOOK_EVERY),
      );
      expect(new Set(looks.map(({ place }) => place))).to.deep.equal(new Set([workers === 0 ? 'main' : 'worker']));
      const folding = looks.map(({ mb }) => mb);
      const said = `main ${before.toFixed(1)} MB, at most ${main.toFixed(1)}; folding ${folding.map((mb) => mb.toFixed(1)).join(', ')}`;
      // Held all at once the texts alone would be more than is allowed.
      expect((EVENTS * TEXT.length) / 2 ** 20).to.be.above(1.5 * MOST_MB);
      expect(main - before, said).to.be.below(MOST_MB);
      expect(Math.max(...folding) - Math.min(...folding), said).to.be.below(MOST_MB);
      if (process.env['TROUPE_REBUILD_EVENTS'] !== undefined) process.stdout.write(`      ${said}\n`);
    });
  }
});
