/** Laws of plain actors through the public face, the same for every number of workers (API.md, sections 1 and 6). */
import { expect } from 'chai';
import type { ActorRef, ActorSystem } from 'troupe';
import { eventually } from '../support/eventually.js';
import { caught, forEachNumberOfWorkers } from './fixtures/company.js';
import { kid, player, stillborn, witness } from './fixtures/ensemble.js';

type Player = ActorRef<typeof player>;

forEachNumberOfWorkers('plain actors', (start) => {
  let system: ActorSystem;
  let scribe: ActorRef<typeof witness>;
  let players: Player[];
  before(async () => {
    system = await start({ supervision: { backoff: { min: 5, max: 20, jitter: 0 }, maxRestarts: Infinity } });
  });
  after(() => system.stop());
  beforeEach(async () => {
    scribe = await system.spawn(witness);
    // With two workers, some on each.
    players = await Promise.all(
      Array.from({ length: 6 }, () => system.spawn(player, { args: { witness: scribe.id } })),
    );
  });

  const first = (): Player => players[0] as Player;
  const others = (): Player[] => players.slice(1);
  const notes = (): Promise<string[]> => scribe.ask('seen');

  describe('messages', () => {
    it('know their sender, on whichever thread, also when the message is an ask', async () => {
      for (const other of others()) expect(await first().ask('askWho', other)).to.equal(first().id);
      expect(await first().ask('who')).to.equal(null);
    });

    it('carry references that work where they arrive', async () => {
      for (const other of others()) first().tell('greetBy', { by: other, text: 'four' });
      await eventually(async () => (await first().ask('order')).length === others().length);
      expect(await first().ask('order')).to.deep.equal(others().map(() => 4));
    });

    it('keep a Buffer of Node what it is, on the way there and back, also when it is moved', async () => {
      const { text, bytes } = await first().ask('text', Buffer.from('hello'));
      expect([text, Buffer.isBuffer(bytes), bytes.toString()]).to.deep.equal(['hello', true, 'hello']);
      const whole = Buffer.from(new Uint8Array([104, 105]).buffer);
      const moved = await first().ask('text', whole, { transfer: [whole.buffer] });
      expect([moved.text, whole.byteLength]).to.deep.equal(['hi', 0]);
    });

    it('go by priority, in order among equals, on a bounded mailbox', async () => {
      const ref = first();
      const busy = ref.ask('wait', 50);
      ref.tell('item', 1);
      ref.tell('item', 2);
      ref.tell('item', 3, { priority: 9 });
      ref.tell('item', 4, { priority: 9 });
      ref.tell('item', 5);
      await busy;
      expect(await ref.ask('order')).to.deep.equal([3, 4, 1, 2, 5]);
    });

    it('that nobody knows or that can not be sent are told to the sender at once, by name and path', async () => {
      const ref = first() as unknown as ActorRef;
      expect(() => ref.tell('addd', 1)).to.throw(/addd.*add/);
      for (const bad of [() => 1, Symbol('s'), { deep: [{ fn: () => 1 }] }]) {
        expect(() => ref.tell('add', bad))
          .to.throw()
          .with.property('code', 'TROUPE_NOT_SERIALIZABLE');
      }
      const cycle: Record<string, unknown> = {};
      cycle['me'] = { cycle };
      expect(() => ref.tell('add', cycle)).to.throw(/me\.cycle/);
      expect((await caught(ref.ask('add', { deep: [{ fn: () => 1 }] }))).message).to.contain('deep[0].fn');
    });

    it('keep the own fields of errors in them, there and back', async () => {
      const issues = [{ path: ['lines', 0], message: 'none' }];
      const sent = Object.assign(new RangeError('bad order', { cause: new TypeError('why') }), { issues });
      for (const player of players) {
        const found = await player.ask('examine', sent);
        expect(found.issues).to.deep.equal(issues);
        expect(found.error).to.be.instanceOf(RangeError).and.to.deep.include({ message: 'bad order', issues });
        expect(found.error.cause).to.have.property('message', 'why');
      }
    });

    it('whose getters throw are refused by path and cause, as payload and as reply', async () => {
      const payload = {
        get total(): number {
          throw new RangeError('not to be read');
        },
      };
      const ref = first() as unknown as ActorRef;
      for (const asked of [ref.ask('add', { deep: [payload] }), ref.send('add', payload), ref.ask('unreadable')]) {
        const error = await caught(asked);
        expect(error).to.have.property('code', 'TROUPE_NOT_SERIALIZABLE');
        expect(error.message).to.contain('total is a getter that throws RangeError: not to be read');
        expect(error.cause).to.have.property('message', 'not to be read');
      }
      expect(() => ref.tell('add', payload))
        .to.throw()
        .with.property('code', 'TROUPE_NOT_SERIALIZABLE');
    });
  });

  describe('behaviours', () => {
    it('become and unbecome what they are told, on a stack', async () => {
      const ref = first();
      await ref.ask('beLoud');
      expect(await ref.ask('add', 2)).to.equal(20);
      expect((await caught(ref.ask('order'))).code).to.equal('TROUPE_UNKNOWN_MESSAGE');
    });

    it('set messages aside, and handle them in order, before newer mail', async () => {
      const ref = first();
      ref.tell('hold');
      for (let n = 1; n <= 5; n += 1) ref.tell('item', n);
      ref.tell('release');
      ref.tell('item', 6);
      expect(await ref.ask('order')).to.deep.equal([1, 2, 3, 4, 5, 6]);
    });

    it('can set aside as many as the mailbox holds; the rest are dead letters', async () => {
      const ref = first();
      ref.tell('hold');
      for (let n = 1; n <= 103; n += 1) await ref.send('item', n);
      ref.tell('release');
      const order = await ref.ask('order');
      expect(order).to.have.length(100);
      await system.settled();
      const letters = system.deadLetters.list().filter(({ target }) => target.id === ref.id);
      expect(letters.map(({ reason, payload }) => [reason, payload])).to.deep.equal([
        ['mailbox-full', 101],
        ['mailbox-full', 102],
        ['mailbox-full', 103],
      ]);
    });
  });

  describe('timers', () => {
    it('come once or again and again, and none that was cancelled, or of the life before a restart', async () => {
      const ref = first();
      ref.tell('after', 5);
      await eventually(async () => (await ref.ask('add', 0)) === 1);
      ref.tell('afterAndCancel', 5);
      ref.tell('every', 5);
      await eventually(async () => (await ref.ask('add', 0)) >= 4);
      await caught(ref.ask('fail', 'now'));
      expect(await ref.ask('add', 0)).to.equal(0);
      // Longer than the timer's beat: it would have come again.
      await ref.ask('wait', 40);
      expect(await ref.ask('add', 0)).to.equal(0);
    });
  });

  describe('pipeToSelf', () => {
    it('sends what the promise resolves with; a rejection takes the path of a throw', async () => {
      const ref = first();
      ref.tell('pipe', 'seven77');
      await eventually(async () => (await ref.ask('order')).length === 1);
      expect(await ref.ask('order')).to.deep.equal([7]);
      ref.tell('pipe', 'bad');
      await eventually(async () => (await ref.ask('order')).length === 0);
      await eventually(() => system.deadLetters.list().some(({ target }) => target.id === ref.id));
    });
  });

  describe('supervision', () => {
    it('keeps what comes during the wait, in order; the message that failed is not handled again', async () => {
      const ref = first();
      const failed = caught(ref.ask('fail', 'one'));
      for (let n = 1; n <= 50; n += 1) ref.tell('item', n);
      expect((await failed).code).to.equal('TROUPE_ACTOR_FAILED');
      expect(await ref.ask('order')).to.deep.equal(Array.from({ length: 50 }, (_, i) => i + 1));
    });

    it('runs stopped of the old life and started of the new one', async () => {
      const ref = first();
      await caught(ref.ask('fail', 'one'));
      await ref.ask('add', 0);
      await eventually(async () => (await notes()).filter((note) => note.includes(ref.id)).length === 3);
      expect((await notes()).filter((note) => note.includes(ref.id))).to.deep.equal([
        `started ${ref.id}`,
        `stopped ${ref.id} aborted`,
        `started ${ref.id}`,
      ]);
    });

    it('answers while a child restarts in a loop, also one that can not be started', async () => {
      const ref = first();
      const broken = await ref.ask('bearBroken', `${ref.id}-broken`);
      for (let n = 1; n <= 20; n += 1) expect(await ref.ask('add', 1)).to.equal(n);
      const waiting = caught(broken.ask('hello' as never, undefined as never, { timeout: '100ms' } as never));
      expect((await waiting).code).to.equal('TROUPE_ASK_TIMEOUT');
      await system.ref(stillborn, `${ref.id}-broken`).stop();
    });

    it('a child is found by its id from everywhere, knows its parent, and restarts alone', async () => {
      const ref = first();
      const ids = ['a', 'b'].map((place) => `${ref.id}-${place}`);
      await ref.ask('bear', ids);
      const [a, b] = ids.map((id) => system.ref(kid, id));
      if (a === undefined || b === undefined) throw new Error('two ids');
      await a.ask('add', 1);
      await b.ask('add', 1);
      expect(await a.ask('parent')).to.equal(ref.id);
      await caught(a.ask('fail', 'x'));
      expect([await a.ask('add', 0), await b.ask('add', 0)]).to.deep.equal([0, 1]);
    });
  });

  describe('stopping', () => {
    it('ends children first, the last one first, and then the parent', async () => {
      const ref = first();
      await ref.ask(
        'bear',
        ['x', 'y', 'z'].map((place) => `${ref.id}-${place}`),
      );
      await ref.stop();
      await eventually(async () => (await notes()).filter((note) => note.startsWith('stopped')).length === 4);
      expect((await notes()).filter((note) => note.startsWith('stopped'))).to.deep.equal([
        `stopped ${ref.id}-z`,
        `stopped ${ref.id}-y`,
        `stopped ${ref.id}-x`,
        `stopped ${ref.id} aborted`,
      ]);
      expect((await caught(ref.ask('add', 1))).code).to.equal('TROUPE_ACTOR_STOPPED');
    });

    it('is neither delayed nor kept out by a mailbox that is full', async () => {
      const ref = first();
      const handled = caught(ref.ask('failLater', 20));
      for (let n = 1; n <= 300; n += 1) ref.tell('item', n);
      const stopped = ref.stop();
      await handled;
      await stopped;
      await system.settled();
      const reasons = system.deadLetters
        .list()
        .flatMap((letter) => (letter.target.id === ref.id ? [letter.reason] : []));
      expect(reasons).to.have.length(300);
      // Across threads the order to stop overtakes the mail that has not left yet.
      expect(['mailbox-full', 'stopped']).to.include.members([...new Set(reasons)]);
    });

    it('of one that is told again and again resolves each time; then the id is free', async () => {
      const ref = first();
      await Promise.all([ref.stop(), ref.stop(), ref.stop()]);
      await ref.stop();
      const next = await system.spawn(player, { id: ref.id, args: { witness: scribe.id } });
      expect(await next.ask('add', 1)).to.equal(1);
    });
  });

  describe('moved buffers', () => {
    const bytes = (): ArrayBuffer => new Uint8Array([1, 2, 3]).buffer;

    it('arrive with what they held, and are empty where they came from', async () => {
      for (const how of ['ask', 'send', 'tell'] as const) {
        const buffer = bytes();
        const options = { transfer: [buffer] };
        const ref = first();
        const sent =
          how === 'ask'
            ? ref.ask('sum', buffer, options)
            : how === 'send'
              ? ref.send('sum', buffer, options)
              : ref.tell('sum', buffer, options);
        expect(buffer.byteLength, how).to.equal(0);
        if (how === 'ask') expect(await sent).to.equal(6);
        await sent;
      }
    });

    it('and large messages of any kind arrive whole, also when they are sent to several', async () => {
      const megabyte = new Uint8Array(1_048_576).fill(1);
      for (const ref of players) expect(await ref.ask('sum', megabyte.buffer)).to.equal(1_048_576);
      const replies = players.map((ref, n) => {
        const own = megabyte.slice(n).buffer;
        return ref.ask('sum', own, { transfer: [own] });
      });
      expect(await Promise.all(replies)).to.deep.equal(players.map((_, n) => 1_048_576 - n));
      expect(megabyte.byteLength).to.equal(1_048_576);
    });

    it('also between actors, and as views of them', async () => {
      for (const other of others()) {
        expect(await first().ask('passOn', { to: other, bytes: bytes() })).to.deep.equal({ sum: 6, left: 0 });
      }
    });

    it('stay where they are when the message is refused, or when they are not in it', async () => {
      const buffer = bytes();
      const ref = first() as unknown as ActorRef;
      expect(() => ref.tell('summ', buffer, { transfer: [buffer] })).to.throw(/summ/);
      expect(() => ref.tell('sum', { buffer, fn: () => 1 }, { transfer: [buffer] })).to.throw(/fn/);
      expect(() => ref.tell('sum', bytes(), { transfer: [buffer] })).to.throw(/transfer\[0\] is not in the message/);
      expect(() => ref.tell('sum', buffer, { transfer: [1] as never })).to.throw(/transfer\[0\]/);
      expect(() => ref.tell('sum', buffer, { transfer: buffer as never })).to.throw(/give an array/);
      expect(buffer.byteLength).to.equal(3);
    });

    it('without being asked for, stay with their sender on another thread or this one, whole', async () => {
      const buffer = bytes();
      expect(await first().ask('sum', buffer)).to.equal(6);
      expect(buffer.byteLength).to.equal(3);
    });
  });
});
