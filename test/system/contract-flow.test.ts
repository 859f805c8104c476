/**
 * The contract of the runtime, second part, as laws for every number of workers: mailboxes that are slow or full, dead
 * letters, references that travel, events that are parked and go on.
 */
import { expect } from 'chai';
import { type ActorSystem, isTroupeError } from 'troupe';
import { loggedValue } from '../../src/core/logged-value.js';
import { forgetful, gate, greeter, miller, picky, sack } from './fixtures/mill.js';
import { forEachSetting } from './fixtures/settings.js';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isTroupeError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

forEachSetting(
  'flow',
  (start) => {
    let system: ActorSystem;
    beforeEach(async () => {
      system = await start({ cast: new URL('./fixtures/mill.js', import.meta.url), limits: { askTimeout: '20s' } });
    });
    afterEach(() => system.stop());

    const letters = (): string[] => system.deadLetters.list().map(({ reason, type }) => `${reason} ${type}`);
    const stored = (): Promise<number> => system.ref(sack, 'store-s').ask('kilos');

    it('an actor that is slow holds up no other, however much waits for it', async () => {
      // In one place, whatever their ids: one thread.
      const slow = await system.spawn(miller, { id: 'slow' });
      const others = await Promise.all([1, 2, 3, 4].map((n) => system.spawn(miller, { id: `quick-${n}` })));
      const closed = await system.spawn(gate, { id: 'gate' });
      slow.tell('grind', { name: 'gate', until: closed });
      for (let n = 0; n < 9_000; n += 1) slow.tell('hail');
      expect(await Promise.all(others.map((other) => other.ask('hail')))).to.deep.equal(Array(4).fill('hello'));
      expect(await system.ref(sack, 'a').ask('kilos')).to.equal(0);
      await closed.ask('open');
      expect(await slow.ask('ground')).to.deep.equal(['gate']);
      expect(letters()).to.deep.equal([]);
    });

    it('a full mailbox refuses asks and tells, and lets sends wait for room', async () => {
      const ref = await system.spawn(picky, { id: 'p' });
      const closed = await system.spawn(gate, { id: 'gate' });
      ref.tell('grind', { name: 'first', until: closed });
      await ref.send('grind', { name: 'second' });
      await ref.send('grind', { name: 'third' });
      expect(await codeOf(ref.ask('ground'))).to.equal('TROUPE_MAILBOX_FULL');
      ref.tell('grind', { name: 'lost' });
      const waiting = ref.send('grind', { name: 'patient' }, { timeout: '60s' });
      await closed.ask('open');
      await waiting;
      await system.settled();
      expect(await ref.ask('ground')).to.deep.equal(['first', 'second', 'third', 'patient']);
      expect(letters()).to.deep.equal(['mailbox-full grind']);
    });

    it('a send that waits too long for room fails, and is not delivered later', async () => {
      const ref = await system.spawn(picky, { id: 'p' });
      const closed = await system.spawn(gate, { id: 'gate' });
      ref.tell('grind', { name: 'first', until: closed });
      await ref.send('grind', { name: 'second' });
      await ref.send('grind', { name: 'third' });
      expect(await codeOf(ref.send('grind', { name: 'late' }, { timeout: '100ms' }))).to.equal('TROUPE_MAILBOX_FULL');
      await closed.ask('open');
      await system.settled();
      expect(await ref.ask('ground')).to.deep.equal(['first', 'second', 'third']);
    });

    it('drop-oldest drops the oldest, as dead letters', async () => {
      const ref = await system.spawn(forgetful, { id: 'f' });
      // Told and not sent: whether it has begun by then or not, it is one that may give way.
      ref.tell('grind', { name: 'first', ms: 1_000 });
      for (const name of ['a', 'b', 'c', 'd']) ref.tell('grind', { name, ms: 1 });
      await system.settled();
      const ground = await ref.ask('ground');
      expect(ground.slice(-2)).to.deep.equal(['c', 'd']);
      expect(letters()).to.have.length(5 - ground.length);
      expect(new Set(letters())).to.deep.equal(new Set(['dropped-oldest grind']));
    });

    it('references work wherever they arrive, in messages and in replies', async () => {
      const numbers = [1, 2, 3, 4];
      const ones = await Promise.all(numbers.map((n) => system.spawn(miller, { id: `m-${n}` })));
      const others = await Promise.all(numbers.map((n) => system.spawn(greeter, { id: `g-${n}` })));
      for (const other of others) {
        for (const one of ones) expect(await one.ask('greet', { other })).to.equal('hello');
        const introduced = await other.ask('introduce', 'me');
        expect([introduced.other.id, introduced.name]).to.deep.equal([other.id, 'me']);
        expect(await system.ref(greeter, introduced.other.id).ask('hail')).to.equal('hello');
        expect(introduced.other.equals(other)).to.equal(true);
      }
    });

    it('what handlers log reaches the log of the system, with its level and its facts', async () => {
      const lines: [level: string, message: string, fields: Readonly<Record<string, unknown>> | undefined][] = [];
      const write =
        (level: string) =>
        (text: string, fields?: Readonly<Record<string, unknown>>): void => {
          // Lines of actors begin with who says it.
          const message = text.split(' ').at(-1) ?? '';
          if (['aggregate', 'reaction', 'actor'].includes(message)) lines.push([level, message, fields]);
        };
      const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
      const talking = await start({ cast: new URL('./fixtures/mill.js', import.meta.url), log });
      await talking.ref(sack, 's').ask('fill', { kilos: 2 });
      const ref = await talking.spawn(greeter, { id: 'g' });
      await ref.ask('complain', 'too loud');
      await talking.settled();
      await talking.stop();
      expect(lines.map(([level, message]) => `${level} ${message}`)).to.have.members([
        'info aggregate',
        'info aggregate',
        'debug reaction',
        'error actor',
      ]);
      const fieldsOf = (message: string): unknown => lines.find((line) => line[1] === message)?.[2];
      expect(fieldsOf('aggregate')).to.deep.equal({ kilos: 2, list: ['a', { b: null }] });
      expect(fieldsOf('reaction')).to.deep.equal({ kilos: 2, attempt: 1 });
      const { error } = fieldsOf('actor') as { error: RangeError };
      expect([error.name, error.message]).to.deep.equal(['RangeError', 'too loud']);
    });

    it('logging throws at no handler, whatever is logged: it is shown', async () => {
      const lines: string[] = [];
      const write = (text: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        const shown = Object.entries(fields).map(([key, value]) => ` ${key}=${loggedValue(value).split('\n')[0]}`);
        lines.push(text + shown.join(''));
      };
      const log = { debug: write, info: write, warn: write, error: write };
      const talking = await start({ cast: new URL('./fixtures/mill.js', import.meta.url), log });
      expect(await talking.ref(sack, 's').ask('babble')).to.equal(5);
      const ref = await talking.spawn(greeter, { id: 'g' });
      expect(await ref.ask('babble')).to.equal(5);
      await talking.stop();
      expect(lines.filter((line) => line.startsWith('greeter/g: '))).to.have.length(5);
      const ofSack = lines.filter((line) => !line.startsWith('greeter'));
      expect(ofSack.slice(0, 2)).to.deep.equal(['Symbol(word) value=null', 'null value=Symbol(field)']);
      expect(ofSack[2]).to.match(/^mine symbol=Symbol\(s\) whole=1n nested=\{ whole: 2n \}$/);
      expect(ofSack[3]).to.match(/^mine name=a getter that throws RangeError: not to be read whole=1n$/);
      expect(ofSack[4]).to.match(/^\{ name: \[Getter\], whole: 1n \}$/);
    });

    it('a tell that is rejected is a dead letter, and so is one to an actor that has stopped', async () => {
      await system.ref(sack, 's').ask('tie', { tied: true });
      system.ref(sack, 's').tell('fill', { kilos: 2 });
      const ref = await system.spawn(miller, { id: 'm' });
      await ref.stop();
      ref.tell('hail');
      await system.settled();
      expect(letters().sort()).to.deep.equal(['rejected fill', 'stopped hail']);
      const [letter] = system.deadLetters.list().filter(({ reason }) => reason === 'rejected');
      expect(letter).to.deep.include({ target: { name: 'sack', id: 's' }, payload: { kilos: 2 } });
      expect(letter?.error).to.deep.include({ code: 'TROUPE_REJECTED', reason: 'tied' });
      await system.ref(sack, 's').ask('tie', { tied: false });
      await system.deadLetters.retry(letter?.id ?? '');
      await system.settled();
      expect(await system.ref(sack, 's').ask('kilos')).to.equal(2);
      expect(letters()).to.deep.equal(['stopped hail']);
    });

    it('a told command that is refused parks nothing', async () => {
      await system.ref(sack, 'store-s').ask('tie', { tied: true });
      await system.ref(sack, 's').ask('fill', { kilos: 2 });
      await system.settled();
      expect(letters()).to.deep.equal(['rejected fill']);
      expect(system.health().ok).to.equal(true);
    });

    it('a parked event holds later ones of its key, until a retry lets all go on in order', async () => {
      await system.ref(sack, 'store-s').ask('tie', { tied: true });
      for (const kilos of [1, 2, 3]) await system.ref(sack, 's').ask('fill', { kilos });
      await system.ref(sack, 'free').ask('fill', { kilos: 5 });
      await system.settled();
      expect(letters()).to.deep.equal(['parked sack.filled']);
      expect(await system.ref(sack, 'store-free').ask('kilos')).to.equal(5);
      const [letter] = system.deadLetters.list();
      expect(letter).to.deep.include({ target: { name: 'store', id: 'sack/s' }, payload: { kilos: 1 } });
      await system.ref(sack, 'store-s').ask('tie', { tied: false });
      await system.deadLetters.retry(letter?.id ?? '');
      await system.settled();
      expect(await stored()).to.equal(6);
      const kilos: unknown[] = [];
      for await (const event of system.read(sack, 'store-s')) {
        if (event.type === 'sack.filled') kilos.push((event.data as { kilos: number }).kilos);
      }
      expect(kilos).to.deep.equal([1, 2, 3]);
      expect(letters()).to.deep.equal([]);
      expect(system.health().ok).to.equal(true);
    });

    it('a parked event that is discarded lets later ones of its key go on', async () => {
      await system.ref(sack, 'store-s').ask('tie', { tied: true });
      await system.ref(sack, 's').ask('fill', { kilos: 1 });
      await system.ref(sack, 's').ask('fill', { kilos: 4 });
      await system.settled();
      await system.ref(sack, 'store-s').ask('tie', { tied: false });
      const [letter] = system.deadLetters.list();
      await system.deadLetters.discard(letter?.id ?? '');
      await system.settled();
      expect(await stored()).to.equal(4);
      expect(letters()).to.deep.equal([]);
    });
  },
  (_workers, journal) => journal === 'memory',
);
