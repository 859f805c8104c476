/**
 * Laws of reactions on the public API, the same for each number of workers: nothing missing, nothing doubled, whatever
 * the handler does with its promises, however full mailboxes are; and going back.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, isTroupeError, reaction } from 'troupe';
import { extended, type Made, newerSource, relay, renamed, sink, source, strict } from './fixtures/relay.js';

const CAST = new URL('./fixtures/relay-cast.js', import.meta.url);
const RENAMED = new URL('./fixtures/relay-renamed.js', import.meta.url);
const NEWER = new URL('./fixtures/relay-newer.js', import.meta.url);
const STRICT = new URL('./fixtures/relay-strict.js', import.meta.url);
const EXTENDED = new URL('./fixtures/relay-extended.js', import.meta.url);

for (const workers of [0, 2]) {
  describe(`reactions, workers: ${workers}`, function () {
    this.timeout(60_000);
    let folder = '';
    let system: ActorSystem;
    const start = async (cast = CAST): Promise<void> => {
      const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
      system = await ActorSystem.start({ cast, workers, journal: join(folder, 'relay.db'), log });
    };
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'troupe-relay-'));
      await start();
    });
    afterEach(async () => {
      await system.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const make = async (id: string, ...made: readonly Made[]): Promise<void> => {
      for (const one of made) await system.ref(source, id).ask('make', one);
    };
    const taken = async (id: string): Promise<readonly string[]> => (await system.state(sink, id)).taken;
    const codeOf = async (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'fulfilled',
        (error: unknown) => (isTroupeError(error) ? error.code : String(error)),
      );

    it('bring every event to every sink once, in order by key, through mailboxes of two that drop', async () => {
      const to = ['x', 'y', 'z'];
      await Promise.all(
        ['a', 'b', 'c', 'd'].map((id) => make(id, ...Array.from({ length: 15 }, (_, n) => ({ n, to })))),
      );
      await system.settled();
      for (const id of to) {
        const got = await taken(id);
        expect(got).to.have.length(60);
        for (const from of ['a', 'b', 'c', 'd']) {
          expect(got.filter((what) => what.startsWith(from))).to.deep.equal(
            Array.from({ length: 15 }, (_, n) => `${from}:${n}`),
          );
        }
      }
      expect(system.deadLetters.list()).to.deep.equal([]);
    });

    it('finish an event whose told command is rejected: one dead letter, and the key goes on', async () => {
      await make('a', { n: 1, to: ['x', 'refusing'] }, { n: 2, to: ['x'] });
      await system.settled();
      expect(await taken('x')).to.deep.equal(['a:1', 'a:2']);
      expect(system.deadLetters.list().map(({ reason, target }) => [reason, target.id])).to.deep.equal([
        ['rejected', 'refusing'],
      ]);
      expect(system.health().problems).to.deep.equal([]);
    });

    it('hold only the poisoned key; replayed from before it, it is delivered again, and nothing is doubled', async () => {
      const flag = join(folder, 'flag');
      writeFileSync(flag, '');
      await make('a', { n: 1, to: ['x'] }, { n: 2, to: ['x'], failsWhile: flag }, { n: 3, to: ['x'] });
      await make('b', { n: 1, to: ['y'] });
      await system.settled();
      expect([await taken('x'), await taken('y')]).to.deep.equal([['a:1'], ['b:1']]);
      expect(system.health().problems).to.have.length(1);
      rmSync(flag);
      await system.reaction(relay).replay({ from: 1 });
      await system.settled();
      expect([await taken('x'), await taken('y')]).to.deep.equal([['a:1', 'a:2', 'a:3'], ['b:1']]);
      expect(system.deadLetters.list()).to.deep.equal([]);
      expect(system.health()).to.deep.include({ ok: true, behind: [] });
    });

    it('leave a key parked in front of the position of a replay where it is', async () => {
      const flag = join(folder, 'flag');
      writeFileSync(flag, '');
      await make('a', { n: 1, to: ['x'], failsWhile: flag }, { n: 2, to: ['x'] });
      await system.settled();
      await make('b', { n: 1, to: ['y'] });
      await system.settled();
      const { position } = system.metrics();
      await system.reaction(relay).replay({ from: position });
      await system.settled();
      expect(await taken('x')).to.deep.equal([]);
      const [letter] = system.deadLetters.list();
      rmSync(flag);
      await system.deadLetters.retry(letter?.id ?? '');
      await system.settled();
      expect([await taken('x'), await taken('y')]).to.deep.equal([['a:1', 'a:2'], ['b:1']]);
    });

    it('do what is missing when a changed reaction is replayed, and nothing again; across a restart too', async () => {
      await make('a', { n: 1, to: ['x', 'y'] }, { n: 2, to: ['x'] });
      await system.settled();
      await system.stop();
      await start(EXTENDED);
      await system.settled();
      expect(await taken('archive')).to.deep.equal([]);
      await system.reaction(extended).replay({ from: 'beginning' });
      await make('b', { n: 1, to: ['x'] });
      await system.settled();
      expect(await taken('archive')).to.have.members(['a:1', 'a:2', 'b:1']);
      expect([await taken('x'), await taken('y')]).to.deep.equal([['a:1', 'a:2', 'b:1'], ['a:1']]);
      await system.stop();
      await start(EXTENDED);
      await system.settled();
      expect(await taken('archive')).to.have.length(3);
    });

    it('go on under another name, with what was parked and without doing anything twice', async () => {
      const flag = join(folder, 'flag');
      writeFileSync(flag, '');
      await make('a', { n: 1, to: ['x'] }, { n: 2, to: ['x'], failsWhile: flag }, { n: 3, to: ['x'] });
      await system.settled();
      await system.stop();
      await start(RENAMED);
      await make('b', { n: 1, to: ['x'] });
      await system.settled();
      expect(await taken('x')).to.deep.equal(['a:1', 'b:1']);
      expect(system.health().problems).to.have.nested.property('[0].name', 'forwarder');
      await system.deadLetters.retry(system.deadLetters.list()[0]?.id ?? '');
      await system.settled();
      expect(await taken('x')).to.deep.equal(['a:1', 'b:1', 'a:2', 'a:3']);
      await system.reaction(renamed).replay({ from: 'beginning' });
      await system.settled();
      expect(await taken('x')).to.have.length(4);
    });

    it('pass over types that their sources do not know, or park them when they are to fail, with the position', async () => {
      await system.stop();
      await start(NEWER);
      await system.ref(newerSource, 'a').ask('split', null);
      await system.stop();
      await start(CAST);
      await system.settled();
      expect([system.health().problems, system.reaction(relay).status().lag]).to.deep.equal([[], 0]);
      await system.stop();
      await start(STRICT);
      await system.reaction(strict).replay({ from: 1 });
      await make('b', { n: 1, to: ['x'] });
      await system.settled();
      expect(await taken('x')).to.deep.equal(['b:1']);
      const [problem] = system.health().problems;
      expect(problem).to.include({ kind: 'key-parked', name: 'relay', key: 'source/a', position: 1 });
      expect(problem?.error).to.match(/source\/a, version 1, position 1: event split is not defined/);
      await system.deadLetters.discard(system.deadLetters.list()[0]?.id ?? '');
      expect(system.health().problems).to.deep.equal([]);
    });

    it('are replayed in the middle of the flow, again and again, and miss and double nothing', async () => {
      const flow = make('a', ...Array.from({ length: 40 }, (_, n) => ({ n, to: ['x'] })));
      for (let round = 0; round < 4; round += 1) {
        const { position } = system.reaction(relay).status();
        await system.reaction(relay).replay({ from: Math.max(1, position - 5) });
      }
      await flow;
      await system.settled();
      expect(await taken('x')).to.deep.equal(Array.from({ length: 40 }, (_, n) => `a:${n}`));
      expect(system.reaction(relay).status()).to.include({ lag: 0, inFlight: 0, parkedKeys: 0 });
    });

    it('refuse to skip events, and positions that are none', async () => {
      await make('a', { n: 1, to: [] });
      await system.settled();
      for (const from of [3, 0, 1.5, 'start', undefined]) {
        expect(await codeOf(system.reaction(relay).replay({ from } as never)), String(from)).to.equal(
          'TROUPE_INVALID_OPTIONS',
        );
      }
      expect(await codeOf(system.reaction(relay).replay({ from: 2 }))).to.equal('fulfilled');
    });
  });
}

it('unknownEvents needs to know whose events are meant', () => {
  expect(() => reaction({ name: 'r', on: { made: nothing }, unknownEvents: 'fail' })).to.throw('give "of", too');
});

it('two reactions of one durable name are refused', async () => {
  for (const cast of [
    [source, sink, relay, renamed],
    [source, sink, renamed, reaction({ name: 'other', formerly: 'relay', on: { made: nothing } })],
  ]) {
    const error: unknown = await ActorSystem.start({ cast, workers: 0, journal: ':memory:' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.property('code', 'TROUPE_INVALID_OPTIONS');
  }
});

function nothing(): void {
  // Nobody reads it.
}
