/**
 * The contract of the runtime, as laws: what API.md's sections 1 to 3 promise of aggregates, references and the log.
 *
 * Each law holds for every number of workers and for both journals; the suites of single parts live beside them.
 */
import { expect } from 'chai';
import { isDeepStrictEqual } from 'node:util';
import { firstValueFrom, take, toArray } from 'rxjs';
import { type ActorSystem, isTroupeError, type RecordedEvent, TroupeError } from 'troupe';
import { account, balances, echo, mirror, tally } from './fixtures/bank.js';
import { eventually } from '../support/eventually.js';
import { forEachSetting } from './fixtures/settings.js';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isTroupeError(error)) return error.reason === undefined ? error.code : `${error.code}:${error.reason}`;
    throw error;
  }
  return 'no error';
}

async function errorOf(promise: Promise<unknown>): Promise<TroupeError> {
  return promise.then(
    () => expect.fail('expected a rejection'),
    (error: unknown) => {
      if (!isTroupeError(error)) throw error;
      return error;
    },
  );
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

forEachSetting('runtime', (start) => {
  let system: ActorSystem;
  beforeEach(async () => {
    system = await start();
  });
  afterEach(() => system.stop());

  describe('commands', () => {
    it('replies with what the handler returns, and keeps its events', async () => {
      const ref = system.ref(account, 'a');
      expect(await ref.ask('deposit', { amount: 5 })).to.equal(5);
      expect(await ref.ask('deposit', { amount: 7 })).to.equal(12);
      expect(await ref.ask('balance')).to.equal(12);
      const events = await collect(system.read(account, 'a'));
      expect(events.map((event) => [event.version, event.type, event.data])).to.deep.equal([
        [1, 'account.deposited', { amount: 5 }],
        [2, 'account.deposited', { amount: 7 }],
      ]);
    });

    it('gives a receipt with position and version of the last event', async () => {
      const ref = system.ref(account, 'a');
      await ref.ask('deposit', { amount: 1 });
      const receipt = await ref.ask('depositTwice', { amount: 1 }, { receipt: true });
      expect(receipt.version).to.equal(3);
      const events = await collect(system.readAll({ types: ['account.deposited'] }));
      expect(receipt.position).to.equal(events.at(-1)?.position);
    });

    it('rejects with reason and message, without events', async () => {
      const error = await errorOf(system.ref(account, 'a').ask('withdraw', { amount: 1 }));
      expect(error.code).to.equal('TROUPE_REJECTED');
      expect(error.reason).to.equal('insufficient-funds');
      expect(await collect(system.read(account, 'a'))).to.have.length(0);
    });

    it('fails with TROUPE_ACTOR_FAILED and the cause, discards the events, and goes on', async () => {
      const ref = system.ref(account, 'a');
      await ref.ask('deposit', { amount: 3 });
      const error = await errorOf(ref.ask('fail', { text: 'no luck' }));
      expect(error.code).to.equal('TROUPE_ACTOR_FAILED');
      expect(error.cause).to.be.instanceOf(Error);
      expect((error.cause as Error).name).to.equal('RangeError');
      expect((error.cause as Error).message).to.equal('no luck');
      expect(await ref.ask('balance')).to.equal(3);
    });

    it('applies all events of a command or none', async () => {
      const ref = system.ref(account, 'a');
      await ref.ask('deposit', { amount: 3 });
      expect(await codeOf(ref.ask('spoil'))).to.equal('TROUPE_ACTOR_FAILED');
      expect(await ref.ask('deposit', { amount: 1 })).to.equal(4);
      expect((await collect(system.read(account, 'a'))).map((event) => event.version)).to.deep.equal([1, 2]);
    });

    it('refuses a reply that is no JSON value by the path of the field, and writes nothing', async () => {
      const ref = system.ref(account, 'a');
      const error = await errorOf(ref.ask('badReply'));
      expect(error.code).to.equal('TROUPE_NOT_SERIALIZABLE');
      expect(error.message).to.contain('at').and.contain('Map');
      expect(await ref.ask('balance')).to.equal(0);
    });

    it('handles 1,000 commands to one aggregate at once in the order sent, each version once', async () => {
      const ref = system.ref(account, 'hot');
      const replies = await Promise.all(Array.from({ length: 1_000 }, () => ref.ask('deposit', { amount: 1 })));
      expect(replies).to.deep.equal(Array.from({ length: 1_000 }, (_, i) => i + 1));
      const events = await collect(system.read(account, 'hot'));
      expect(events.map((event) => event.version)).to.deep.equal(Array.from({ length: 1_000 }, (_, i) => i + 1));
    });

    it('keeps the order of tell, send and ask, also beside asynchronous handlers', async () => {
      const ref = system.ref(account, 'a');
      ref.tell('depositLater', { amount: 1 });
      const sent = ref.send('deposit', { amount: 10 });
      const asked = ref.ask('depositLater', { amount: 100 });
      ref.tell('deposit', { amount: 1_000 });
      await sent;
      expect(await asked).to.equal(111);
      expect(await ref.ask('balance')).to.equal(1_111);
      const events = await collect(system.read(account, 'a'));
      expect(events.map((event) => (event.data as { amount: number }).amount)).to.deep.equal([1, 10, 100, 1_000]);
    });

    it('comes back from the journal after it has left memory', async () => {
      const ref = system.ref(account, 'a');
      for (let i = 0; i < 25; i += 1) await ref.ask('deposit', { amount: 1 });
      await eventually(() => (system.metrics().instances['account'] ?? 0) === 0);
      expect(await ref.ask('deposit', { amount: 1 })).to.equal(26);
    });
  });

  describe('what a sender can see', () => {
    it('refuses unknown types at once, naming the nearest', async () => {
      const ref = system.ref(account, 'a');
      // @ts-expect-error no such command
      expect(() => ref.tell('deposti', { amount: 1 })).to.throw(TroupeError, /deposit/);
      // @ts-expect-error no such command
      expect(await codeOf(ref.ask('deposti', { amount: 1 }))).to.equal('TROUPE_UNKNOWN_MESSAGE');
      // @ts-expect-error no such command
      expect(await codeOf(ref.send('toString', { amount: 1 }))).to.equal('TROUPE_UNKNOWN_MESSAGE');
    });

    it('refuses what is no JSON value, by the path of the field', async () => {
      const ref = system.ref(account, 'a');
      const bad = { amount: { deep: [() => 1] } } as unknown as { amount: number };
      expect(() => ref.tell('deposit', bad)).to.throw(TroupeError, /amount\.deep\[0\].*function/);
      const cycle: Record<string, unknown> = {};
      cycle['self'] = cycle;
      expect(await codeOf(ref.ask('deposit', cycle as unknown as { amount: number }))).to.equal(
        'TROUPE_NOT_SERIALIZABLE',
      );
      for (const amount of [Number.NaN, Number.POSITIVE_INFINITY, -0, 1n, new Date(0), new Map()]) {
        const input = { amount } as unknown as { amount: number };
        expect(await codeOf(ref.ask('deposit', input)), typeof amount).to.equal('TROUPE_NOT_SERIALIZABLE');
      }
    });
  });

  describe('deduplication', () => {
    it('gives a repeat the first outcome and changes nothing', async () => {
      const ref = system.ref(account, 'a');
      const first = await ref.ask('deposit', { amount: 5 }, { id: 'x', receipt: true });
      await ref.ask('deposit', { amount: 1 });
      expect(await ref.ask('deposit', { amount: 5 }, { id: 'x', receipt: true })).to.deep.equal(first);
      expect(await ref.ask('balance')).to.equal(6);
    });

    it('lets repeats that arrive while the first is under way join it', async () => {
      const ref = system.ref(account, 'a');
      const asks = Array.from({ length: 20 }, () => ref.ask('deposit', { amount: 5 }, { id: 'x' }));
      expect(new Set(await Promise.all(asks))).to.deep.equal(new Set([5]));
      expect(await ref.ask('balance')).to.equal(5);
    });

    it('refuses the id with another type or payload', async () => {
      const ref = system.ref(account, 'a');
      await ref.ask('deposit', { amount: 5 }, { id: 'x' });
      expect(await codeOf(ref.ask('deposit', { amount: 6 }, { id: 'x' }))).to.equal('TROUPE_COMMAND_ID_REUSED');
      expect(await codeOf(ref.ask('withdraw', { amount: 5 }, { id: 'x' }))).to.equal('TROUPE_COMMAND_ID_REUSED');
    });

    it('keeps outcomes of rejections and of commands without events', async () => {
      const ref = system.ref(account, 'a');
      expect(await codeOf(ref.ask('withdraw', { amount: 5 }, { id: 'r' }))).to.equal(
        'TROUPE_REJECTED:insufficient-funds',
      );
      expect(await ref.ask('nothing', undefined, { id: 'n' })).to.equal(0);
      await ref.ask('deposit', { amount: 9 });
      expect(await codeOf(ref.ask('withdraw', { amount: 5 }, { id: 'r' }))).to.equal(
        'TROUPE_REJECTED:insufficient-funds',
      );
      expect(await ref.ask('nothing', undefined, { id: 'n' })).to.equal(0);
    });

    it('remembers outcomes when the instance has left memory', async () => {
      const ref = system.ref(account, 'a');
      const first = await ref.ask('deposit', { amount: 5 }, { id: 'x', receipt: true });
      expect(await codeOf(ref.ask('withdraw', { amount: 50 }, { id: 'r' }))).to.equal(
        'TROUPE_REJECTED:insufficient-funds',
      );
      await eventually(() => (system.metrics().instances['account'] ?? 0) === 0);
      await ref.ask('deposit', { amount: 100 });
      expect(await ref.ask('deposit', { amount: 5 }, { id: 'x', receipt: true })).to.deep.equal(first);
      expect(await codeOf(ref.ask('withdraw', { amount: 50 }, { id: 'r' }))).to.equal(
        'TROUPE_REJECTED:insufficient-funds',
      );
    });
  });

  describe('append', () => {
    it('appends events at the expected version and refuses another one', async () => {
      const deposited = { type: 'account.deposited', data: { amount: 2 } };
      const first = await system.append(account, 'a', [deposited, deposited], { expectedVersion: 'none' });
      expect(first.version).to.equal(2);
      expect(await codeOf(system.append(account, 'a', [deposited], { expectedVersion: 'none' }))).to.equal(
        'TROUPE_VERSION_CONFLICT',
      );
      expect(await codeOf(system.append(account, 'a', [deposited], { expectedVersion: 1 }))).to.equal(
        'TROUPE_VERSION_CONFLICT',
      );
      expect((await system.append(account, 'a', [deposited], { expectedVersion: 2 })).version).to.equal(3);
      expect((await system.append(account, 'a', [deposited], { expectedVersion: 'any' })).version).to.equal(4);
      expect(await system.state(account, 'a')).to.deep.equal({ balance: 8, owner: null });
    });

    it('refuses events that the aggregate does not define', async () => {
      expect(await codeOf(system.append(account, 'a', [{ type: 'no.such', data: {} }]))).to.equal(
        'TROUPE_INVALID_EVENT',
      );
    });
  });

  describe('the log', () => {
    it('numbers positions without gap, and tells them to live subscribers in order', async () => {
      const live: RecordedEvent[] = [];
      const subscription = system.events.subscribe((event) => live.push(event));
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => system.ref(account, `a${i % 20}`).ask('deposit', { amount: 1 })),
      );
      await system.settled();
      subscription.unsubscribe();
      const all = await collect(system.readAll());
      expect(all.map((event) => event.position)).to.deep.equal(all.map((_, i) => i + 1));
      expect(live).to.deep.equal(all);
    });

    it('shows an event only with its reply or before it, never a reply without its event', async () => {
      const seen = new Set<string>();
      system.events.subscribe((event) => seen.add(event.commandId));
      for (let i = 0; i < 20; i += 1) {
        await system.ref(account, 'a').ask('deposit', { amount: 1 }, { id: `c${i}` });
        expect(seen.has(`c${i}`)).to.equal(true);
      }
    });

    it('keeps a subscriber that throws, and the others', async () => {
      const seen: number[] = [];
      system.events.subscribe(() => {
        throw new Error('a bad subscriber');
      });
      system.events.subscribe((event) => seen.push(event.position));
      await system.ref(account, 'a').ask('deposit', { amount: 1 });
      await system.ref(account, 'a').ask('deposit', { amount: 1 });
      await system.settled();
      expect(seen.length).to.be.greaterThanOrEqual(2);
      expect(system.metrics().subscriberErrors).to.be.greaterThanOrEqual(2);
    });

    it('gives the past and then the present without gap or repeat', async () => {
      for (let i = 0; i < 10; i += 1) await system.ref(account, 'a').ask('deposit', { amount: 1 });
      const history = firstValueFrom(
        system.history({ aggregate: account, id: 'a', live: true, after: 0 }).pipe(take(20), toArray()),
      );
      for (let i = 0; i < 10; i += 1) await system.ref(account, 'a').ask('deposit', { amount: 1 });
      expect((await history).map((event) => event.version)).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    it('records who caused what: command, correlation, causation, metadata', async () => {
      await system
        .ref(account, 'a')
        .ask('deposit', { amount: 1 }, { id: 'cmd', correlationId: 'corr', metadata: { by: 'me' } });
      await system.settled();
      const [event, counted] = await collect(system.readAll());
      expect(event).to.include({ commandId: 'cmd', correlationId: 'corr', causationId: null });
      expect(event?.metadata).to.deep.equal({ by: 'me' });
      expect(counted).to.include({ aggregate: 'mirror', correlationId: 'corr', causationId: event?.id });
      expect(counted?.metadata).to.deep.equal({ by: 'me' });
    });

    it('folds the state of any moment', async () => {
      const ref = system.ref(account, 'a');
      for (const amount of [1, 2, 3]) await ref.ask('deposit', { amount });
      expect(await system.state(account, 'a')).to.deep.equal({ balance: 6, owner: null });
      expect(await system.state(account, 'a', { atVersion: 2 })).to.deep.equal({ balance: 3, owner: null });
      expect(await system.state(account, 'a', { atTime: 0 })).to.deep.equal({ balance: 0, owner: null });
      expect(await system.state(account, 'nobody')).to.deep.equal({ balance: 0, owner: null });
    });
  });

  describe('reactions and projections', () => {
    it('have done everything when settled() resolves', async () => {
      const ids = Array.from({ length: 30 }, (_, i) => `a${i}`);
      await Promise.all(ids.map((id) => system.ref(account, id).ask('depositTwice', { amount: 2 })));
      await system.settled();
      for (const id of ids) {
        expect(await system.state(mirror, id)).to.deep.equal({ total: 4, seen: 2 });
        expect(await system.view(balances).get(id)).to.deep.equal({ account: id, balance: 4, movements: 2 });
      }
      expect(await system.view(balances).count()).to.equal(30);
    });

    it('let a reader wait for its own write', async () => {
      const { position } = await system.ref(account, 'a').ask('deposit', { amount: 3 }, { receipt: true });
      await system.view(balances).caughtUp(position);
      expect((await system.view(balances).get('a'))?.balance).to.equal(3);
    });
  });

  describe('actors', () => {
    it('handle messages one at a time, in order, and reply', async () => {
      const ref = await system.spawn(tally, { id: 't', args: { from: 10 } });
      ref.tell('add', 1);
      await ref.send('addLater', 2);
      ref.tell('add', 3);
      expect(await ref.ask('total')).to.equal(16);
      expect(await system.ref(tally, 't').ask('total')).to.equal(16);
    });

    it('refuse a second spawn of a living id', async () => {
      await system.spawn(tally, { id: 't', args: { from: 0 } });
      expect(await codeOf(system.spawn(tally, { id: 't', args: { from: 0 } }))).to.equal('TROUPE_INVALID_OPTIONS');
    });

    it('take what they are sent, and answer, as it was: Map, Set, Date, bigint, bytes, undefined, -0', async () => {
      const ref = await system.spawn(echo, { id: 'echo' });
      const value = {
        at: new Map([[1n, new Set([new Date(7)])]]),
        bytes: new Uint8Array([1, 2]),
        none: undefined,
        odd: -0,
      };
      expect(isDeepStrictEqual(await ref.ask('back', value), value)).to.equal(true);
      expect(Object.is(await ref.ask('back', -0), -0)).to.equal(true);
    });

    it('refuse a reply that cannot be sent, by the path of the field', async () => {
      const ref = await system.spawn(echo, { id: 'echo' });
      const error = await errorOf(ref.ask('unfit'));
      expect(error.code).to.equal('TROUPE_NOT_SERIALIZABLE');
      expect(error.message).to.include('deep.er');
      ref.tell('unfit');
      expect(await ref.ask('back', 1)).to.equal(1);
    });

    it('fail an ask with the cause, and go on', async () => {
      const ref = await system.spawn(tally, { id: 't', args: { from: 1 } });
      const error = await errorOf(ref.ask('fail', 'no luck'));
      expect(error.code).to.equal('TROUPE_ACTOR_FAILED');
      expect((error.cause as Error).message).to.equal('no luck');
      await eventually(async () => (await ref.ask('total')) === 1);
    });

    it('answer TROUPE_ACTOR_STOPPED when never spawned or stopped', async () => {
      expect(await codeOf(system.ref(tally, 'nobody').ask('total'))).to.equal('TROUPE_ACTOR_STOPPED');
      const ref = await system.spawn(tally, { id: 't', args: { from: 0 } });
      await ref.stop();
      expect(await codeOf(ref.ask('total'))).to.equal('TROUPE_ACTOR_STOPPED');
    });
  });

  describe('stop', () => {
    it('finishes what was sent, then refuses with TROUPE_SYSTEM_STOPPED', async () => {
      const ref = system.ref(account, 'a');
      const asks = Array.from({ length: 100 }, () => ref.ask('deposit', { amount: 1 }));
      await system.stop();
      expect(await Promise.all(asks)).to.have.length(100);
      expect(await codeOf(ref.ask('deposit', { amount: 1 }))).to.equal('TROUPE_SYSTEM_STOPPED');
      expect(() => ref.tell('deposit', { amount: 1 })).to.throw(TroupeError, /stopped/);
    });
  });
});
