/** Laws of what binds actors to each other across threads: watches and supervision, also when workers are lost. */
import { expect } from 'chai';
import type { ActorRef, ActorSystem } from 'troupe';
import { caught, forEachNumberOfWorkers, startCompany } from './fixtures/company.js';
import { eventually } from '../support/eventually.js';
import { faulty, witness } from './fixtures/ensemble.js';

type Witness = ActorRef<typeof witness>;

/** One witness on each of two threads. */
async function pair(system: ActorSystem): Promise<[Witness, Witness]> {
  const first = await system.spawn(witness);
  const thread = await first.ask('thread');
  for (;;) {
    const second = await system.spawn(witness);
    if ((await second.ask('thread')) !== thread) return [first, second];
    await second.stop();
  }
}

/** Kills the worker of an actor, and waits until the actor has begun anew. */
async function kill(ref: Witness): Promise<void> {
  const thread = await ref.ask('thread');
  expect((await caught(ref.ask('die'))).code).to.equal('TROUPE_WORKER_LOST');
  expect(await ref.ask('thread', undefined, { timeout: '30s' })).not.to.equal(thread);
}

/** Everything that had been told before has arrived: a message each way, twice. */
async function exchanged(...refs: Witness[]): Promise<void> {
  for (let i = 0; i < 2; i += 1) for (const ref of refs) await ref.ask('thread', undefined, { timeout: '30s' });
}

describe('death watch between workers', function () {
  // On a busy machine a successor takes its time.
  this.timeout(60_000);
  let system: ActorSystem;
  let watcher: Witness;
  let watched: Witness;
  beforeEach(async () => {
    system = await startCompany(2);
    [watcher, watched] = await pair(system);
    await watcher.ask('watch', watched);
  });
  afterEach(() => system.stop());

  const told = (): string[] => [`terminated witness/${watched.id}`];
  const seen = (): Promise<string[]> => watcher.ask('seen', undefined, { timeout: '30s' });

  it('tells the end of an actor on another thread exactly once', async () => {
    await watcher.ask('watch', watched);
    await watched.stop();
    await eventually(async () => (await seen()).length > 0);
    await exchanged(watcher);
    expect(await seen()).to.deep.equal(told());
  });

  it('tells the end of one that is gone already, and nothing after unwatch', async () => {
    await watcher.ask('unwatch', watched);
    await watched.stop();
    await exchanged(watcher);
    expect(await seen()).to.deep.equal([]);
    await watcher.ask('watch', watched);
    await eventually(async () => (await seen()).length > 0);
    expect(await seen()).to.deep.equal(told());
  });

  it('goes on when the worker of the watched is lost: not told of that, but of its end, once', async () => {
    await kill(watched);
    await exchanged(watcher, watched, watcher);
    expect(await seen()).to.deep.equal([]);
    await watched.stop();
    await eventually(async () => (await seen()).length > 0);
    await exchanged(watcher);
    expect(await seen()).to.deep.equal(told());
  });

  it('goes on when the worker of the watcher is lost', async () => {
    await kill(watcher);
    await exchanged(watcher, watched);
    expect(await seen()).to.deep.equal([]);
    await watched.stop();
    await eventually(async () => (await seen()).length > 0);
    await exchanged(watcher);
    expect(await seen()).to.deep.equal(told());
  });

  it('goes on when both workers are lost at the same time', async () => {
    watched.tell('dieSoon');
    watcher.tell('dieSoon');
    await eventually(() => system.metrics().workerLosses === 2);
    await exchanged(watcher, watched);
    expect(await seen()).to.deep.equal([]);
    await watched.stop();
    await eventually(async () => (await seen()).length > 0);
    await exchanged(watcher);
    expect(await seen()).to.deep.equal(told());
  });

  it('is not renewed after unwatch, nor for an end that was told before', async () => {
    await watched.stop();
    await eventually(async () => (await seen()).length > 0);
    const third = await system.spawn(witness);
    await watcher.ask('watch', third);
    await watcher.ask('unwatch', third);
    await kill(watcher);
    await third.stop();
    await exchanged(watcher, watcher);
    expect(await seen()).to.deep.equal([]);
  });

  it('tells of an end that came while the watcher was being replaced', async () => {
    watcher.tell('dieSoon');
    // Before that the watcher's first life might be told, and take along what it has seen.
    await eventually(() => system.metrics().workerLosses === 1);
    await watched.stop();
    await eventually(async () => (await seen()).length > 0);
    await exchanged(watcher);
    expect(await seen()).to.deep.equal(told());
  });

  it('tells the end of a child that went with its worker', async () => {
    // On the thread of the watched, so that the watcher survives.
    const child = await watched.ask('bear', 'child-1');
    await watcher.ask('watch', child);
    await exchanged(watcher, watched, watcher);
    await kill(watched);
    await eventually(async () => (await seen()).length > 0);
    expect(await seen()).to.deep.equal(['terminated witness/child-1']);
  });

  it('an order to stop is kept while the worker is being replaced', async () => {
    watched.tell('dieSoon');
    watcher.tell('stop', watched);
    await eventually(async () => (await seen()).length > 0);
    expect((await caught(watched.ask('thread'))).code).to.equal('TROUPE_ACTOR_STOPPED');
  });
});

