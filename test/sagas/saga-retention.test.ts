import { expect } from 'chai';
import { LIMITS } from '../../src/core/limits.js';
import { type RuntimeSaga, saga } from '../../src/sagas/saga-definition.js';
import { turns } from '../support/turns.js';
import { Disk, SagaLife, target } from './saga-life.js';

const START_MS = Date.UTC(2020, 0, 1);
const DAY_MS = 86_400_000;

const plain = saga({
  name: 'plain',
  async run(ctx, input: { to: string }) {
    await ctx.ask(target, input.to, 'reserve', {});
    return input.to;
  },
});

const brief = saga({
  name: 'brief',
  keep: { history: '1d', result: '3d' },
  async run(ctx, input: { to: string }) {
    await ctx.ask(target, input.to, 'reserve', {});
    return input.to;
  },
});

async function count(disk: Disk, kind: string): Promise<number> {
  return (await disk.journal.readRecords(kind)).length;
}

/** A life that begins so many days later, and looks once for what may go. */
async function lifeAfter(
  disk: Disk,
  days: number,
  definitions: readonly RuntimeSaga[] = [plain, brief],
): Promise<SagaLife> {
  const life = await SagaLife.begin(disk, definitions, { nowMs: START_MS + days * DAY_MS });
  await life.clock.advance(LIMITS.sagaForgetEveryMs);
  await life.settle();
  return life;
}

