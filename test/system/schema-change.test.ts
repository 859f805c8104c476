/**
 * Events outlive the code that wrote them: however old, they are one shape for whoever reads them, by any Standard Schema;
 * where they can't be, each of them is told which event, at which position, and what is missing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, type AnyDefinition, aggregate, isTroupeError, projection, reaction } from 'troupe';
import { z } from 'zod';

type Data = Readonly<Record<string, unknown>>;

/** Each release appends a field to what it finds; the newest has all of them. */
const NEWEST = 4;
const upcast: Record<number, (data: Data) => Data> = {};
for (let from = 1; from < NEWEST; from += 1)
  upcast[from] = (data) => ({ ...data, path: `${typeof data['path'] === 'string' ? data['path'] : ''}>${from + 1}` });

const shape = (version: number) =>
  version === 1 ? z.object({ n: z.number() }) : z.object({ n: z.number(), path: z.string() });

/** The same by hand. */
const byHand = {
  '~standard': {
    version: 1 as const,
    vendor: 'by hand',
    validate: (value: unknown) => {
      const { n, path } = Object(value) as Data;
      if (typeof n === 'number' && typeof path === 'string') return { value: { n, path } };
      return { issues: [{ message: 'n or path is missing', path: ['n'] }] };
    },
  },
};

interface Release {
  readonly version: number;
  readonly schema?: unknown;
  readonly upcast?: Record<number, (data: Data) => Data>;
  readonly more?: Readonly<Record<string, unknown>>;
}

function thing({ version, schema, upcast: steps = {}, more = {} }: Release): ReturnType<typeof plain> {
  const { events, ...rest } = options;
  return aggregate({
    ...rest,
    ...more,
    events: {
      ...events,
      made: { ...events.made, version, upcast: steps, ...(schema === undefined ? {} : { schema }) },
    },
  } as never);
}
const options = {
  name: 'thing',
  initialState: () => ({ seen: [] as unknown[] }),
  events: {
    made: { apply: (state: { readonly seen: unknown[] }, data: unknown) => ({ seen: [...state.seen, data] }) },
  },
};
const plain = () => aggregate(options);

const codeAndText = async (promise: Promise<unknown>): Promise<[string, string]> =>
  promise.then(
    () => ['no error', ''],
    (error: unknown) => (isTroupeError(error) ? [error.code, error.message] : ['strange', String(error)]),
  );

/** The release of a version, with all upcasters up to it. */
function release(version: number): ReturnType<typeof plain> {
  const steps = Object.fromEntries(Object.entries(upcast).filter(([from]) => Number(from) < version));
  return thing({ version, schema: shape(version), upcast: steps });
}