describe('a child of which a third thread hears before it has read the news', function () {
  this.timeout(60_000);
  let system: ActorSystem;
  afterEach(() => system.stop());

  it('is found by reference and by id, and nobody is told that it has ended before it has', async () => {
    system = await startCompany(3);
    const threads = new Map<number, Witness>();
    while (threads.size < 3) {
      const one = await system.spawn(witness);
      threads.set(await one.ask('thread'), one);
    }
    const all = [...threads.values()];
    for (const parent of all) {
      for (const via of all) {
        for (const to of all) {
          if (new Set([parent, via, to]).size < 3) continue;
          // Enough that some would be looked for on each of the threads.
          const ids = Array.from({ length: 6 }, (_, n) => `${parent.id}-${to.id}-${n}`);
          // The news and the word of the one between lie side by side when it looks up.
          to.tell('block', 100);
          parent.tell('bearAndTell', { ids, via, to });
          await exchanged(parent, via, to);
          await system.settled({ timeout: '30s' });
          expect(await to.ask('seen')).to.deep.equal([]);
          const children = ids.map((id) => system.ref(witness, id));
          for (const child of children) expect(await child.ask('seen')).to.deep.equal(['hello']);
          await Promise.all(children.map((child) => child.stop()));
          await eventually(async () => (await to.ask('seen')).length === ids.length);
          expect((await to.ask('seen')).toSorted()).to.deep.equal(ids.map((id) => `terminated witness/${id}`));
          await to.ask('forget');
        }
      }
    }
    expect(system.deadLetters.list()).to.deep.equal([]);
  });

  it('ends when it is told to by its parent, its sibling, or the main thread', async () => {
    system = await startCompany(2);
    const [one, other] = await pair(system);
    for (const who of [one, other]) {
      for (let n = 0; n < 8; n += 1) {
        const child = await one.ask('bear', `${who.id}-${n}`);
        await who.ask('stopAndWait', child);
        expect((await caught(child.ask('thread'))).code).to.equal('TROUPE_ACTOR_STOPPED');
      }
    }
  });
});