describe('sagas that have ended', () => {
  it('keep their steps for 7 days, and their end for ever: a second start is a no-op, the result is there', async () => {
    const disk = new Disk();
    const first = await SagaLife.begin(disk, [plain], { nowMs: START_MS });
    await first.ref(plain, 'a').start({ to: 'x' });
    expect(await first.ref(plain, 'a').result()).to.equal('x');
    await first.stop();

    const sixth = await lifeAfter(disk, 6);
    expect(await count(disk, 'saga-history')).to.be.greaterThan(0);
    await sixth.stop();

    const eighth = await lifeAfter(disk, 8);
    expect(await count(disk, 'saga-history')).to.equal(0);
    expect(await count(disk, 'saga-past')).to.equal(0);
    expect(await eighth.ref(plain, 'a').result()).to.equal('x');
    expect(await eighth.ref(plain, 'a').start({ to: 'y' })).to.equal(false);
    expect((await eighth.ref(plain, 'a').status()).state).to.equal('done');
    await eighth.stop();
    const later = await lifeAfter(disk, 4_000);
    expect(await later.ref(plain, 'a').start({ to: 'y' })).to.equal(false);
    expect(later.effects).to.deep.equal(['reserve x']);
    await later.stop();
  });

  it('are forgotten when their definition says so, and then their id is free', async () => {
    const disk = new Disk();
    const first = await SagaLife.begin(disk, [brief], { nowMs: START_MS });
    for (const id of ['a', 'b/c', 'd']) await first.ref(brief, id).start({ to: id });
    await first.settle();
    await first.stop();

    const second = await lifeAfter(disk, 2);
    expect(await count(disk, 'saga-history')).to.equal(0);
    expect(await second.ref(brief, 'b/c').start({ to: 'y' })).to.equal(false);
    await second.stop();

    const fourth = await lifeAfter(disk, 4);
    for (const kind of ['saga-ended', 'saga-past', 'saga-trimmed']) expect(await count(disk, kind), kind).to.equal(0);
    expect((await fourth.ref(brief, 'a').status()).state).to.equal('not-started');
    expect(await fourth.ref(brief, 'a').start({ to: 'again' })).to.equal(true);
    expect(await fourth.ref(brief, 'a').result()).to.equal('again');
    await fourth.stop();
  });

  it('keep their result while a saga that has asked for it lives, whoever can see that saga', async () => {
    const child = saga({
      name: 'child',
      keep: { history: '1d', result: '1d' },
      async run(ctx) {
        await ctx.sleep('1h');
        await ctx.ask(target, 'once', 'reserve', {});
        return 'of the child';
      },
    });
    const parent = saga({ name: 'parent', run: (ctx) => ctx.run(child, 'c') });
    const disk = new Disk();
    const first = await SagaLife.begin(disk, [parent, child], { nowMs: START_MS });
    await first.ref(parent, 'p').start();
    await first.settle();
    first.kill();

    // The child ends while the parent's definition is missing, so nobody has told the parent.
    const second = await lifeAfter(disk, 1, [child]);
    await second.ref(child, 'c').result();
    await second.stop();
    const third = await lifeAfter(disk, 30, [child]);
    expect(await count(disk, 'saga-ended')).to.equal(1);
    await third.stop();

    const fourth = await SagaLife.begin(disk, [parent, child], { nowMs: START_MS + 60 * DAY_MS });
    expect(await fourth.ref(parent, 'p').result()).to.equal('of the child');
    expect(fourth.effects).to.deep.equal(['reserve once']);
    await fourth.clock.advance(LIMITS.sagaForgetEveryMs);
    await fourth.settle();
    // Its own end, and no other one.
    expect((await disk.journal.readRecords('saga-ended')).map(({ key }) => key)).to.deep.equal(['parent/p']);
    await fourth.stop();
  });

  it('leave nothing behind, whatever write of their going a crash comes before or after', async () => {
    let crashes = 0;
    for (let at = 1; ; at += 1) {
      let died = false;
      for (const moment of ['before', 'after'] as const) {
        const disk = new Disk();
        const first = await SagaLife.begin(disk, [brief], { nowMs: START_MS });
        for (let id = 0; id < 3; id += 1) await first.ref(brief, `${id}`).start({ to: `${id}` });
        await first.settle();
        await first.stop();
        const nowMs = START_MS + 5 * DAY_MS;
        const dying = await SagaLife.begin(disk, [brief], { nowMs, crash: { at, moment } });
        await dying.clock.advance(LIMITS.sagaForgetEveryMs);
        await dying.settle();
        if (dying.dead) {
          died = true;
          crashes += 1;
        } else await dying.stop();
        const last = await lifeAfter(disk, 6);
        await last.clock.advance(LIMITS.sagaForgetEveryMs);
        await last.settle();
        await last.stop();
        const left = await Promise.all(
          ['saga', 'saga-ended', 'saga-history', 'saga-past', 'saga-trimmed'].map((kind) => count(disk, kind)),
        );
        expect(left, `crash ${moment} write ${at}`).to.deep.equal([0, 0, 0, 0, 0]);
      }
      if (!died) break;
    }
    expect(crashes).to.be.greaterThan(3);
  });

  it('go in writes of a bounded number of records', async () => {
    const disk = new Disk();
    const first = await SagaLife.begin(disk, [brief], { nowMs: START_MS });
    const many = LIMITS.sagaForgetRecords;
    await Promise.all(Array.from({ length: many }, (_, id) => first.ref(brief, `${id}`).start({ to: `${id}` })));
    await first.settle();
    await first.stop();
    const largest: number[] = [];
    const { writeRecords } = disk.journal;
    disk.journal.writeRecords = (changes, timers) => {
      largest.push(changes.length);
      return writeRecords.call(disk.journal, changes, timers);
    };
    const later = await lifeAfter(disk, 2);
    for (let i = 0; i < 100 && (await count(disk, 'saga-past')) > 0; i += 1) await turns();
    await later.stop();
    expect(await count(disk, 'saga-history')).to.equal(0);
    expect(Math.max(...largest)).to.be.within(2, LIMITS.sagaForgetRecords + 10);
  });

  it('refuse to forget the end before the history', () => {
    expect(() => saga({ name: 'odd', keep: { history: '2d', result: '1d' }, run: () => undefined }))
      .to.throw('keep.result')
      .with.property('code', 'TROUPE_INVALID_OPTIONS');
  });
});
