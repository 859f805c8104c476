/** Flow control of sagas: so many at once, by key and in total, at a rate, and so many asks; also over a restart. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, actor, aggregate, saga } from 'troupe';
import { ManualClock } from 'troupe/testkit';
import { expectRefusal } from '../expect-refusal.js';
import { eventually } from '../support/eventually.js';

const nothing = (): void => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Counts how many are inside at a time; each goes when it is let go. */
class Turnstile {
  most = 0;
  readonly entered: string[] = [];
  readonly #inside = new Map<string, () => void>();

  enter(id: string): Promise<void> {
    this.entered.push(id);
    return new Promise((resolve) => {
      this.#inside.set(id, resolve);
      this.most = Math.max(this.most, this.#inside.size);
    });
  }

  get inside(): string[] {
    return [...this.#inside.keys()];
  }

  letGo(...ids: readonly string[]): void {
    for (const id of ids) {
      this.#inside.get(id)?.();
      this.#inside.delete(id);
    }
  }
}

let turnstile = new Turnstile();
const inside = (ctx: { readonly id: string; step(name: string, fn: () => Promise<void>): Promise<void> }) =>
  ctx.step('be inside', () => turnstile.enter(ctx.id));

const few = saga({ name: 'few', concurrency: { total: 3 }, run: (ctx) => inside(ctx) });
const onePerCustomer = saga({
  name: 'one-per-customer',
  concurrency: { perKey: 1, key: (input: { readonly customer: string }) => input.customer },
  run: (ctx, _input: { readonly customer: string }) => inside(ctx),
});
const sleepy = saga({
  name: 'sleepy',
  concurrency: { total: 1 },
  passivateAfter: 1,
  async run(ctx) {
    await ctx.sleep('1h');
    return 'slept';
  },
});
const paced = saga({ name: 'paced', rate: { starts: 5, per: '1s' }, run: () => 'begun' });
const failing = saga({
  name: 'failing',
  concurrency: { total: 1 },
  run(ctx) {
    ctx.compensate('never', () => {
      throw new Error('can not be undone');
    });
    throw new Error('failed');
  },
});

const till = aggregate({
  name: 'till',
  initialState: () => ({}),
  events: { 'till.rung': { apply: (state) => state } },
  commands: {
    ring: {
      async handle(_state, _input: undefined, ctx) {
        await turnstile.enter(ctx.id);
        ctx.emit('till.rung', {});
      },
    },
  },
});
const asking = saga({
  name: 'asking',
  asks: { perDefinition: 4 },
  run: (ctx) => ctx.ask(till, ctx.id, 'ring', undefined, { timeout: '1m' }),
});
const bystander = actor({ name: 'bystander', initialState: () => ({}), receive: { hello: () => 'hello' } });
const quick = saga({ name: 'quick', concurrency: { total: 20 }, run: (ctx) => ctx.step('work', () => ctx.id.length) });

const CAST = [few, onePerCustomer, sleepy, paced, failing, till, asking, bystander, quick];

describe('flow control of sagas', function () {
  this.timeout(60_000);
  let system: ActorSystem;
  let journal = ':memory:';
  let clock: ManualClock | undefined;
  const start = async (): Promise<void> => {
    system = await ActorSystem.start({
      cast: CAST,
      workers: 0,
      journal,
      log: silent,
      ...(clock === undefined ? {} : { clock }),
    });
  };
  const quiet = async (): Promise<void> => {
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  beforeEach(async () => {
    turnstile = new Turnstile();
    journal = ':memory:';
    clock = undefined;
    await start();
  });
  afterEach(async () => {
    turnstile.letGo(...turnstile.inside);
    await system.stop({ timeout: 1_000 });
  });

  it('lets so many be at work in total, and the others begin in order as these end', async () => {
    for (let i = 0; i < 8; i += 1) await system.ref(few, `s${i}`).start();
    await eventually(() => turnstile.inside.length === 3);
    await quiet();
    expect(turnstile.inside).to.deep.equal(['s0', 's1', 's2']);
    turnstile.letGo('s1');
    await eventually(() => turnstile.inside.length === 3);
    expect(turnstile.entered).to.deep.equal(['s0', 's1', 's2', 's3']);
    while (turnstile.entered.length < 8) {
      turnstile.letGo(...turnstile.inside);
      await quiet();
    }
    turnstile.letGo(...turnstile.inside);
    await system.settled();
    expect(turnstile.most).to.equal(3);
    expect(system.metrics().sagas.find(({ name }) => name === 'few')?.done).to.equal(8);
  });

  it('lets one of a key be at work, and holds up no other key', async () => {
    for (const id of ['ada-1', 'ada-2', 'ben-1', 'ada-3', 'cleo-1']) {
      await system.ref(onePerCustomer, id).start({ customer: id.split('-')[0] ?? '' });
    }
    await eventually(() => turnstile.inside.length === 3);
    await quiet();
    expect(turnstile.inside).to.deep.equal(['ada-1', 'ben-1', 'cleo-1']);
    turnstile.letGo('ada-1');
    await eventually(() => turnstile.inside.includes('ada-2'));
    expect(turnstile.inside).not.to.include('ada-3');
  });

  it('refuses a start whose key is no text', async () => {
    // JavaScript may pass anything.
    const refused = system.ref(onePerCustomer, 'x').start({ customer: 7 as unknown as string });
    expect(await refused.catch((error: unknown) => error)).to.have.property('code', 'TROUPE_INVALID_OPTIONS');
  });

  it('counts one that sleeps as at work, also out of memory and over a restart; cancelled, it makes room', async () => {
    await system.stop();
    const folder = mkdtempSync(join(tmpdir(), 'troupe-'));
    try {
      journal = join(folder, 'test.db');
      clock = new ManualClock();
      await start();
      await system.ref(sleepy, 'a').start();
      await system.ref(sleepy, 'b').start();
      await system.settled();
      await clock.advance(5_000);
      expect((await system.ref(sleepy, 'a').status()).state).to.equal('sleeping');
      expect((await system.ref(sleepy, 'b').status()).state).to.equal('running');
      await system.stop();
      await start();
      await system.settled();
      expect((await system.ref(sleepy, 'a').status()).state).to.equal('sleeping');
      expect((await system.ref(sleepy, 'b').status()).state).to.equal('running');
      await system.ref(sleepy, 'a').cancel();
      await system.settled();
      expect((await system.ref(sleepy, 'b').status()).state).to.equal('sleeping');
      await system.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('cancels one that waits for its turn at once', async () => {
    for (let i = 0; i < 5; i += 1) await system.ref(few, `s${i}`).start();
    await eventually(() => turnstile.inside.length === 3);
    await system.ref(few, 's4').cancel('no need');
    expect(
      await system
        .ref(few, 's4')
        .result()
        .catch((error: unknown) => error),
    ).to.have.property('code', 'TROUPE_SAGA_CANCELLED');
    expect(turnstile.entered).not.to.include('s4');
  });

  it('gives the place of one that is parked to the next', async () => {
    await system.ref(failing, 'a').start();
    await system.ref(failing, 'b').start();
    for (const id of ['a', 'b']) {
      await system.ref(failing, id).result({ timeout: '30s' }).catch(nothing);
      expect((await system.ref(failing, id).status()).state).to.equal('parked');
    }
  });

  it('lets so many begin within a time', async () => {
    await system.stop();
    clock = new ManualClock();
    await start();
    for (let i = 0; i < 12; i += 1) await system.ref(paced, `s${i}`).start();
    const done = (): number => system.metrics().sagas.find(({ name }) => name === 'paced')?.done ?? 0;
    await eventually(() => done() === 5);
    await clock.advance(900);
    expect(done()).to.equal(5);
    await clock.advance(200);
    await eventually(() => done() === 10);
    await clock.advance(1_000);
    await eventually(() => done() === 12);
  });

  it('lets so many asks be under way to one definition', async () => {
    for (let i = 0; i < 20; i += 1) await system.ref(asking, `s${i}`).start();
    while (turnstile.entered.length < 20) {
      await eventually(() => turnstile.inside.length > 0);
      await quiet();
      turnstile.letGo(...turnstile.inside);
    }
    turnstile.letGo(...turnstile.inside);
    await system.settled();
    expect(turnstile.most).to.equal(4);
  });

  it('a burst of 2,000 starts does not keep others waiting', async () => {
    const burst = Number(process.env['TROUPE_SAGA_BURST'] ?? 2_000);
    const ref = await system.spawn(bystander, { id: 'b' });
    const starts = Array.from({ length: burst }, (_, i) => system.ref(quick, `saga-${i}`).start());
    const done = (): number => system.metrics().sagas.find(({ name }) => name === 'quick')?.done ?? 0;
    let asked = 0;
    // Looked at now and then only: counting all of them is work, too.
    while (asked % 20 !== 0 || done() < burst) {
      // An answer comes while the burst is being worked off, again and again.
      expect(await ref.ask('hello')).to.equal('hello');
      asked += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(starts);
    expect(asked).to.be.greaterThan(20);
    expect(done()).to.equal(burst);
  });

  it('is refused by name when it can not be used', () => {
    const define = (options: object) => () => saga({ name: 's', run: nothing, ...options } as never);
    expectRefusal(define({ concurrency: { total: 0 } }), 'concurrency.total');
    expectRefusal(define({ concurrency: { perKey: 1 } }), 'concurrency.key');
    expectRefusal(define({ concurrency: { key: () => 'k' } }), 'concurrency.perKey');
    expectRefusal(define({ concurrency: { perkey: 1 } }), "did you mean 'perKey'");
    expectRefusal(define({ rate: { per: '1s' } }), 'rate.starts');
    expectRefusal(define({ rate: { starts: 1, per: 0 } }), 'rate.per');
    expectRefusal(define({ asks: { perTarget: 1 } }), 'asks.perTarget');
    expectRefusal(define({ asks: { total: 1.5 } }), 'asks.total');
  });
});
