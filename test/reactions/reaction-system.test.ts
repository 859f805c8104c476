import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActorSystem, aggregate, type DeadLetter, reaction } from '../../src/index.js';

const source = aggregate({
  name: 'source',
  initialState: () => ({}),
  events: { made: { apply: (state) => state } },
  commands: {
    make: {
      handle(_state, input: { readonly count: number }, ctx) {
        for (let i = 0; i < input.count; i += 1) ctx.emit('made', { n: i });
      },
    },
  },
});

const sink = aggregate({
  name: 'sink',
  initialState: () => ({ got: [] as string[] }),
  events: { got: { apply: (state, data: { readonly name: string }) => ({ got: [...state.got, data.name] }) } },
  commands: {
    get: {
      handle(_state, input: { readonly name: string }, ctx) {
        if (input.name === 'refused-1') ctx.reject('unwanted');
        ctx.emit('got', input);
      },
    },
  },
  queries: { all: (state) => state.got },
});

/** What the outside says: outlives the systems of one test. */
const poisoned = new Set<string>();
let calls = 0;

const forward = reaction({
  name: 'forward',
  of: [source],
  retry: { attempts: 2, backoff: { min: 1, max: 1 } },
  on: {
    made: (event, ctx) => {
      calls += 1;
      const name = `${event.aggregateId}-${event.version}`;
      if (poisoned.has(name)) throw new Error('poisoned');
      ctx.tell(sink, event.aggregateId, 'get', { name });
    },
  },
});

/** Its instances all lead to one sink. */
const toOne = aggregate({
  name: 'to-one',
  initialState: () => ({}),
  events: { called: { apply: (state, _data: { readonly n: number }) => state } },
  commands: {},
});

const gather = reaction({
  name: 'gather',
  of: [toOne],
  on: { called: (event, ctx) => ctx.tell(sink, 'one', 'get', { name: event.aggregateId }) },
});

describe('reactions in a system, on disk', () => {
  let folder = '';
  const start = (): Promise<ActorSystem> => {
    const quiet = () => undefined;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    return ActorSystem.start({
      cast: [source, sink, forward, toOne, gather],
      workers: 0,
      journal: join(folder, 'j.db'),
      log,
    });
  };
  const names = (id: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${id}-${i + 1}`);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-reactions-'));
    poisoned.clear();
    calls = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('hold a key across a restart, and go on in order after a retry, with nothing missing or doubled', async () => {
    poisoned.add('a-3');
    let system = await start();
    const letters: DeadLetter[] = [];
    system.deadLetters.subscribe((letter) => void letters.push(letter));
    for (let i = 0; i < 40; i += 1) {
      await system.ref(source, 'a').ask('make', { count: 25 });
      await system.ref(source, `b${i}`).ask('make', { count: 2 });
    }
    await system.settled();
    expect(letters.map(({ reason, target, type, position }) => [reason, target, type, position])).to.deep.equal([
      ['parked', { name: 'forward', id: 'source/a' }, 'made', 3],
    ]);
    expect(await system.ref(sink, 'a').ask('all')).to.deep.equal(names('a', 2));
    expect(await system.ref(sink, 'b39').ask('all')).to.deep.equal(names('b39', 2));
    expect(system.health().problems).to.have.length(1);
    await system.stop();

    system = await start();
    await system.ref(source, 'a').ask('make', { count: 300 });
    await system.settled();
    expect(await system.ref(sink, 'a').ask('all')).to.deep.equal(names('a', 2));
    poisoned.clear();
    for (const { id } of system.deadLetters.list()) await system.deadLetters.retry(id);
    await system.ref(source, 'a').ask('make', { count: 10 });
    await system.settled();
    expect(await system.ref(sink, 'a').ask('all')).to.deep.equal(names('a', 1_310));
    expect(system.health().ok).to.equal(true);
    await system.stop();

    calls = 0;
    system = await start();
    await system.settled();
    expect(calls, 'nothing is delivered again after a clean stop').to.equal(0);
    expect(system.deadLetters.list()).to.deep.equal([]);
    await system.stop();
  });

  it('lose nothing when events of two aggregates were appended with the same id', async () => {
    const system = await start();
    for (const id of ['a', 'b']) {
      await system.append(source, id, [{ type: 'made', id: 'one', data: { n: 1 } }], { expectedVersion: 'none' });
    }
    await system.settled();
    for (const id of ['a', 'b']) expect(await system.ref(sink, id).ask('all')).to.deep.equal([`${id}-1`]);
    for (const id of ['a', 'b']) {
      await system.append(toOne, id, [{ type: 'called', id: 'one', data: { n: 1 } }], { expectedVersion: 'none' });
    }
    await system.settled();
    expect(await system.ref(sink, 'one').ask('all')).to.have.members(['a', 'b']);
    const causes: (string | null)[] = [];
    for await (const event of system.read(sink, 'one')) causes.push(event.causationId);
    expect(causes).to.deep.equal(['one', 'one']);
    await system.stop();
  });

  it('keep the dead letter of a rejected command, and send it again under a fresh id', async () => {
    let system = await start();
    await system.ref(source, 'refused').ask('make', { count: 2 });
    await system.settled();
    await system.stop();
    system = await start();
    await system.settled();
    const [letter] = system.deadLetters.list();
    expect(letter).to.deep.include({ reason: 'rejected', target: { name: 'sink', id: 'refused' }, type: 'get' });
    expect(letter?.error).to.deep.include({ code: 'TROUPE_REJECTED', reason: 'unwanted' });
    await system.deadLetters.retry(letter?.id ?? '');
    expect(system.deadLetters.list()).to.have.length(1);
    await system.deadLetters.discard(letter?.id ?? '');
    expect(system.deadLetters.list()).to.deep.equal([]);
    expect(await system.ref(sink, 'refused').ask('all')).to.deep.equal(['refused-2']);
    await system.stop();
  });
});
