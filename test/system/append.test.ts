/** `append` is idempotent by the ids of events: across passivation, snapshots, restarts and crashes; nothing is there twice. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { array, assert, asyncProperty, integer, nat, tuple } from 'fast-check';
import {
  ActorSystem,
  type AnyDefinition,
  aggregate,
  type EventToAppend,
  isTroupeError,
  type TroupeError,
} from 'troupe';
import { z } from 'zod';
import { eventually } from '../projections/read-models.js';
import { account } from './fixtures/bank.js';
import { forEachSetting } from './fixtures/settings.js';

type Deposit = EventToAppend<'account.deposited', { readonly amount: number }>;

function deposit(id: string, amount = 1): Deposit {
  return { type: 'account.deposited', data: { amount }, id };
}

async function refused(promise: Promise<unknown>): Promise<TroupeError> {
  try {
    await promise;
  } catch (error) {
    if (isTroupeError(error)) return error;
    throw error;
  }
  return expect.fail('expected a refusal');
}

async function idsOf(system: ActorSystem, id = 'a'): Promise<string[]> {
  const ids: string[] = [];
  for await (const event of system.read(account, id)) ids.push(event.id);
  return ids;
}

forEachSetting(
  'append by event id',
  (start) => {
    let system: ActorSystem;
    beforeEach(async () => {
      system = await start();
    });
    afterEach(() => system.stop());

    it('gives a repeat the first outcome and changes nothing, whatever version it expects', async () => {
      const first = await system.append(account, 'a', [deposit('1'), deposit('2')], { expectedVersion: 'none' });
      await system.ref(account, 'a').ask('deposit', { amount: 7 });
      const again = await system.append(account, 'a', [deposit('1'), deposit('2')], { expectedVersion: 'none' });
      expect(again).to.deep.equal(first);
      expect(await idsOf(system)).to.deep.equal(['1', '2', 'account/a@3']);
      expect(await system.ref(account, 'a').ask('balance')).to.equal(9);
    });

    it('recognises known events in other company and other order, and gives the place of the last', async () => {
      const { position } = await system.append(account, 'a', [deposit('1'), deposit('2'), deposit('3')]);
      expect(await system.append(account, 'a', [deposit('2')])).to.deep.equal({ version: 2, position: position - 1 });
      expect(await system.append(account, 'a', [deposit('3'), deposit('1')])).to.deep.equal({
        version: 1,
        position: position - 2,
      });
      expect(await idsOf(system)).to.deep.equal(['1', '2', '3']);
    });

    it('refuses what is known in part, and says what is known and what is not', async () => {
      await system.append(account, 'a', [deposit('1')]);
      const error = await refused(system.append(account, 'a', [deposit('1'), deposit('2')]));
      expect(error.code).to.equal('TROUPE_COMMAND_ID_REUSED');
      expect(error.details).to.deep.include({ known: ['1'], unknown: ['2'] });
      const nameless = await refused(
        system.append(account, 'a', [deposit('1'), { ...deposit('2'), id: undefined } as never]),
      );
      expect(nameless.message).to.contain('without an id');
      expect(await idsOf(system)).to.deep.equal(['1']);
    });

    it('refuses a known id with other data or another type, and names the place of the first', async () => {
      await system.append(account, 'a', [deposit('1', 5)]);
      for (const other of [deposit('1', 6), { ...deposit('1', 5), type: 'account.withdrawn' }]) {
        const error = await refused(system.append(account, 'a', [other]));
        expect(error.code).to.equal('TROUPE_COMMAND_ID_REUSED');
        expect(error.message).to.contain('version 1, position 1');
      }
      expect(await idsOf(system)).to.deep.equal(['1']);
    });

    it('joins a repeat while the first is under way, many at once', async () => {
      const all = await Promise.all(
        Array.from({ length: 200 }, (_, n) => system.append(account, 'a', [deposit(`${n % 20}`)])),
      );
      expect(new Set(all.map(({ version }) => version))).to.have.length(20);
      expect(all.every(({ version }, n) => version === all[n % 20]?.version)).to.equal(true);
      expect((await idsOf(system)).sort()).to.deep.equal(Array.from({ length: 20 }, (_, n) => `${n}`).sort());
    });

    it('refuses two events of one id in one append, and the id that another version has by its place', async () => {
      expect((await refused(system.append(account, 'a', [deposit('1'), deposit('1')]))).code).to.equal(
        'TROUPE_INVALID_OPTIONS',
      );
      const error = await refused(system.append(account, 'a', [deposit('account/a@5')]));
      expect([error.code, error.details['place']]).to.deep.equal(['TROUPE_INVALID_EVENT', 5]);
      expect(await idsOf(system)).to.deep.equal([]);
    });

    it('takes events of another journal with the ids that they have there, once', async () => {
      const copied = [deposit('account/a@1'), deposit('account/a@2')];
      await system.append(account, 'a', copied);
      expect(await system.append(account, 'a', copied)).to.include({ version: 2 });
      expect(await system.append(account, 'a', copied.slice(0, 1))).to.include({ version: 1 });
      expect(await idsOf(system)).to.deep.equal(['account/a@1', 'account/a@2']);
    });

    it('still knows them after snapshots and passivation', async () => {
      for (let n = 1; n <= 25; n += 1) await system.append(account, 'a', [deposit(`${n}`, n)]);
      await eventually(() => system.metrics().instances['account'] === 0);
      expect(await system.append(account, 'a', [deposit('3', 3)])).to.include({ version: 3 });
      expect(await system.append(account, 'a', [deposit('24', 24), deposit('25', 25)])).to.include({ version: 25 });
      expect(await idsOf(system)).to.have.length(25);
    });
  },
  (workers, journal) => (workers === 0 && journal === 'memory') || (workers === 2 && journal === 'disk'),
);

describe('append by event id, on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-append-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const open = (journal: string, cast: readonly AnyDefinition[] = [account]): Promise<ActorSystem> =>
    ActorSystem.start({ cast, workers: 0, journal });

  it('still knows them after a restart, and after a crash that lost the tail of the index', async () => {
    const path = join(folder, 'a.db');
    const system = await open(path);
    for (let n = 1; n <= 60; n += 1)
      await system.append(account, `${n % 3}`, [deposit(`${n}`, n), deposit(`${n}b`, n)]);
    // What a killed process leaves: the file and its log as they are at this moment.
    const crashed = join(folder, 'crashed.db');
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, crashed + end);
    await system.stop();
    for (const journal of [path, crashed]) {
      const again = await open(journal);
      for (let n = 60; n >= 1; n -= 1) {
        const whole = [deposit(`${n}`, n), deposit(`${n}b`, n)];
        expect(await again.append(account, `${n % 3}`, whole)).to.include({ position: 2 * n });
        expect(await again.append(account, `${n % 3}`, whole.slice(0, 1))).to.include({ position: 2 * n - 1 });
        expect((await refused(again.append(account, `${n % 3}`, [deposit(`${n}`, n + 1)]))).code).to.equal(
          'TROUPE_COMMAND_ID_REUSED',
        );
      }
      expect(again.metrics().position).to.equal(120);
      await again.stop();
    }
  });

  it('recognises an event that was stored in an older shape, sent in the old shape or in that of today', async () => {
    const at = (version: number) =>
      aggregate({
        name: 'thing',
        initialState: () => ({ count: 0 }),
        events: {
          made: {
            version,
            schema:
              version === 1 ? z.object({ n: z.number() }) : z.object({ n: z.number(), unit: z.string().default('kg') }),
            ...(version === 1 ? {} : { upcast: { 1: (data: object) => ({ ...data, unit: 'kg' }) } }),
            apply: (state) => ({ count: state.count + 1 }),
          },
        },
      });
    const path = join(folder, 'shapes.db');
    const before = await open(path, [at(1)]);
    await before.append(at(1), 'a', [{ type: 'made', data: { n: 1 }, id: 'x' }]);
    await before.stop();
    const today = await open(path, [at(2)]);
    for (const data of [{ n: 1 }, { n: 1, unit: 'kg' }, { n: 1, unit: undefined }]) {
      expect(await today.append(at(2), 'a', [{ type: 'made', data, id: 'x' }])).to.include({ version: 1 });
    }
    const error = await refused(today.append(at(2), 'a', [{ type: 'made', data: { n: 1, unit: 'lb' }, id: 'x' }]));
    expect(error.code).to.equal('TROUPE_COMMAND_ID_REUSED');
    await today.stop();
  });

  it('stores each id once, in whatever groups, order and repetition a source sends them', async () => {
    const batches = array(tuple(nat(5), integer({ min: 1, max: 4 })), { maxLength: 30 });
    await assert(
      asyncProperty(batches, async (sent) => {
        const system = await open(':memory:');
        const stored: string[] = [];
        const outcomes = await Promise.allSettled(
          sent.map(([from, count]) =>
            system.append(
              account,
              'a',
              Array.from({ length: count }, (_, n) => deposit(`${from + n}`)),
            ),
          ),
        );
        for (const [index, [from, count]] of sent.entries()) {
          const ids = Array.from({ length: count }, (_, n) => `${from + n}`);
          const known = ids.filter((id) => stored.includes(id));
          if (known.length === 0) stored.push(...ids);
          const isPart = known.length > 0 && known.length < ids.length;
          expect(outcomes[index]?.status).to.equal(isPart ? 'rejected' : 'fulfilled');
        }
        expect(await idsOf(system)).to.deep.equal(stored);
        await system.stop();
      }),
      { numRuns: 40 },
    );
  });
});
