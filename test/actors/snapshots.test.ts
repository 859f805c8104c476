/** Snapshots on disk: when they are taken, how many stay, and that states never depend on them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { ActorSystem, aggregate, type LogFields } from 'troupe';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';

interface Policy {
  readonly every?: number;
  readonly bytes?: number;
  readonly when?: (
    state: { readonly sum: number; readonly count: number },
    facts: { readonly version: number; readonly events: number },
  ) => boolean;
  readonly keep?: number;
  readonly version?: number;
}

const counter = (snapshot: Policy | undefined) =>
  aggregate({
    name: 'counter',
    initialState: () => ({ sum: 0, count: 0 }),
    events: {
      added: {
        apply: (state, data: { n: number; pad: string }) => ({ sum: state.sum + data.n, count: state.count + 1 }),
      },
    },
    commands: {
      add: {
        handle: (state, input: { n: number; pad: string }, ctx) => (ctx.emit('added', input), state.sum + input.n),
      },
      refuse: { handle: (_state, _input: null, ctx) => ctx.reject('no', 'no') },
    },
    queries: { sum: (state) => state.sum },
    ...(snapshot === undefined ? {} : { snapshot }),
  });

describe('snapshots', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-snapshots-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  const newPath = (): string => join(folder, `${(files += 1)}.db`);
  let warnings: string[] = [];
  beforeEach(() => (warnings = []));

  const start = async (journal: string, policy: Policy | undefined) => {
    const definition = counter(policy);
    const note = (text: string, _fields?: LogFields): void => void warnings.push(text);
    const log = { debug: nothing, info: nothing, warn: note, error: note };
    const system = await ActorSystem.start({ cast: [definition], workers: 0, journal, log });
    return { system, ref: (id: string) => system.ref(definition, id), definition };
  };
  const add = { n: 1, pad: '' };

  /** Adds one, so many times, one after the other; the versions of the snapshots that are left. */
  const versionsAfter = async (path: string, policy: Policy | undefined, times: number): Promise<number[]> => {
    const { system, ref } = await start(path, policy);
    for (let i = 0; i < times; i += 1) await ref('a').ask('add', add);
    if (times === 0) await ref('a').ask('sum');
    await system.stop();
    return versions(path);
  };

  it('are taken after so many events, and the newest `keep` of them stay', async () => {
    expect(await versionsAfter(newPath(), { every: 3 }, 10)).to.deep.equal([6, 9]);
    expect(await versionsAfter(newPath(), { every: 3, keep: 1 }, 10)).to.deep.equal([9]);
    expect(await versionsAfter(newPath(), { every: 2, keep: 10 }, 7)).to.deep.equal([2, 4, 6]);
    expect(await versionsAfter(newPath(), undefined, 7)).to.deep.equal([]);
  });

  it('are taken after so many bytes of events, those replayed at a start included', async () => {
    const path = newPath();
    const { system, ref } = await start(path, { bytes: 5_000, keep: 10 });
    for (const size of [10, 6_000, 10, 2_000, 2_000, 2_000])
      await ref('a').ask('add', { n: 1, pad: 'é'.repeat(size / 2) });
    await system.stop();
    expect(await versions(path)).to.deep.equal([2, 6]);
    const small = newPath();
    for (let i = 0; i < 3; i += 1) {
      const { system, ref } = await start(small, { bytes: 5_000 });
      await ref('a').ask('add', { n: 1, pad: 'x'.repeat(2_000) });
      await system.stop();
    }
    expect(await versions(small)).to.deep.equal([3]);
  });

  it('are taken when a predicate of the state says so, told how long ago the last one was', async () => {
    const facts: unknown[] = [];
    const when: Policy['when'] = (state, { version, events }) => {
      facts.push([state.sum, version, events]);
      return state.sum % 4 === 0;
    };
    expect(await versionsAfter(newPath(), { when, keep: 5 }, 9)).to.deep.equal([4, 8]);
    expect(facts.slice(3, 6)).to.deep.equal([
      [4, 4, 4],
      [5, 5, 1],
      [6, 6, 2],
    ]);
    expect(await versionsAfter(newPath(), { when, every: 3, keep: 5 }, 9)).to.deep.equal([3, 4, 7, 8]);
  });

  it('cost nothing but themselves when the predicate throws, or promises', async () => {
    const throws = (): boolean => {
      throw new Error('no idea');
    };
    expect(await versionsAfter(newPath(), { when: throws }, 3)).to.deep.equal([]);
    expect(warnings.join()).to.include('counter/a: no snapshot, because snapshot.when threw');
    expect(await versionsAfter(newPath(), { when: (async () => true) as never }, 3)).to.deep.equal([]);
    expect(warnings.join()).to.include('returned a promise');
  });

  it('are taken at once after a long recovery, also when nothing but a query comes', async () => {
    const path = newPath();
    await versionsAfter(path, undefined, 20);
    expect(await versionsAfter(path, { every: 50 }, 0)).to.deep.equal([]);
    expect(await versionsAfter(path, { every: 10 }, 0)).to.deep.equal([20]);
    // A new shape of the state: the old snapshot is of no use, and the next recovery shall be short again.
    expect(await versionsAfter(path, { every: 10, version: 2 }, 0)).to.deep.equal([20]);
    expect(await rows(path, 'SELECT schema_version AS v FROM snapshot')).to.deep.equal([{ v: 2 }]);
    expect(await versionsAfter(path, { every: 10, version: 2 }, 10)).to.deep.equal([20, 30]);
  });

  it('of a newer shape of the state are passed over with one warning, after a step back to older code', async () => {
    const path = newPath();
    const { system, ref } = await start(path, { every: 2, version: 3 });
    for (const id of ['a', 'b']) for (let i = 0; i < 4; i += 1) await ref(id).ask('add', add);
    await system.stop();
    const older = await start(path, { every: 100, version: 2 });
    expect(await older.ref('a').ask('sum')).to.equal(4);
    expect(await older.ref('b').ask('sum')).to.equal(4);
    await older.system.stop();
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('snapshots of version 3 of the state are passed over, this code has version 2');
  });

  const TAMPER: readonly (readonly [what: string, sql: string, warning: string | undefined])[] = [
    ['damaged', `UPDATE snapshot SET state = replace(state, '"sum":8', '"sum":9')`, 'checksum'],
    [
      'of another aggregate',
      'UPDATE snapshot SET stream = stream + 10; UPDATE snapshot SET stream = 13 - stream',
      'checksum',
    ],
    ['one version behind', 'UPDATE snapshot SET version = version - 1', 'checksum'],
    ['one version ahead', 'UPDATE snapshot SET version = version + 1', 'the journal has only'],
    ['no JSON', `UPDATE snapshot SET state = '{'`, 'checksum'],
    ['gone', 'DELETE FROM snapshot', undefined],
  ];
  for (const [what, sql, warning] of TAMPER) {
    it(`that are ${what} change no state, and all is told`, async () => {
      const path = newPath();
      const { system, ref } = await start(path, { every: 4, keep: 1 });
      for (let i = 0; i < 8; i += 1) await ref('a').ask('add', add);
      for (let i = 0; i < 8; i += 1) await ref('b').ask('add', { n: 100, pad: '' });
      await system.stop();
      const connection = await SqliteConnection.open(path, { mode: 'write' });
      await connection.exec(sql);
      await connection.close();
      const again = await start(path, { every: 4, keep: 1 });
      expect(await again.ref('a').ask('sum')).to.equal(8);
      expect(await again.ref('b').ask('add', { n: 100, pad: '' })).to.equal(900);
      expect(await again.system.state(again.definition, 'b')).to.deep.equal({ sum: 900, count: 9 });
      await again.system.stop();
      if (warning === undefined) expect(warnings).to.deep.equal([]);
      else expect(warnings.join()).to.include('counter/a').and.to.include(warning);
    });
  }

  it('hold what a fresh fold holds at their version, whatever the policy, the crowd and the restarts', async () => {
    await assert(
      asyncProperty(
        record({ every: integer({ min: 1, max: 6 }), keep: integer({ min: 1, max: 4 }) }),
        array(array(constantFrom('a', 'b', 'refuse'), { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        async (policy, runs) => {
          const path = newPath();
          for (const run of runs) {
            const { system, ref } = await start(path, policy);
            await Promise.all(
              run.map((id) =>
                id === 'refuse' ? ref('a').ask('refuse', null).catch(nothing) : ref(id).ask('add', add),
              ),
            );
            await system.stop();
          }
          for (const { version, state } of await rows<{ version: number; state: string }>(
            path,
            'SELECT * FROM snapshot_log',
          )) {
            expect(JSON.parse(state)).to.deep.equal({ sum: version, count: version });
          }
        },
      ),
      { numRuns: 12 },
    );
  });

  it('that can not be written after a recovery void the instance, not its state', async () => {
    const path = newPath();
    await versionsAfter(path, undefined, 10);
    const connection = await SqliteConnection.open(path, { mode: 'write' });
    await connection.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON snapshot BEGIN SELECT raise(ABORT, 'no snapshots today'); END",
    );
    const { system, ref } = await start(path, { every: 5 });
    expect(await ref('a').ask('sum')).to.equal(10);
    await connection.exec('DROP TRIGGER refuse');
    await connection.close();
    expect(await ref('a').ask('add', add)).to.equal(11);
    await system.stop();
    expect(await versions(path)).to.deep.equal([10]);
  });

  async function versions(path: string): Promise<number[]> {
    const found = await rows<{ version: number }>(path, 'SELECT version FROM snapshot_log ORDER BY version');
    return found.map(({ version }) => version);
  }
});

async function rows<Row>(path: string, sql: string): Promise<Row[]> {
  const connection = await SqliteConnection.open(path, { mode: 'read' });
  try {
    return await connection.all<Row>(sql);
  } finally {
    await connection.close();
  }
}

function nothing(): void {
  // Nobody has to know.
}
