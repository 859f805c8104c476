/** Messages that kill every worker they come to (promise 4): the second death convicts, and everything else goes on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, type Duration, isTroupeError } from 'troupe';
import { type Death, fragile, ledger, mortal } from './fixtures/mortal.js';

const silent = { debug: noop, info: noop, warn: noop, error: noop };

function poison(way: Death['way'], moment: Death['moment'] = 'handling'): Death {
  return { way, moment, once: null, afterMs: 0 };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isTroupeError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

describe('messages that kill their worker', function () {
  // A successor takes its time on a busy machine.
  this.timeout(90_000);
  let folder = '';
  let system: ActorSystem;
  /** A worker that is merely kept waiting by a busy machine must not be taken for one that is blocked. */
  const start = (blockedAfter: Duration = '30s'): Promise<ActorSystem> =>
    ActorSystem.start({
      cast: new URL('./fixtures/mortal.js', import.meta.url),
      workers: 2,
      journal: join(folder, 'test.db'),
      limits: { blockedAfter, askTimeout: '60s' },
      log: silent,
    });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-'));
    system = await start();
  });
  afterEach(async () => {
    await system.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const reasons = (): string[] => system.deadLetters.list().map(({ reason, type }) => `${reason} ${type}`);

  for (const way of ['exit', 'block'] as const) {
    it(`${way}: the caller hears TROUPE_WORKER_LOST after two deaths, and what stood behind it is done in order`, async () => {
      if (way === 'block') {
        await system.stop();
        system = await start('1s');
      }
      const ref = system.ref(ledger, 'a');
      const before = [1, 2, 3].map((n) => ref.ask('add', { n }));
      const killer = codeOf(ref.ask('die', poison(way)));
      const after = [4, 5, 6].map((n) => ref.ask('add', { n }));
      expect(await killer).to.equal('TROUPE_WORKER_LOST');
      expect(await Promise.all([...before, ...after])).to.deep.equal([1, 2, 3, 4, 5, 6]);
      expect(reasons()).to.deep.equal(['quarantined die']);
      expect(system.metrics().workerLosses).to.equal(2);
      const [problem] = system.health().problems.filter(({ kind }) => kind === 'message-quarantined');
      expect(problem).to.deep.include({ name: 'ledger', id: 'a' });
      const [letter] = system.deadLetters.list();
      await system.deadLetters.discard(letter?.id ?? '');
      expect(system.health().problems.filter(({ kind }) => kind === 'message-quarantined')).to.deep.equal([]);
    });
  }

  it('tells and taken sends become one dead letter each', async () => {
    system.ref(ledger, 'a').tell('die', poison('exit'));
    await system.ref(ledger, 'b').send('die', poison('exit'));
    await system.settled();
    expect(reasons()).to.deep.equal(['quarantined die', 'quarantined die']);
    expect(await system.ref(ledger, 'a').ask('add', { n: 1 })).to.equal(1);
    expect(await system.ref(ledger, 'b').ask('add', { n: 1 })).to.equal(1);
  });

  it('an asynchronous one is found among innocents that were under way with it', async () => {
    const asks = Array.from({ length: 8 }, (_, i) => system.ref(ledger, `i-${i}`).ask('addLater', { n: 1 }));
    const killer = codeOf(system.ref(ledger, 'a').ask('die', poison('throw')));
    expect(await killer).to.equal('TROUPE_WORKER_LOST');
    expect(await Promise.all(asks)).to.deep.equal(Array.from({ length: 8 }, () => 1));
    expect(reasons()).to.deep.equal(['quarantined die']);
    expect(system.metrics().workerLossReasons).to.deep.equal({ error: 2 });
  });

  it('that of a plain actor is not delivered again: an ask fails at the first death, a tell is a dead letter', async () => {
    const ref = await system.spawn(mortal, { id: 'm' });
    expect(await codeOf(ref.ask('die', poison('exit')))).to.equal('TROUPE_WORKER_LOST');
    expect(system.metrics().workerLosses).to.equal(1);
    expect(await ref.ask('life')).to.be.a('string');
    ref.tell('die', poison('exit'));
    await system.settled();
    expect(reasons()).to.deep.equal(['worker-lost die']);
    expect(await ref.ask('life')).to.be.a('string');
  });

  it('that of a reaction parks its event without further attempts, and the reaction goes on', async () => {
    await system.ref(ledger, 'lighter').ask('light', { victim: 'a', death: poison('exit'), by: 'command' });
    const parked = (): boolean => system.deadLetters.list().some(({ reason }) => reason === 'parked');
    await eventually(parked);
    expect(system.metrics().workerLosses).to.equal(2);
    expect(await system.ref(ledger, 'a').ask('add', { n: 1 })).to.equal(1);
    await system.settled();
  });

  it('an actor that kills its worker whenever it starts is given up, and the others go on', async () => {
    const file = join(folder, 'once');
    await system.spawn(mortal, { id: 'good' });
    await system.spawn(fragile, { id: 'bad', args: file });
    writeFileSync(file, '');
    // It begins another life, which ends as it begins.
    expect(await codeOf(system.ref(fragile, 'bad').ask('die', poison('exit')))).to.equal('TROUPE_WORKER_LOST');
    await eventually(() => system.metrics().workerLosses === 3 && system.health().ok);
    expect(await codeOf(system.ref(fragile, 'bad').ask('die', poison('exit')))).to.equal('TROUPE_ACTOR_STOPPED');
    expect(await system.ref(mortal, 'good').ask('life')).to.be.a('string');
  });
});

async function eventually(condition: () => boolean, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) expect.fail(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function noop(): void {}
