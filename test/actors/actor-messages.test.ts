/** Laws of plain actors: one message at a time, replies, refusals, and what becomes of what can't be handled. */
import { expect } from 'chai';
import { actor, type RuntimeActor } from '../../src/actors/actor-definition.js';
import { ActorHarness, codeOf } from './actor-harness.js';

const tally = actor({
  name: 'tally',
  initialState: (args: { from: number }) => ({ count: args.from }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    total: (state) => state.count,
    fail() {
      throw new RangeError('no such thing');
    },
    async failLater() {
      await Promise.resolve();
      throw new RangeError('no such thing later');
    },
    bad: () => ({ callback: () => 1 }),
  },
});

const name = (ref: { name: string; id: string } | null): string => (ref === null ? 'null' : `${ref.name}/${ref.id}`);

describe('actor messages', () => {
  it('fails an ask to an actor that was never spawned with TROUPE_ACTOR_STOPPED', async () => {
    const harness = new ActorHarness([tally]);
    expect(await codeOf(harness.ref(tally, 'nobody').ask('total'))).to.equal('TROUPE_ACTOR_STOPPED');
    expect(harness.letters).to.be.empty;
  });

  it('makes a dead letter of a tell to an actor that was never spawned', () => {
    const harness = new ActorHarness([tally]);
    harness.ref(tally, 'nobody').tell('add', 1);
    expect(harness.letters[0]).to.include({ reason: 'stopped', type: 'add', payload: 1 });
    expect(harness.letters[0]?.target).to.deep.equal({ name: 'tally', id: 'nobody' });
  });

  it('fails an ask whose handler throws with TROUPE_ACTOR_FAILED, and keeps the cause', async () => {
    const harness = new ActorHarness([tally]);
    const a = harness.spawn(tally, 'a', { from: 0 });
    for (const type of ['fail', 'failLater'] as const) {
      const error = await a.ask(type).then(
        () => undefined,
        (e: unknown) => e as Error,
      );
      expect(error).to.include({ code: 'TROUPE_ACTOR_FAILED' });
      expect(error?.message).to.contain(`tally/a`).and.contain(type);
      expect(error?.cause).to.be.instanceOf(RangeError);
      await harness.clock.advance(1_000);
    }
    expect(harness.letters).to.be.empty;
  });

  it('makes a dead letter of a told message whose handler throws', async () => {
    const harness = new ActorHarness([tally]);
    harness.spawn(tally, 'a', { from: 0 }).tell('fail');
    await harness.settled();
    expect(harness.dropped).to.deep.equal(['failed fail']);
    expect(harness.letters[0]?.error).to.include({ code: 'TROUPE_ACTOR_FAILED', cause: 'RangeError: no such thing' });
  });

  it('fails an ask whose reply can not be sent with TROUPE_NOT_SERIALIZABLE, naming the path', async () => {
    const harness = new ActorHarness([tally]);
    const a = harness.spawn(tally, 'a', { from: 1 });
    const error = await a.ask('bad').then(
      () => undefined,
      (e: unknown) => e as Error,
    );
    expect(error).to.include({ code: 'TROUPE_NOT_SERIALIZABLE' });
    expect(error?.message).to.contain('callback').and.contain('tally/a');
    expect(await a.ask('total')).to.equal(1);
  });

  it('replies with copies: what the asker does to them never gets to the actor', async () => {
    const keeper = actor({
      name: 'keeper',
      initialState: () => ({ all: [1], of: new Map([['a', { n: 1 }]]) }),
      receive: { all: (state) => state.all, later: async (state) => state, of: (state) => state.of },
    });
    const ref = new ActorHarness([keeper]).spawn(keeper, 'k');
    (await ref.ask('all')).push(2);
    ((await ref.ask('later')) as { all: number[] }).all.push(3);
    const of = (await ref.ask('of')) as Map<string, { n: number }>;
    of.set('b', { n: 2 });
    for (const one of of.values()) one.n = 9;
    expect(await ref.ask('later')).to.deep.equal({ all: [1], of: new Map([['a', { n: 1 }]]) });
  });

  it('refuses the id of a living actor with TROUPE_INVALID_OPTIONS, and allows it once that has stopped', async () => {
    const harness = new ActorHarness([tally]);
    const a = harness.spawn(tally, 'a', { from: 1 });
    expect(() => harness.spawn(tally, 'a', { from: 2 })).to.throw('tally/a is running already');
    await a.stop();
    harness.spawn(tally, 'a', { from: 3 });
    expect(await a.ask('total')).to.equal(3);
  });

  it('finds the next actor of a name with a reference that knew the one before, and a dead letter in between', async () => {
    const harness = new ActorHarness([tally]);
    const a = harness.spawn(tally, 'a', { from: 0 });
    a.tell('add', 1);
    expect(await a.ask('total')).to.equal(1);
    const stopping = a.stop();
    await harness.settled();
    await stopping;
    a.tell('add', 10);
    expect(harness.dropped).to.deep.equal(['stopped add']);
    expect(await codeOf(a.ask('total'))).to.equal('TROUPE_ACTOR_STOPPED');
    harness.spawn(tally, 'a', { from: 100 });
    a.tell('add', 1);
    expect(await a.ask('total')).to.equal(101);
  });

  it('refuses a payload by its path and an unknown type also when plain messages went before', async () => {
    const harness = new ActorHarness([tally]);
    const a = harness.spawn(tally, 'a', { from: 0 });
    a.tell('add', 1);
    await harness.settled();
    expect(() => a.tell('add', { by: () => 1 } as never))
      .to.throw('tally/a: add')
      .with.property('details')
      .include({ path: 'by' });
    expect(() => harness.ref<RuntimeActor>(tally, 'a').tell('ad', 1))
      .to.throw()
      .with.property('code', 'TROUPE_UNKNOWN_MESSAGE');
    a.tell('add', 2);
    expect(await a.ask('total')).to.equal(3);
  });

  it('refuses arguments that can not be sent, by their path', () => {
    const harness = new ActorHarness([tally]);
    expect(() => harness.spawn(tally, 'a', { from: () => 1 })).to.throw('from');
    expect(harness.host.size).to.equal(0);
  });

  it('handles 10,000 tells in the order sent, and replies to the ask behind them', async () => {
    const seen: number[] = [];
    const list = actor({
      name: 'list',
      initialState: () => seen,
      receive: { add: (state, n: number) => state.push(n), size: (state) => state.length },
    });
    const harness = new ActorHarness([list]);
    const a = harness.spawn(list, 'a');
    for (let i = 0; i < 10_000 - 1; i += 1) a.tell('add', i);
    expect(await a.ask('size')).to.equal(9_999);
    expect(seen).to.deep.equal(Array.from({ length: 9_999 }, (_, i) => i));
  });

  it('handles one message at a time, also when the handler is async', async () => {
    const log: string[] = [];
    const slow = actor({
      name: 'slow',
      initialState: () => 0,
      receive: {
        async work(_state, n: number) {
          log.push(`begin ${n}`);
          await new Promise((resolve) => setImmediate(resolve));
          log.push(`end ${n}`);
          return n;
        },
      },
    });
    const harness = new ActorHarness([slow]);
    const a = harness.spawn(slow, 'a');
    expect(await Promise.all([a.ask('work', 1), a.ask('work', 2)])).to.deep.equal([1, 2]);
    expect(log).to.deep.equal(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it('keeps messages waiting until an async initialState and started are done', async () => {
    const log: string[] = [];
    const late = actor({
      name: 'late',
      initialState: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        log.push('state');
        return { n: 7 };
      },
      async started() {
        await new Promise((resolve) => setImmediate(resolve));
        log.push('started');
      },
      receive: {
        async n(state) {
          log.push('message');
          return (await state).n;
        },
      },
    });
    const harness = new ActorHarness([late]);
    const a = harness.spawn(late, 'a');
    expect(await a.ask('n')).to.equal(7);
    expect(log).to.deep.equal(['state', 'started', 'message']);
  });

  it('rejects the 4th message when capacity is 3: the ask fails, the tell is a dead letter, the rest is handled', async () => {
    const small = actor({
      name: 'small',
      initialState: () => [] as number[],
      mailbox: { capacity: 3 },
      receive: { add: (state, n: number) => state.push(n), all: (state) => [...state] },
    });
    const harness = new ActorHarness([small]);
    const a = harness.spawn(small, 'a');
    for (const n of [1, 2, 3, 4]) a.tell('add', n);
    expect(await codeOf(a.ask('all'))).to.equal('TROUPE_MAILBOX_FULL');
    await harness.settled();
    expect(harness.dropped).to.deep.equal(['mailbox-full add']);
    expect(harness.letters[0]?.payload).to.equal(4);
    expect(await a.ask('all')).to.deep.equal([1, 2, 3]);
  });

  for (const [overflow, kept, dropped] of [
    ['drop-oldest', [2, 3], 1],
    ['drop-newest', [1, 2], 3],
  ] as const) {
    it(`${overflow}: what gives way is a dead letter of that reason, an ask among it fails`, async () => {
      const small = actor({
        name: 'small',
        initialState: () => [] as number[],
        mailbox: { capacity: 2, overflow },
        receive: { add: (state, n: number) => state.push(n), all: (state) => [...state] },
      });
      const harness = new ActorHarness([small]);
      const a = harness.spawn(small, 'a');
      for (const n of [1, 2, 3]) a.tell('add', n);
      await harness.settled();
      expect(harness.letters.map(({ reason, payload }) => [reason, payload])).to.deep.equal([
        [overflow === 'drop-oldest' ? 'dropped-oldest' : 'dropped-newest', dropped],
      ]);
      expect(await a.ask('all')).to.deep.equal(kept);
      const asks = [a.ask('all'), a.ask('all'), a.ask('all')].map(codeOf);
      expect((await Promise.all(asks)).filter((code) => code === 'TROUPE_MAILBOX_FULL')).to.have.length(1);
    });
  }

  it('resolves sends in order as room comes, and one that waits too long fails with TROUPE_MAILBOX_FULL', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const small = actor({
      name: 'small',
      initialState: () => [] as number[],
      mailbox: { capacity: 1 },
      receive: {
        async add(state, n: number) {
          state.push(n);
          if (n === 1) await gate;
        },
        all: (state) => [...state],
      },
    });
    const harness = new ActorHarness([small]);
    const a = harness.spawn(small, 'a');
    await a.send('add', 1);
    await harness.settled();
    const taken: number[] = [];
    const sends = [2, 3, 4].map((n) => a.send('add', n).then(() => taken.push(n)));
    const late = codeOf(a.send('add', 5, { timeout: 100 }));
    await harness.clock.advance(100);
    expect(await late).to.equal('TROUPE_MAILBOX_FULL');
    expect(taken).to.deep.equal([2]);
    a.tell('add', 6);
    release();
    await Promise.all(sends);
    await harness.settled();
    expect(harness.letters.map((letter) => letter.payload)).to.deep.equal([6]);
    expect(await a.ask('all')).to.deep.equal([1, 2, 3, 4]);
  });

  it('fails an ask of an actor to itself inside a handler at once', async () => {
    const selfish = actor({
      name: 'selfish',
      initialState: () => 0,
      receive: {
        async outer(_state, how: 'self' | 'ref' | 'later', ctx): Promise<string> {
          if (how === 'later') await Promise.resolve();
          const ref = how === 'ref' ? ctx.ref<RuntimeActor>(selfish, 'a') : ctx.self;
          return codeOf(ref.ask('inner'));
        },
        inner: () => 'reached',
      },
    });
    const harness = new ActorHarness([selfish]);
    const a = harness.spawn(selfish, 'a');
    for (const how of ['self', 'ref', 'later'] as const)
      expect(await a.ask('outer', how)).to.equal('TROUPE_INVALID_MESSAGE');
    expect(await a.ask('inner')).to.equal('reached');
  });

  it('knows its sender, also behind a reference that came in a message, after an await, and in a reply', async () => {
    const log: unknown[] = [];
    const pong = actor({
      name: 'pong',
      initialState: () => 0,
      receive: {
        async ping(_state, payload: { replyTo: { tell(type: string): void } }, ctx) {
          log.push(`ping from ${name(ctx.sender)}`);
          await Promise.resolve();
          ctx.sender?.tell('pong');
          payload.replyTo.tell('pong');
        },
        me: (_state, _payload, ctx) => ctx.self,
        pong: (_state, _payload, ctx) => void log.push(`pong from ${name(ctx.sender)}`),
      },
    });
    const ping = actor({
      name: 'ping',
      initialState: () => 0,
      receive: {
        async go(_state, _payload: undefined, ctx) {
          ctx.ref(pong, 'p').tell('ping', { replyTo: ctx.self });
          const it = await ctx.ref(pong, 'p').ask('me');
          it.tell('pong');
        },
        pong: (_state, _payload, ctx) => void log.push(`pong from ${name(ctx.sender)}`),
      },
    });
    const harness = new ActorHarness([ping, pong]);
    harness.spawn(pong, 'p');
    harness.spawn(ping, 'g').tell('go');
    await harness.settled();
    expect(log).to.deep.equal(
      ['ping from ping/g', 'pong from pong/p', 'pong from pong/p', 'pong from ping/g'].sort((a, b) => (a < b ? -1 : 1)),
    );
    log.length = 0;
    harness.ref(pong, 'p').tell('pong');
    await harness.settled();
    expect(log).to.deep.equal(['pong from null']);
  });

  it('passes correlation and metadata of the message being handled on to what it sends', async () => {
    const log: unknown[] = [];
    const first = actor({
      name: 'first',
      initialState: () => 0,
      receive: {
        go(_state, _payload: undefined, ctx) {
          ctx.ref(second, 's').tell('here');
          ctx.ref(second, 's').tell('here', undefined, { metadata: { step: 2 } });
          ctx.ref(second, 's').tell('here', undefined, { metadata: { user: 'v' } });
        },
      },
    });
    const second = actor({ name: 'second', initialState: () => 0, receive: { here: () => undefined } });
    const harness = new ActorHarness([first, second]);
    const { deliver } = harness.post;
    harness.post.deliver = (envelope) => {
      log.push([envelope.type, envelope.correlationId, envelope.metadata]);
      deliver(envelope);
    };
    harness.spawn(second, 's');
    harness.spawn(first, 'f').tell('go', undefined, { id: 'c-1', metadata: { user: 'u' } });
    await harness.settled();
    expect(log).to.deep.equal([
      ['go', undefined, { user: 'u' }],
      ['here', 'c-1', { user: 'u' }],
      // What is given is added, as in a reaction.
      ['here', 'c-1', { user: 'u', step: 2 }],
      ['here', 'c-1', { user: 'v' }],
    ]);
  });

  it('a thenable whose `then` throws fails the message and not the thread', async () => {
    const trap = actor({
      name: 'trap',
      initialState: () => 0,
      receive: {
        spring: () =>
          Object.defineProperties(
            {},
            {
              // oxlint-disable-next-line unicorn/no-thenable
              then: {
                get: () => {
                  throw new Error('sprung');
                },
              },
            },
          ),
        twice: () => ({
          // oxlint-disable-next-line unicorn/no-thenable
          then: (done: (n: number) => void) => {
            done(1);
            done(2);
          },
        }),
      },
    });
    const harness = new ActorHarness([trap]);
    const a = harness.spawn(trap, 'a');
    expect(await codeOf(a.ask('spring'))).to.equal('TROUPE_ACTOR_FAILED');
    await harness.clock.advance(1_000);
    expect(await a.ask('twice')).to.equal(1);
  });

  it('survives whatever is thrown, and a log that throws', async () => {
    const things: unknown[] = [
      undefined,
      null,
      'text',
      Symbol('x'),
      Object.create(null),
      new Proxy({}, { get: () => expect.fail('looked at'), getPrototypeOf: () => expect.fail('looked at') }),
      Object.defineProperty(new Error('x'), 'message', { get: () => expect.fail('looked at') }),
    ];
    const thrower = actor({
      name: 'thrower',
      initialState: () => 0,
      receive: {
        go(_state, n: number) {
          throw things[n];
        },
      },
    });
    const broken = (): never => expect.fail('the log is broken');
    const log = { debug: broken, info: broken, warn: broken, error: broken };
    const harness = new ActorHarness([thrower], { supervision: { decide: () => 'resume' }, host: { log } });
    const t = harness.spawn(thrower, 't');
    for (const n of things.keys()) {
      t.tell('go', n);
      expect(await codeOf(t.ask('go', n))).to.equal('TROUPE_ACTOR_FAILED');
    }
    expect(harness.dropped).to.deep.equal(things.map(() => 'failed go'));
  });

  it('is busy while anything waits or is handled, and idle afterwards', async () => {
    let idle = 0;
    const harness = new ActorHarness([tally], { host: { onIdle: () => void (idle += 1) } });
    expect(harness.host.busy).to.be.false;
    const a = harness.spawn(tally, 'a', { from: 0 });
    expect(harness.host.busy).to.be.true;
    await harness.settled();
    expect(harness.host.busy).to.be.false;
    a.tell('failLater');
    expect(harness.host.busy).to.be.true;
    await harness.settled();
    // A restart in backoff is something to do.
    expect(harness.host.busy).to.be.true;
    await harness.clock.advance(50);
    expect(harness.host.busy).to.be.false;
    expect(idle).to.equal(2);
  });
});
