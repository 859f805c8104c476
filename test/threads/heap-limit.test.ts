/** The soft limit of a worker's heap (promise 5). */
import { expect } from 'chai';
import { ActorSystem, isTroupeError } from 'troupe';
import { type Death, ledger, mortal } from './fixtures/mortal.js';

const silent = { debug: noop, info: noop, warn: noop, error: noop };

describe('limits.heapMb', function () {
  this.timeout(120_000);
  let system: ActorSystem;
  beforeEach(async () => {
    system = await ActorSystem.start({
      cast: new URL('./fixtures/mortal.js', import.meta.url),
      workers: 1,
      journal: ':memory:',
      // Whoever is ended before that was ended for its memory.
      limits: { heapMb: 48, blockedAfter: '60s', askTimeout: '60s' },
      log: silent,
    });
  });
  afterEach(() => system.stop());

  it('replaces a worker in good order: what it has in hand is finished, what comes goes to the successor', async () => {
    await system.spawn(mortal, { id: 'm' });
    const grow: Death = { way: 'grow', moment: 'handling', once: null, afterMs: 0 };
    const codes = new Set<string>();
    let n = 0;
    while (system.metrics().workerLosses === 0) {
      n += 1;
      await system
        .ref(mortal, 'm')
        .ask('die', grow)
        .catch((error: unknown) => codes.add(isTroupeError(error) ? error.code : String(error)));
      expect(await system.ref(ledger, 'a').ask('add', { n })).to.equal(n);
    }
    expect(system.metrics().workerLossReasons).to.deep.equal({ heap: 1 });
    expect([...codes]).to.deep.equal([]);
    expect(await system.ref(ledger, 'a').ask('add', { n })).to.equal(n + 1);
    expect(system.deadLetters.list()).to.deep.equal([]);
  });

  it('does not count garbage', async () => {
    for (let n = 1; n <= 60; n += 1) await system.ref(ledger, 'a').ask('litter', { n });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(system.metrics().workerLosses).to.equal(0);
  });

  it('ends a worker from outside that stays in one handler while the process grows', async () => {
    const loop: Death = { way: 'loop', moment: 'handling', once: null, afterMs: 0 };
    const error: unknown = await system
      .ref(ledger, 'a')
      .ask('die', loop)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(isTroupeError(error, 'TROUPE_WORKER_LOST')).to.equal(true);
    expect(system.metrics().workerLossReasons).to.deep.equal({ heap: 2 });
    expect(await system.ref(ledger, 'a').ask('add', { n: 1 })).to.equal(1);
  });
});

function noop(): void {}