describe('events of older releases', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-schema-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let journals = 0;

  const start = (journal: string, ...cast: AnyDefinition[]): Promise<ActorSystem> => {
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    return ActorSystem.start({ cast, workers: 0, journal, log });
  };

  /** A journal in which each release up to the newest has written one event. */
  async function writtenByAll(): Promise<string> {
    journals += 1;
    const path = join(folder, `${journals}.db`);
    for (let version = 1; version <= NEWEST; version += 1) {
      const system = await start(path, release(version));
      const data = version === 1 ? { n: version } : { n: version, path: `${version}` };
      await system.append(release(version), 'a', [{ type: 'made', data }]);
      await system.stop();
    }
    return path;
  }
  const SHOWN = [
    { n: 1, path: '>2>3>4' },
    { n: 2, path: '2>3>4' },
    { n: 3, path: '3>4' },
    { n: 4, path: '4' },
  ];

  for (const [vendor, schema] of [
    ['zod', shape(NEWEST)],
    ['one by hand', byHand],
  ] as const) {
    it(`have one shape for states, past states, readers, reactions and read models, with the schema of ${vendor}`, async () => {
      const today = thing({ version: NEWEST, schema, upcast });
      const reacted: unknown[] = [];
      const listen = reaction({ name: 'listen', on: { made: (event) => void reacted.push(event.data) } });
      const paths = projection({
        name: 'paths',
        columns: { n: 'integer primary key', path: 'text' },
        key: (event) => (event.data as { n: number }).n,
        on: { made: (_row, event) => ({ path: (event.data as { path: string }).path }) },
      });
      const system = await start(await writtenByAll(), today, listen, paths);
      await system.settled();
      expect((await system.state(today, 'a')).seen).to.deep.equal(SHOWN);
      expect((await system.state(today, 'a', { atVersion: 2 })).seen).to.deep.equal(SHOWN.slice(0, 2));
      const read: unknown[] = [];
      for await (const event of system.readAll()) read.push([event.schemaVersion, event.data]);
      expect(read).to.deep.equal(SHOWN.map((data) => [NEWEST, data]));
      expect(reacted).to.deep.equal(SHOWN);
      expect(await system.view(paths).find({ orderBy: { n: 'asc' } })).to.deep.equal(SHOWN);
      await system.stop();
    });
  }

  it('are named by aggregate, type, versions and position when a step is missing, wherever they are met', async () => {
    const today = thing({ version: NEWEST, upcast: { 1: (data) => data, 3: (data) => data } });
    const listen = reaction({ name: 'listen', on: { made: nothing }, retry: { attempts: 1 } });
    const counts = projection({
      name: 'counts',
      columns: { n: 'integer primary key' },
      key: (event) => (event.data as { n: number }).n,
      on: { made: () => ({}) },
    });
    const system = await start(await writtenByAll(), today, listen, counts);
    const expected = /thing\/a, version 1, position 1: event made has schema version 1, the code has 4.*from 2 to 3/;
    for (const promise of [
      system.state(today, 'a'),
      system.state(today, 'a', { atVersion: 1 }),
      (async () => {
        for await (const event of system.readAll()) void event;
      })(),
    ]) {
      const [code, text] = await codeAndText(promise);
      expect(code).to.equal('TROUPE_UPCAST_MISSING');
      expect(text).to.match(expected);
    }
    await system.settled();
    const problems = system.health().problems;
    expect(problems.map(({ kind, position }) => [kind, position])).to.have.deep.members([
      ['key-parked', 1],
      ['projection-stopped', 1],
    ]);
    for (const { error } of problems) expect(error).to.match(expected);
    await system.stop();
  });

  it('are refused when what upcasters make of them does not pass the schema', async () => {
    const today = thing({ version: NEWEST, schema: byHand, upcast: { ...upcast, 3: ({ n }) => ({ n }) } });
    const system = await start(await writtenByAll(), today);
    const [code, text] = await codeAndText(system.state(today, 'a'));
    expect(code).to.equal('TROUPE_INVALID_EVENT');
    expect(text).to.match(/position 1: event made does not pass its schema: n: n or path is missing/);
    await system.stop();
  });

  it('of a newer release are refused, and say which code to run', async () => {
    const yesterday = release(3);
    const system = await start(await writtenByAll(), yesterday);
    const [code, text] = await codeAndText(system.state(yesterday, 'a'));
    expect(code).to.equal('TROUPE_INVALID_EVENT');
    expect(text).to.match(/position 4: event made has schema version 4, the code knows 3; run the newer code/);
    await system.stop();
  });

  it('of unknown types fail with their position, or are skipped and counted, as the aggregate says', async () => {
    const path = await writtenByAll();
    const withoutMade = (unknownEvents: 'fail' | 'skip') =>
      aggregate({
        name: 'thing',
        initialState: () => ({ others: 0 }),
        events: { other: { apply: (state) => ({ others: state.others + 1 }) } },
        unknownEvents,
      });
    const failing = await start(path, withoutMade('fail'));
    const [code, text] = await codeAndText(failing.state(withoutMade('fail'), 'a'));
    expect(code).to.equal('TROUPE_INVALID_EVENT');
    expect(text).to.match(/thing\/a, version 1, position 1: event made is not defined/);
    await failing.stop();
    const skipping = await start(path, withoutMade('skip'));
    await skipping.append(withoutMade('skip'), 'a', [{ type: 'other', data: null }], { expectedVersion: NEWEST });
    expect(await skipping.state(withoutMade('skip'), 'a')).to.deep.equal({ others: 1 });
    expect(skipping.metrics().eventsSkipped).to.equal(NEWEST);
    await skipping.stop();
  });

  it('are never checked by a schema that takes its time: it is refused, and says what to do', async () => {
    const slow = {
      '~standard': { version: 1 as const, vendor: 'slow', validate: async (value: unknown) => ({ value }) },
    };
    const today = thing({ version: 1, schema: slow });
    const system = await start(':memory:', today);
    const [code, text] = await codeAndText(system.append(today, 'a', [{ type: 'made', data: { n: 1 } }]));
    expect(text).to.match(/schema.*is asynchronous; give one that validates at once/);
    expect(code).to.equal('TROUPE_INVALID_OPTIONS');
    await system.stop();
  });

  it('do not outlive their snapshots: one of another version of the state is not used', async () => {
    const path = await writtenByAll();
    const before = thing({ version: NEWEST, schema: byHand, upcast, more: { snapshot: { every: 1, version: 1 } } });
    const first = await start(path, before);
    await first.append(before, 'a', [{ type: 'made', data: { n: 5, path: '5' } }]);
    await first.stop();
    const counting = aggregate({
      name: 'thing',
      initialState: () => ({ count: 0 }),
      events: { made: { version: NEWEST, schema: byHand, upcast, apply: (state) => ({ count: state.count + 1 }) } },
      snapshot: { every: 1, version: 2 },
    });
    const second = await start(path, counting);
    expect(await second.state(counting, 'a')).to.deep.equal({ count: NEWEST + 1 });
    await second.stop();
  });
});

function nothing(): void {
  // Nobody reads it.
}
