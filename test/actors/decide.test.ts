/** Deciding: whatever a user's code throws, returns or emits is a decision, and hits its own message only. */
import { expect } from 'chai';
import { z } from 'zod';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import { AggregateHarness, codeOf, errorOf } from './aggregate-harness.js';
import { ledger, Script } from './ledger.js';

interface Acting {
  emit(type: string, data: unknown): void;
  reject(reason: string, message?: string): never;
}

/** An aggregate whose command `act` does what it is given, with an event `made` that keeps its data as state. */
function acting(act: (ctx: Acting) => unknown) {
  return aggregate({
    name: 'acting',
    initialState: () => null as unknown as string,
    events: { made: { apply: (_state, data: unknown) => data as string } },
    commands: {
      act: { handle: (_state, _input: unknown, ctx) => act(ctx as unknown as Acting) as null },
      fine: { handle: () => 'fine' },
    },
    queries: { state: (state) => state },
  });
}

const THROWN: readonly (readonly [name: string, thrown: unknown])[] = [
  ['an Error', new Error('e')],
  ['a text', 'text'],
  ['undefined', undefined],
  ['null', null],
  ['a symbol', Symbol('s')],
  ['an object without prototype', Object.create(null)],
  [
    'an object that throws when it is shown',
    {
      toString() {
        throw new Error('not shown');
      },
    },
  ],
  ['an Error whose message throws', Object.defineProperty(new Error('e'), 'message', { get: () => JSON.parse('{') })],
  ['an Error whose message is a symbol', Object.defineProperty(new Error('e'), 'message', { value: Symbol('m') })],
  ['an Error whose name throws', Object.defineProperty(new Error('e'), 'name', { get: () => JSON.parse('{') })],
  [
    'a proxy that throws at everything',
    new Proxy({}, { get: () => JSON.parse('{'), getPrototypeOf: () => JSON.parse('{') }),
  ],
];

