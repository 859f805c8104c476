/** Laws of `ctx.offload`: the same for every number of workers. */
import { threadId } from 'node:worker_threads';
import { expect } from 'chai';
import { ActorSystem, type ActorRef } from 'troupe';
import { caught, forEachNumberOfWorkers } from './fixtures/company.js';
import { clerk } from './fixtures/ensemble.js';

forEachNumberOfWorkers('offload', (start) => {
  let system: ActorSystem;
  let ref: ActorRef<typeof clerk>;
  before(async () => {
    system = await start();
  });
  beforeEach(async () => {
    ref = await system.spawn(clerk);
  });
  after(() => system.stop());

  it('runs a function of the cast on another thread than the caller, and resolves with what it returns', async () => {
    const { sum, thread, own } = await ref.ask('sum', new Uint8Array([1, 2, 250]));
    expect(sum).to.equal(253);
    expect(thread).not.to.equal(own);
    expect(thread).not.to.equal(threadId);
  });

  it('waits for asynchronous functions, many at a time, in any order', async () => {
    const refs = await Promise.all(Array.from({ length: 20 }, () => system.spawn(clerk)));
    expect(await Promise.all(refs.map((one, i) => one.ask('doubled', i)))).to.deep.equal(refs.map((_, i) => i * 2));
  });

  it('lets the actor handle other messages meanwhile, with pipeToSelf', async () => {
    for (let i = 1; i <= 3; i += 1) ref.tell('later', i);
    for (;;) {
      const results = await ref.ask('results');
      if (results.length === 3) {
        expect(results.toSorted((a, b) => a - b)).to.deep.equal([2, 4, 6]);
        return;
      }
    }
  });

  it('fails with what the function throws, class and message kept', async () => {
    const { code, cause } = await caught(ref.ask('failing', 'too far'));
    expect(code).to.equal('TROUPE_ACTOR_FAILED');
    expect(cause).to.be.instanceOf(RangeError);
    expect((cause as Error).message).to.equal('too far');
  });

  for (const [message, what] of [
    ['hidden', 'notExported'],
    ['closure', 'the cast does not export this function'],
  ] as const) {
    it(`refuses a function that the cast does not export (${message}), and says so`, async () => {
      const { cause } = await caught(ref.ask(message, 1));
      expect(cause).to.have.property('code', 'TROUPE_INVALID_OPTIONS');
      expect((cause as Error).message)
        .to.contain(what)
        .and.to.contain("export it from the cast's module");
    });
  }

  it('refuses input and results that can not be sent, by the path of the field', async () => {
    const input = (await caught(ref.ask('badInput'))).cause as Error;
    expect(input).to.have.property('code', 'TROUPE_NOT_SERIALIZABLE');
    expect(input.message).to.contain('deep.fn');
    expect((await caught(ref.ask('withRef'))).cause).to.have.property('code', 'TROUPE_NOT_SERIALIZABLE');
    expect((await caught(ref.ask('unfit'))).cause).to.have.property('code', 'TROUPE_NOT_SERIALIZABLE');
  });

  it('fails with TROUPE_WORKER_LOST when the function ends its thread; the next one finds another', async () => {
    const { cause } = await caught(ref.ask('endThread'));
    expect(cause).to.have.property('code', 'TROUPE_WORKER_LOST');
    expect(await ref.ask('doubled', 4)).to.equal(8);
    expect(system.metrics().workerLosses).to.equal(0);
  });
});

describe('offload with a cast of definitions', () => {
  it('says that the cast has to be the URL of a module', async () => {
    const system = await ActorSystem.start({ cast: [clerk], workers: 0, journal: ':memory:', log: silent });
    const ref = await system.spawn(clerk);
    const { cause } = await caught(ref.ask('doubled', 1));
    expect((cause as Error).message).to.contain('give ActorSystem.start the URL of its module');
    await system.stop();
  });
});

const nothing = (): void => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
