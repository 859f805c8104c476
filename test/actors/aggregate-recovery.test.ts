/** Coming to life: snapshots, upcasters, failing loads, passivation, and what the memory holds afterwards. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { asyncProperty, assert, integer } from 'fast-check';
import { z } from 'zod';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import { recoverAggregate } from '../../src/actors/aggregate-recovery.js';
import type { Journal } from '../../src/journal/journal.js';
import { AggregateHarness, codeOf, errorOf, stateOf } from './aggregate-harness.js';
import { ledger, Script } from './ledger.js';

const silent = { log: { debug: nothing, info: nothing, warn: nothing, error: nothing }, skipped: nothing };
function nothing(): void {
  // Nobody reads it.
}

/** A ledger of another time: its events have the schema version given. */
function versioned(version: number, upcast: Record<number, (data: unknown) => unknown> = {}) {
  return aggregate({
    name: 'ledger',
    initialState: () => ({ sum: 0 }),
    events: {
      'ledger.added': {
        version,
        upcast,
        apply: (state, data: { n: number; rate?: number }) => ({ sum: state.sum + data.n * (data.rate ?? 1) }),
      },
    },
    commands: {
      add: {
        handle(state, input: { n: number }, ctx) {
          ctx.emit('ledger.added', input);
          return state.sum + input.n;
        },
      },
    },
    queries: { sum: (state) => state.sum },
  });
}