describe('decide', () => {
  for (const [name, thrown] of THROWN) {
    it(`fails its own message only when a handler throws ${name}, or rejects with it`, async () => {
      for (const act of [
        () => {
          throw thrown;
        },
        () => Promise.reject(thrown),
      ]) {
        const harness = new AggregateHarness(acting(act));
        const failed = codeOf(harness.ref('a').ask('act', null));
        harness.ref('a').tell('act', null);
        const fine = harness.ref('a').ask('fine');
        expect(await failed).to.equal('TROUPE_ACTOR_FAILED');
        expect(await fine).to.equal('fine');
        expect(harness.dropped).to.deep.equal(['failed act']);
        expect(harness.host.unfinished).to.equal(0);
      }
    });
  }

  it('survives a reply whose then throws, and one that settles twice', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- meant
    const nasty = Object.defineProperty({}, 'then', { get: () => JSON.parse('{') });
    // oxlint-disable-next-line unicorn/no-thenable -- meant
    const twice = { then: (resolve: (value: unknown) => void) => (resolve(1), resolve(2)) };
    expect(await codeOf(new AggregateHarness(acting(() => nasty)).ref('a').ask('act', null))).to.equal(
      'TROUPE_ACTOR_FAILED',
    );
    expect(await new AggregateHarness(acting(() => twice)).ref('a').ask('act', null)).to.equal(1);
  });

  it('fails a command, and no other one of the same commit, when the reason of a refusal is no text', async () => {
    for (const reason of [10n, Symbol('s'), undefined, '', { deep: 1n }]) {
      const harness = new AggregateHarness(acting((ctx) => ctx.reject(reason as string)));
      const refused = codeOf(harness.ref('a').ask('act', null, { id: 'x' }));
      const fine = harness.ref('b').ask('fine', undefined, { id: 'y' });
      expect(await refused).to.equal('TROUPE_ACTOR_FAILED');
      expect(await fine).to.equal('fine');
    }
  });

  it('takes a refusal that the handler caught as none', async () => {
    const harness = new AggregateHarness(
      acting((ctx) => {
        try {
          ctx.reject('no');
        } catch {
          ctx.emit('made', 'after all');
        }
        return null;
      }),
    );
    await harness.ref('a').ask('act', null);
    expect(await harness.ref('a').ask('state')).to.equal('after all');
  });

  it('refuses an event that was emitted after the handler had returned', async () => {
    let late: () => void = () => undefined;
    const harness = new AggregateHarness(
      acting((ctx) => {
        late = () => ctx.emit('made', 'too late');
        return null;
      }),
    );
    await harness.ref('a').ask('act', null);
    expect(late).to.throw(/after the handler had returned/);
    expect(await harness.ref('a').ask('state')).to.equal(null);
  });

  it('is not changed by what a handler does with emitted data, or a sender with a reply, afterwards', async () => {
    const data = { list: [1] };
    const harness = new AggregateHarness(
      acting((ctx) => {
        ctx.emit('made', data);
        data.list.push(2);
        return data;
      }),
    );
    const reply = (await harness.ref('a').ask('act', null)) as unknown as typeof data;
    reply.list.length = 0;
    const state = (await harness.ref('a').ask('state')) as unknown as typeof data;
    expect(state).to.deep.equal({ list: [1] });
    state.list.push(9);
    expect(await harness.ref('a').ask('state')).to.deep.equal({ list: [1] });
  });

  it('throws away all events of a command whose apply throws on the 2nd, and starts over from the journal', async () => {
    const harness = new AggregateHarness(ledger());
    const ref = harness.ref('a');
    await ref.ask('add', { n: 1 });
    harness.hold();
    const before = ref.ask('add', { n: 2 });
    const broken = codeOf(ref.ask('break', { n: 4 }));
    const behind = ref.ask('add', { n: 8 });
    await harness.settled();
    harness.release();
    expect(await before).to.equal(3);
    expect(await broken).to.equal('TROUPE_ACTOR_FAILED');
    expect(await behind).to.equal(11);
    expect(await harness.eventsOf('a')).to.have.length(3);
    expect(harness.loads).to.equal(2);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('handles the 1,001st message after a throw in the 1,000th', async () => {
    const script = new Script();
    script.onHandle = () => {
      if (script.handled.length === 1_000) throw new Error('the thousandth');
    };
    const harness = new AggregateHarness(ledger(script));
    const codes = await Promise.all(Array.from({ length: 1_500 }, () => codeOf(harness.ref('a').ask('add', { n: 1 }))));
    expect(codes.filter((code) => code !== 'resolved')).to.deep.equal(['TROUPE_ACTOR_FAILED']);
    expect(codes[999]).to.equal('TROUPE_ACTOR_FAILED');
    expect(await harness.ref('a').ask('sum')).to.equal(1_499);
  });

  it('refuses an apply or a query that is asynchronous, and lets no rejection of theirs escape', async () => {
    const escaped: unknown[] = [];
    const note = (error: unknown): void => void escaped.push(error);
    process.on('unhandledRejection', note);
    try {
      const definition = aggregate({
        name: 'late',
        initialState: () => ({ n: 0 }),
        events: { made: { apply: (async () => Promise.reject(new Error('late'))) as never } },
        commands: { make: { handle: (_state, _input: unknown, ctx) => ctx.emit('made' as never, {} as never) } },
        queries: { later: (async () => Promise.reject(new Error('late'))) as never },
      });
      const harness = new AggregateHarness(definition);
      const made = await errorOf(harness.loose('a').ask('make', null));
      expect(made.code).to.equal('TROUPE_INVALID_EVENT');
      expect(made.message).to.contain('promise');
      const asked = await errorOf(harness.loose('a').ask('later'));
      expect(asked.message).to.contain('promise');
      await harness.settled();
      await new Promise((resolve) => setImmediate(resolve));
      expect(escaped).to.deep.equal([]);
      expect(await harness.eventsOf('a')).to.deep.equal([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('refuses what is no JSON value in events, replies and answers, by its path, and writes nothing', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['list'] = [cyclic];
    let deep: unknown = 1;
    for (let i = 0; i < 10_000; i += 1) deep = [deep];
    const bad: readonly (readonly [unknown, string])[] = [
      [{ a: [0, Number.NaN] }, 'a[1]'],
      [{ a: { b: -0 } }, 'a.b'],
      [{ at: new Date(0) }, 'at'],
      [cyclic, 'list[0]'],
      [deep, '500 levels'],
      [{ f: () => 1 }, 'f'],
      [{ big: 1n }, 'big'],
    ];
    for (const [value, path] of bad) {
      for (const act of [(ctx: Acting) => ctx.emit('made', value), (ctx: Acting) => (ctx.emit('made', 1), value)]) {
        const harness = new AggregateHarness(acting(act));
        const error = await errorOf(harness.ref('a').ask('act', null));
        expect(error.code).to.equal('TROUPE_NOT_SERIALIZABLE');
        expect(error.message).to.contain(path);
        expect(await harness.eventsOf('a')).to.deep.equal([]);
      }
    }
  });

  it('knows no event type that every object has, nor one that is no text', async () => {
    for (const type of ['__proto__', 'constructor', 'toString', 7, Symbol('s'), undefined]) {
      const harness = new AggregateHarness(acting((ctx) => ctx.emit(type as string, {})));
      expect(await codeOf(harness.ref('a').ask('act', null))).to.equal('TROUPE_INVALID_EVENT');
    }
  });

  it('keeps a field named __proto__ as a field', async () => {
    const data: unknown = JSON.parse('{"__proto__":{"a":1},"b":2}');
    const harness = new AggregateHarness(acting((ctx) => (ctx.emit('made', data), data)));
    const reply: unknown = await harness.ref('a').ask('act', null);
    expect(JSON.stringify(reply)).to.equal('{"__proto__":{"a":1},"b":2}');
    expect(JSON.stringify(await harness.ref('a').ask('state'))).to.equal('{"__proto__":{"a":1},"b":2}');
  });
});

describe('append', () => {
  const added = { type: 'ledger.added', data: { n: 1 } };

  it('refuses metadata that is no JSON object, and ids that are no text, before anything is written', async () => {
    const bad: readonly object[] = [
      { metadata: () => 1 },
      { metadata: 'text' },
      { metadata: null },
      { metadata: [1] },
      { metadata: { at: new Date(0) } },
      { metadata: { deep: { big: 1n } } },
      { id: 7 },
      { id: '' },
      { id: {} },
    ];
    for (const extra of bad) {
      const harness = new AggregateHarness(ledger());
      const code = await codeOf((async () => harness.append('a', [{ ...added, ...extra }]))());
      expect(code, JSON.stringify(Object.keys(extra))).to.match(/TROUPE_(INVALID_OPTIONS|NOT_SERIALIZABLE)/);
      expect(await harness.ref('a').ask('add', { n: 1 })).to.equal(1);
      expect(await harness.eventsOf('a')).to.have.length(1);
    }
  });

  it('refuses what is no event at all, and data that is no JSON value', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    for (const event of [
      null,
      1,
      'x',
      {},
      { type: 7, data: 1 },
      { ...added, data: cyclic },
      { ...added, data: new Date() },
    ]) {
      const harness = new AggregateHarness(ledger());
      await harness.append('a', [added], { commandId: 'x' });
      const code = await codeOf((async () => harness.append('a', [event as typeof added], { commandId: 'x' }))());
      expect(code).to.match(/^TROUPE_(INVALID_OPTIONS|INVALID_EVENT|NOT_SERIALIZABLE)$/);
      expect(await harness.ref('a').ask('sum')).to.equal(1);
      expect(harness.host.unfinished).to.equal(0);
    }
  });

  it('keeps id and metadata of each event, and repeats by ids change nothing', async () => {
    const harness = new AggregateHarness(ledger());
    const events = [
      { ...added, id: 'one', metadata: { by: 'me', undef: undefined } },
      { ...added, id: 'two' },
    ];
    const first = await harness.append('a', events, { commandId: 'ids' });
    expect(await harness.append('a', events, { commandId: 'ids' })).to.deep.equal(first);
    const page = await harness.memory.readStream('ledger', 'a', 0, 10);
    expect(page.map((event) => [event.id, event.metadata])).to.deep.equal([
      ['one', { by: 'me' }],
      ['two', {}],
    ]);
  });

  it('conflicts with another version, also with one that is not durable yet', async () => {
    const harness = new AggregateHarness(ledger());
    await harness.ref('a').ask('look');
    harness.hold();
    const first = harness.append('a', [added], { expectedVersion: 'none' });
    const second = codeOf(harness.append('a', [added], { expectedVersion: 'none' }));
    await harness.settled();
    harness.failNext();
    harness.release();
    // What it conflicted with was never written: the conflict is not acknowledged either.
    expect(await codeOf(first)).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
    expect(await second).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
    expect(await harness.append('a', [added], { expectedVersion: 'none' })).to.include({ version: 1 });
  });
});

describe('upcasting and schemas', () => {
  it('fills in defaults of a schema after upcasting, live as in recovery', async () => {
    const event = (version: number) =>
      aggregate({
        name: 'thing',
        initialState: () => ({ currency: 'none' }),
        events: {
          'thing.made': {
            version,
            schema: z.object({ currency: z.string().default('EUR') }),
            upcast: version === 2 ? { 1: (data: object) => data } : {},
            apply: (_state, data) => ({ currency: data.currency }),
          },
        },
        commands: { make: { handle: (_state, _input: unknown, ctx) => ctx.emit('thing.made', {} as never) } },
        queries: { currency: (state) => state.currency },
      });
    const old = new AggregateHarness(event(1));
    await old.ref('a').ask('make', null);
    expect(await old.ref('a').ask('currency')).to.equal('EUR');
    const harness = new AggregateHarness(event(2), { journal: old.memory, clock: old.clock });
    expect(await harness.ref('a').ask('currency')).to.equal('EUR');
  });
});
