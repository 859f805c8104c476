/** Laws of folding on workers: the rows are those of a plain fold, whatever becomes of the worker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem } from 'troupe';
import { seededRandom } from '../../src/scenario/seeded-random.js';
import { book, books, bySql, byTag, type End, type Entry, fragile, places, sturdy } from './fixtures/folding.js';
import { lenient, lossy } from './fixtures/folding-later.js';

const noop = (): void => undefined;
const silent = { debug: noop, info: noop, warn: noop, error: noop };

/** Entries that are the same each time. */
function entries(count: number): { readonly id: string; readonly entry: Entry }[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => ({
    id: `b${Math.floor(random() * 20)}`,
    entry: {
      n: Math.floor(random() * 100),
      share: Math.floor(random() * 50) / 7,
      tags: [`t${Math.floor(random() * 9)}`, `t${Math.floor(random() * 9)}`],
    },
  }));
}

/** The rows of `books` and `byTag`, folded by hand. */
async function byHand(system: ActorSystem): Promise<{ books: unknown[]; byTag: unknown[]; bySql: unknown[] }> {
  const rows = new Map<string, { id: string; n: number; share: number; tags: string[]; positions: string }>();
  const tags = new Map<string, number>();
  const shares = new Map<number, number>();
  for await (const { type, aggregateId: id, data, position } of system.readAll()) {
    if (type === 'book.closed') rows.delete(id);
    if (type !== 'book.entered') continue;
    const entry = data as Entry;
    const row = rows.get(id) ?? { id, n: 0, share: 0, tags: [], positions: '' };
    rows.set(id, {
      id,
      n: row.n + entry.n,
      share: row.share + entry.share,
      tags: [...row.tags, ...entry.tags].slice(-5),
      positions: `${row.positions}${position},`,
    });
    for (const tag of new Set(entry.tags)) tags.set(tag, (tags.get(tag) ?? 0) + 1);
    shares.set(entry.share, (shares.get(entry.share) ?? 0) + 1);
  }
  return {
    books: [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    byTag: Array.from(tags, ([tag, times]) => ({ tag, times })).sort((a, b) => (a.tag < b.tag ? -1 : 1)),
    bySql: Array.from(shares, ([share, times]) => ({ share, times })).sort((a, b) => a.share - b.share),
  };
}

async function rowsOf(system: ActorSystem): Promise<{ books: unknown[]; byTag: unknown[]; bySql: unknown[] }> {
  return {
    books: await system.view(books).find(),
    byTag: await system.view(byTag).find(),
    bySql: await system.view(bySql).find(),
  };
}

describe('projections on workers', function () {
  // Workers that are replaced import the cast again, which takes its time on a busy machine.
  this.timeout(90_000);

  let folder = '';
  let system: ActorSystem | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-'));
  });
  afterEach(async () => {
    await system?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (workers: number, journal = join(folder, 'test.db')): Promise<ActorSystem> => {
    await system?.stop();
    system = await ActorSystem.start({
      cast: new URL('./fixtures/folding.js', import.meta.url),
      workers,
      journal,
      limits: { blockedAfter: '2s', askTimeout: '60s' },
      log: silent,
    });
    return system;
  };

  const enter = async (running: ActorSystem, count: number): Promise<void> => {
    const all = entries(count).map(({ id, entry }, i) =>
      i % 40 === 39 ? running.ref(book, id).ask('close', {}) : running.ref(book, id).ask('enter', entry),
    );
    await Promise.all(all);
  };

  const end = (running: ActorSystem, input: End, id = 'x'): Promise<unknown> => running.ref(book, id).ask('end', input);

  for (const workers of [1, 2]) {
    for (const journal of ['disk', 'memory'] as const) {
      it(`workers: ${workers}, journal: ${journal}: rows, deletions, several keys, statements, reals and json are those of a plain fold`, async () => {
        const running = await start(workers, journal === 'memory' ? ':memory:' : undefined);
        await enter(running, 800);
        await running.settled();
        expect(await rowsOf(running)).to.deep.equal(await byHand(running));
        expect(await running.view(places).find()).to.deep.equal([{ place: 'worker', events: 780 }]);
        expect(running.health().problems).to.deep.equal([]);
      });
    }
  }

  it('the number of workers may change from start to start, and a rebuild and a restart end in the same rows', async () => {
    const first = await start(0);
    await enter(first, 300);
    await first.settled();
    const second = await start(2);
    await enter(second, 300);
    await second.view(books).rebuild();
    await second.settled();
    expect(await rowsOf(second)).to.deep.equal(await byHand(second));
    const third = await start(1);
    await third.settled();
    expect(await rowsOf(third)).to.deep.equal(await byHand(third));
    expect((await third.view(places).get('main'))?.events).to.be.greaterThan(0);
  });

  it('watch tells rows as the table holds them, and the last one before settled() resolves', async () => {
    const running = await start(1);
    const seen: unknown[] = [];
    await running.ref(book, 'a').ask('enter', { n: 1, share: 0.1, tags: ['x'] });
    await running.settled();
    running
      .view(books)
      .watch('a')
      .subscribe((row) => seen.push(row));
    await running.settled();
    await running.ref(book, 'a').ask('enter', { n: 2, share: 0.2, tags: ['é\ud800', '"'] });
    await running.settled();
    expect(seen.at(-1)).to.deep.equal(await running.view(books).get('a'));
    expect((seen.at(-1) as { share: number }).share).to.equal(0.1 + 0.2);
    await running.ref(book, 'a').ask('close', {});
    await running.settled();
    expect(seen.at(-1)).to.equal(undefined);
  });

  it('a reader waits for its own write by receipt and caughtUp', async () => {
    const running = await start(2);
    for (let i = 1; i <= 20; i += 1) {
      const entry = { n: 1, share: 1, tags: [] };
      const { position } = await running.ref(book, 'own').ask('enter', entry, { receipt: true });
      await running.view(books).caughtUp(position);
      expect((await running.view(books).get('own'))?.n).to.equal(i);
    }
  });

  for (const way of ['exit', 'block'] as const) {
    it(`a handler that ends its worker once (${way}) costs no event, and counts none twice`, async () => {
      const running = await start(2);
      const done = enter(running, 400);
      await end(running, { way, once: join(folder, 'once') });
      await done;
      await running.ref(book, 'x').ask('enter', { n: 1, share: 1, tags: [] });
      await running.settled({ timeout: '60s' });
      expect(await rowsOf(running)).to.deep.equal(await byHand(running));
      expect(await running.view(fragile).get('x')).to.deep.equal({ id: 'x', entered: 1, ended: 1 });
      expect(await running.view(sturdy).get('x')).to.deep.equal({ id: 'x', entered: 1, ended: 1 });
      expect(running.metrics().workerLossReasons[way === 'exit' ? 'exit' : 'blocked']).to.be.within(1, 2);
      expect(running.deadLetters.list()).to.deep.equal([]);
    });
  }

  it('an event that ends two workers stops its projection in front of it, or is parked; the others go on', async () => {
    const running = await start(2);
    await running.ref(book, 'x').ask('enter', { n: 1, share: 1, tags: [] });
    const { position } = await running.ref(book, 'x').ask('end', { way: 'exit', once: null }, { receipt: true });
    await enter(running, 200);
    await running.ref(book, 'x').ask('enter', { n: 1, share: 1, tags: [] });
    await running.settled({ timeout: '60s' });
    expect(await rowsOf(running)).to.deep.equal(await byHand(running));
    const stopped = running.metrics().projections.find(({ name }) => name === 'fragile');
    expect(stopped).to.include({ state: 'stopped', position: position - 1 });
    expect(stopped?.error).to.match(/stopped at position \d+ \(book\.ended of book\/x\): .*worker/);
    expect(await running.view(fragile).get('x')).to.deep.equal({ id: 'x', entered: 1, ended: 0 });
    expect(await running.view(sturdy).get('x')).to.deep.equal({ id: 'x', entered: 2, ended: 0 });
    const [letter] = running.deadLetters.list();
    expect(letter).to.deep.include({ reason: 'parked', position, target: { name: 'sturdy', id: 'book/x' } });
    expect(letter?.error?.code).to.equal('TROUPE_WORKER_LOST');
    // Both projections are folded on the same worker, so each death of the one comes into the other's work. Two each.
    expect(running.metrics().workerLossReasons['exit']).to.equal(4);
    const kinds = running.health().problems.map(({ kind, name }) => `${kind} ${name}`);
    expect(kinds).to.have.members(['projection-stopped fragile', 'event-parked sturdy']);
    // On the main thread that event harms nobody.
    const healed = await start(0);
    await healed.settled();
    expect(await healed.view(fragile).get('x')).to.deep.equal({ id: 'x', entered: 2, ended: 1 });
    await healed.deadLetters.retry(letter?.id ?? '');
    expect(await healed.view(sturdy).get('x')).to.deep.equal({ id: 'x', entered: 2, ended: 1 });
    expect(healed.deadLetters.list()).to.deep.equal([]);
  });

  for (const workers of [0, 2]) {
    it(`workers: ${workers}: events of types that the cast knows no more are counted, stop, or are parked, as each says`, async () => {
      await enter(await start(2), 200);
      await system?.stop();
      system = await ActorSystem.start({
        cast: new URL('./fixtures/folding-later.js', import.meta.url),
        workers,
        journal: join(folder, 'test.db'),
        log: silent,
      });
      await system.settled({ timeout: '60s' });
      const closed: number[] = [];
      const byId = new Map<string, number>();
      for await (const { type, position, aggregateId } of system.readAll()) {
        if (type === 'book.closed') closed.push(position);
        else byId.set(aggregateId, (byId.get(aggregateId) ?? 0) + 1);
      }
      expect(closed).to.have.length(5);
      const status = (name: string) => system?.metrics().projections.find((one) => one.name === name);
      expect(status('lenient')).to.include({ state: 'running', lag: 0, skipped: 5 });
      expect(status('strict')).to.include({ state: 'stopped', position: (closed[0] ?? 0) - 1 });
      expect(status('lossy')).to.include({ state: 'running', lag: 0, parked: 5 });
      expect(system.metrics().eventsSkipped).to.equal(5);
      expect(system.deadLetters.list().map(({ position }) => position)).to.have.members(closed);
      expect(system.health().problems.find(({ name }) => name === 'strict')?.error).to.match(
        /event book\.closed is not defined in the cast/,
      );
      const rows = Array.from(byId, ([id, n]) => ({ id, n })).sort((a, b) => (a.id < b.id ? -1 : 1));
      for (const definition of [lenient, lossy]) expect(await system.view(definition).find()).to.deep.equal(rows);
    });
  }

  it('a throw in a handler is no death: it stops or parks at once', async () => {
    const running = await start(1);
    await end(running, { way: 'throw', once: null });
    await running.settled();
    expect(running.metrics().workerLosses).to.equal(0);
    expect(running.metrics().projections.find(({ name }) => name === 'fragile')?.error).to.match(/thrown/);
    expect(running.deadLetters.list().map(({ reason, type }) => `${reason} ${type}`)).to.deep.equal([
      'parked book.ended',
    ]);
  });

  it('workers that die of something else, again and again, change no row', async () => {
    const running = await start(2);
    const dying = Array.from({ length: 3 }, async (_, i) => {
      await enter(running, 150);
      await running.ref(book, `mortal${i}`).ask('die', undefined).catch(noop);
    });
    await Promise.all(dying);
    await running.settled({ timeout: '60s' });
    expect(running.metrics().workerLosses).to.be.greaterThan(1);
    expect(await rowsOf(running)).to.deep.equal(await byHand(running));
  });

  it('stop() ends although a fold blocks its worker', async () => {
    const running = await start(1);
    await end(running, { way: 'block', once: join(folder, 'once') });
    await running.stop({ timeout: '1s' });
    const next = await start(1);
    await next.settled();
    expect(await next.view(fragile).get('x')).to.deep.equal({ id: 'x', entered: 0, ended: 1 });
  });
});