forEachNumberOfWorkers('supervision of top-level actors', (start, workers) => {
  let system: ActorSystem;
  afterEach(() => system.stop());
  const spawnAll = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => system.spawn(faulty, { id: `f${i}` })));

  it('decides by the error, with a function of the thread that started the system', async () => {
    const decided: string[] = [];
    system = await start({
      supervision: {
        decide: (error) => {
          const { name, message } = error as Error;
          decided.push(`${name}: ${message}`);
          return name === 'RangeError' ? 'resume' : 'stop';
        },
      },
    });
    const ref = await system.spawn(faulty);
    await ref.ask('add', 2);
    expect((await caught(ref.ask('fail', { name: 'RangeError', text: 'a' }))).code).to.equal('TROUPE_ACTOR_FAILED');
    expect(await ref.ask('add', 3)).to.equal(5);
    expect((await caught(ref.ask('fail', { name: 'TypeError', text: 'b' }))).code).to.equal('TROUPE_ACTOR_FAILED');
    expect((await caught(ref.ask('add', 1))).code).to.equal('TROUPE_ACTOR_STOPPED');
    expect(decided).to.deep.equal(['RangeError: a', 'TypeError: b']);
  });

  it('gets what was thrown, also when it is no error', async () => {
    const decided: unknown[] = [];
    system = await start({
      supervision: {
        decide: (error) => {
          decided.push(error);
          return 'resume';
        },
      },
    });
    const ref = await system.spawn(faulty);
    await caught(ref.ask('throwValue', { code: 7 }));
    await caught(ref.ask('throwValue', 'text'));
    await ref.ask('add', 0);
    expect(decided).to.deep.equal([{ code: 7 }, 'text']);
  });

  it('all-for-one restarts all top-level actors, wherever they live', async () => {
    system = await start({ supervision: { strategy: 'all-for-one', backoff: { min: 1, max: 1, jitter: 0 } } });
    const refs = await spawnAll(6);
    for (const ref of refs) await ref.ask('add', 5);
    await caught(refs[2]?.ask('fail', { name: 'Error', text: 'x' }) ?? Promise.resolve());
    await eventually(async () => (await Promise.all(refs.map((ref) => ref.ask('add', 0)))).every((n) => n === 0));
  });

  it('rest-for-one leaves those spawned earlier alone', async () => {
    system = await start({ supervision: { strategy: 'rest-for-one', backoff: { min: 1, max: 1, jitter: 0 } } });
    const refs = await spawnAll(6);
    for (const ref of refs) await ref.ask('add', 5);
    await caught(refs[3]?.ask('fail', { name: 'Error', text: 'x' }) ?? Promise.resolve());
    const counts = (): Promise<number[]> => Promise.all(refs.map((ref) => ref.ask('add', 0)));
    await eventually(async () => (await counts()).slice(3).every((n) => n === 0));
    expect(await counts()).to.deep.equal([5, 5, 5, 0, 0, 0]);
  });

  it('stops an actor after 3 restarts within the window; the others go on', async () => {
    system = await start({ supervision: { backoff: { min: 1, max: 1, jitter: 0 } } });
    const bad = await system.spawn(faulty, { id: 'f0' });
    const good = await system.spawn(faulty);
    for (let i = 0; i < 4; i += 1) await caught(bad.ask('fail', { name: 'Error', text: 'again' }));
    await eventually(
      async () => (await caught(bad.ask('add', 1)).catch(() => undefined))?.code === 'TROUPE_ACTOR_STOPPED',
    );
    expect(await good.ask('add', 1)).to.equal(1);
    // The id is free again.
    const next = await system.spawn(faulty, { id: 'f0' });
    expect(await next.ask('add', 1)).to.equal(1);
  });

  if (workers > 0) {
    it('a restart after a lost worker counts for none, and one in backoff then begins at once', async () => {
      system = await start({ supervision: { maxRestarts: 1, backoff: { min: 1, max: 1, jitter: 0 } } });
      const ref = await system.spawn(faulty);
      for (let i = 0; i < 3; i += 1) {
        await caught(ref.ask('die'));
        await ref.ask('add', 1, { timeout: '30s' });
      }
      await caught(ref.ask('fail', { name: 'Error', text: 'first' }));
      await eventually(async () => (await ref.ask('add', 1)) === 1);
      await caught(ref.ask('die'));
      await ref.ask('add', 1, { timeout: '30s' });
      // The window of the first failure is still open.
      await caught(ref.ask('fail', { name: 'Error', text: 'second' }));
      await eventually(
        async () => (await caught(ref.ask('add', 1)).catch(() => undefined))?.code === 'TROUPE_ACTOR_STOPPED',
      );
    });
  }
});