describe('aggregate, loading', () => {
  it('fails what waits with the error of loading, not with a timeout, and names the missing upcaster', async () => {
    const old = new AggregateHarness(versioned(1));
    await old.ref('a').ask('add', { n: 2 });
    const harness = new AggregateHarness(versioned(3, { 1: (data) => data }), {
      journal: old.memory,
      clock: old.clock,
    });
    const asks = [codeOf(harness.ref('a').ask('sum')), codeOf(harness.ref('a').ask('add', { n: 1 }))];
    harness.ref('a').tell('add', { n: 1 });
    await harness.clock.advance(4_000);
    expect(await Promise.all(asks)).to.deep.equal(['TROUPE_UPCAST_MISSING', 'TROUPE_UPCAST_MISSING']);
    expect(harness.dropped).to.deep.equal(['failed add']);
    expect(harness.letters[0]?.error?.message).to.contain('no upcaster leads from 2 to 3');
    const late = codeOf(harness.ref('a').ask('sum'));
    await harness.clock.advance(4_000);
    expect(await late).to.equal('TROUPE_UPCAST_MISSING');
    expect(harness.host.unfinished).to.equal(0);
    expect(await harness.eventsOf('a')).to.have.length(1);
  });

  it('fails with the error of loading what comes while it backs off, also when its own timeout is shorter', async () => {
    const harness = new AggregateHarness(ledger());
    harness.onLoad = () => {
      throw new Error('no');
    };
    const codes: Promise<string>[] = [];
    for (let i = 0; i < 100; i += 1) {
      codes.push(codeOf(harness.ref('a').ask('sum', undefined, { timeout: 100 })));
      await harness.clock.advance(99);
    }
    expect(new Set(await Promise.all(codes))).to.deep.equal(new Set(['TROUPE_ACTOR_FAILED']));
    expect(harness.loads).to.be.below(20);
    expect(harness.host.unfinished).to.equal(0);
  });

  it('lets commands wait through a load that fails once, and answers them in order when it is mended', async () => {
    const harness = new AggregateHarness(ledger());
    let failures = 1;
    harness.onLoad = () => {
      if ((failures -= 1) >= 0) throw new Error('the disk is slow today');
    };
    const asks = [1, 2, 3].map((n) => harness.ref('a').ask('add', { n }));
    await harness.settled();
    expect(await Promise.all(asks.map(stateOf))).to.deep.equal(['pending', 'pending', 'pending']);
    await harness.clock.advance(1_000);
    expect(await Promise.all(asks)).to.deep.equal([1, 3, 6]);
    expect(harness.loads).to.equal(2);
  });

  it('is mended without a new instance: the first message after the cause is gone is handled', async () => {
    const upcast: Record<number, (data: unknown) => unknown> = {};
    const old = new AggregateHarness(versioned(1));
    await old.ref('a').ask('add', { n: 2 });
    let broken = true;
    upcast[1] = (data) => {
      if (broken) throw new Error('not yet');
      return data;
    };
    const harness = new AggregateHarness(versioned(2, upcast), { journal: old.memory, clock: old.clock });
    const first = codeOf(harness.ref('a').ask('sum'));
    await harness.clock.advance(4_000);
    expect(await first).to.equal('TROUPE_ACTOR_FAILED');
    broken = false;
    const second = harness.ref('a').ask('sum');
    await harness.clock.advance(4_000);
    expect(await second).to.equal(2);
  });

  it('waits longer after each failure, never beyond a quarter of the ask timeout', async () => {
    const harness = new AggregateHarness(ledger(), { askTimeoutMs: 2_000 });
    const at: number[] = [];
    harness.onLoad = () => {
      at.push(harness.clock.monotonic());
      throw new Error('no');
    };
    for (let i = 0; i < 40; i += 1) {
      void codeOf(harness.ref('a').ask('sum'));
      await harness.clock.advance(100);
    }
    const waits = at.slice(1).map((ms, i) => ms - (at[i] ?? 0));
    expect(waits[0]).to.equal(50);
    expect(waits[1]).to.be.at.least(100);
    expect(Math.max(...waits)).to.be.at.most(600);
    expect(waits.at(-1)).to.be.at.least(500);
  });

  it('keeps no handle in the journal of an instance whose load failed', async () => {
    const old = new AggregateHarness(versioned(1));
    await old.ref('a').ask('add', { n: 2 });
    const released: string[] = [];
    const journal = new Proxy<Journal>(old.memory, {
      get(target, key) {
        if (key === 'release') return (stream: { id: string }) => released.push(stream.id);
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    expect(await codeOf(recoverAggregate(journal, versioned(2), 'a', silent))).to.equal('TROUPE_UPCAST_MISSING');
    expect(released).to.deep.equal(['a']);
  });

  it('refuses to come to life when events are missing, rather than with a state that is behind', async () => {
    const old = new AggregateHarness(ledger());
    for (let n = 1; n <= 3; n += 1) await old.ref('a').ask('add', { n });
    const without = (missing: number): Journal =>
      new Proxy<Journal>(old.memory, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key, target);
          if (key === 'replayStream') {
            return async (...[name, id, fold, to]: Parameters<Journal['replayStream']>): Promise<void> => {
              for (const event of await target.readStream(name, id, fold.version, to))
                if (event.version !== missing) fold.take(event);
            };
          }
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    for (const missing of [1, 2, 3]) {
      const recovery = recoverAggregate(without(missing), ledger(), 'a', silent);
      expect((await errorOf(recovery)).code).to.equal('TROUPE_JOURNAL_CORRUPT');
    }
    expect((await recoverAggregate(without(4), ledger(), 'a', silent)).version).to.equal(3);
  });

  it('hands apply the data as it is stored, also when its schema would change it again', async () => {
    const doubling = aggregate({
      name: 'doubling',
      initialState: () => ({ last: 0 }),
      events: {
        'doubling.set': {
          schema: z.object({ n: z.number().transform((n) => n * 2) }),
          apply: (_state, data) => ({ last: data.n }),
        },
      },
      commands: { set: { handle: (_state, n: number, ctx) => ctx.emit('doubling.set', { n }) } },
      queries: { last: (state) => state.last },
      passivateAfter: 100,
    });
    const harness = new AggregateHarness(doubling);
    await harness.ref('a').ask('set', 21);
    expect(await harness.ref('a').ask('last')).to.equal(42);
    await harness.clock.advance(1_000);
    expect(harness.host.size).to.equal(0);
    expect(await harness.ref('a').ask('last')).to.equal(42);
  });
});

describe('aggregate, snapshots', () => {
  it('is never one behind: state and version of each snapshot are those of the same moment', async () => {
    await assert(
      asyncProperty(integer({ min: 1, max: 5 }), integer({ min: 1, max: 30 }), async (every, commands) => {
        const harness = new AggregateHarness(ledger(new Script(), { snapshotEvery: every, passivateAfter: 100 }));
        for (let i = 0; i < commands; i += 1) {
          void harness.ref('a').ask(i % 3 === 2 ? 'twice' : 'add', { n: 1 });
          if (i % 4 === 3) await harness.settled();
          if (i % 7 === 6) await harness.clock.advance(1_000);
          const { snapshot } = await harness.memory.load('ledger', 'a', 1).catch(() => ({ snapshot: undefined }));
          if (snapshot === undefined) continue;
          // Each event adds one, so the sum is the version.
          expect(JSON.parse(snapshot.state)).to.deep.equal({ sum: snapshot.version, count: snapshot.version });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes none and says so once in a while when the state is no JSON value, and goes on', async () => {
    const odd = aggregate({
      name: 'odd',
      initialState: () => ({ tags: new Set<string>() as unknown as string[] }),
      events: { 'odd.tagged': { apply: (state) => ({ tags: state.tags }) } },
      commands: { tag: { handle: (_state, _input: unknown, ctx) => ctx.emit('odd.tagged', {}) } },
      snapshot: { every: 10 },
    });
    const harness = new AggregateHarness(odd);
    for (let i = 0; i < 100; i += 1) await harness.ref('a').ask('tag', null);
    expect(harness.logged.length).to.be.within(1, 10);
    expect((await harness.memory.load('odd', 'a', 1)).snapshot).to.equal(undefined);
  });

  it('ignores a snapshot of another shape, and one that lies beyond the events', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { snapshotEvery: 2 }));
    for (let n = 0; n < 5; n += 1) await harness.ref('a').ask('add', { n: 1 });
    const ahead = new Proxy<Journal>(harness.memory, {
      get(target, key) {
        if (key === 'load') {
          return async (...args: Parameters<Journal['load']>) => ({
            ...(await target.load(...args)),
            snapshot: { version: 9, state: '{"sum":900,"count":9}' },
          });
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const recovered = await recoverAggregate(ahead, ledger(), 'a', silent);
    expect(recovered).to.deep.include({ state: { sum: 5, count: 5 }, version: 5, snapshotVersion: 0 });
  });
});

describe('aggregate, passivation', () => {
  it('leaves memory after the idle time, and comes back with its state', async () => {
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 1_000 }));
    await harness.ref('a').ask('add', { n: 3 });
    await harness.clock.advance(999);
    expect(harness.host.size).to.equal(1);
    await harness.clock.advance(500);
    expect(harness.host.size).to.equal(0);
    expect(await harness.ref('a').ask('add', { n: 4 })).to.equal(7);
  });

  it('stays while a message waits, is handled, or is being committed', async () => {
    const script = new Script();
    const harness = new AggregateHarness(ledger(script, { passivateAfter: 1_000 }), { askTimeoutMs: 1_000_000 });
    let finish: () => void = nothing;
    script.onHandle = () => new Promise<void>((resolve) => (finish = resolve));
    const slow = harness.ref('a').ask('addLater', { n: 1 });
    await harness.clock.advance(10_000);
    expect(harness.host.size).to.equal(1);
    harness.hold();
    finish();
    await harness.clock.advance(10_000);
    expect(harness.host.size).to.equal(1);
    harness.release();
    expect(await slow).to.equal(1);
    await harness.clock.advance(10_000);
    expect(harness.host.size).to.equal(0);
  });

  it('races with new messages without losing one or handling one twice', async () => {
    await assert(
      asyncProperty(integer({ min: 1, max: 40 }), integer({ min: 1, max: 60 }), async (pauseMs, messages) => {
        const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 20 }));
        const asks: Promise<unknown>[] = [];
        for (let i = 0; i < messages; i += 1) {
          asks.push(harness.ref('a').ask('add', { n: 1 }));
          if (i % 3 === 0) harness.ref('b').tell('add', { n: 1 });
          await harness.clock.advance(pauseMs);
        }
        await harness.settled();
        expect(await Promise.all(asks)).to.deep.equal(asks.map((_, i) => i + 1));
        expect(harness.host.unfinished).to.equal(0);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps nothing of 100,000 instances that have left, and no timer', async function () {
    this.timeout(60_000);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const harness = new AggregateHarness(ledger(new Script(), { passivateAfter: 1_000 }));
    const visit = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1_000) {
        await Promise.all(Array.from({ length: 1_000 }, (_, j) => harness.ref(`id-${i + j}`).ask('look')));
      }
    };
    await visit(2_000);
    await harness.clock.advance(20_000);
    expect(harness.host.size).to.equal(0);
    collect();
    const before = process.memoryUsage().heapUsed;
    await visit(100_000);
    expect(harness.host.size).to.equal(100_000);
    collect();
    const inMemory = process.memoryUsage().heapUsed;
    await harness.clock.advance(20_000);
    expect(harness.host.size).to.equal(0);
    collect();
    expect(harness.clock.pending).to.equal(0);
    expect(process.memoryUsage().heapUsed - before).to.be.below(8_000_000);
    // About 1 kB each while they live.
    expect(inMemory - before).to.be.below(200_000_000);
  });
});

describe('aggregate, ending', () => {
  it('fails what is handled at that moment, and what waits, once each; a late result is nobody’s', async () => {
    const script = new Script();
    const harness = new AggregateHarness(ledger(script));
    let finish: () => void = nothing;
    script.onHandle = () => new Promise<void>((resolve) => (finish = resolve));
    const asks = [codeOf(harness.ref('a').ask('addLater', { n: 1 })), codeOf(harness.ref('a').ask('sum'))];
    harness.ref('a').tell('add', { n: 1 });
    await harness.settled();
    const { TroupeError } = await import('../../src/core/troupe-error.js');
    harness.host.end(new TroupeError('TROUPE_SYSTEM_STOPPED', 'stopped'));
    expect(await Promise.all(asks)).to.deep.equal(['TROUPE_SYSTEM_STOPPED', 'TROUPE_SYSTEM_STOPPED']);
    expect(harness.dropped).to.deep.equal(['stopped add']);
    finish();
    await harness.settled();
    expect(harness.host.unfinished).to.equal(0);
    expect(await harness.eventsOf('a')).to.deep.equal([]);
  });

  it('leaves no timer behind, also while a load backs off or is under way', async () => {
    const { TroupeError } = await import('../../src/core/troupe-error.js');
    const ended = new TroupeError('TROUPE_SYSTEM_STOPPED', 'stopped');
    const harness = new AggregateHarness(ledger());
    harness.onLoad = () => {
      throw new Error('no');
    };
    const first = codeOf(harness.ref('a').ask('sum'));
    await harness.settled();
    harness.host.end(ended);
    expect(await first).to.equal('TROUPE_SYSTEM_STOPPED');
    // That of the deadline of the ask.
    expect(harness.clock.pending).to.equal(1);
    await harness.clock.advance(5_000);
    expect(harness.loads).to.equal(1);
    const loading = codeOf(harness.ref('b').ask('sum'));
    harness.host.end(ended);
    expect(await loading).to.equal('TROUPE_SYSTEM_STOPPED');
    await harness.clock.advance(10_000);
    expect(harness.clock.pending).to.equal(0);
  });
});
