import { expect } from 'chai';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { isTroupeError } from '../../src/core/troupe-error.js';
import { type RuntimeSaga, saga } from '../../src/sagas/saga-definition.js';
import type { SagaContext, WaitOptions } from '../../src/sagas/saga-context.js';
import { turns } from '../support/turns.js';
import { Disk, SagaLife } from './saga-life.js';

type Run = (ctx: SagaContext) => Promise<unknown>;

function waiting(run: Run): RuntimeSaga {
  return saga({ name: 's', run });
}

/** Waits for one event and says where it stands. */
function forOne(options: WaitOptions, first?: Run): RuntimeSaga {
  return waiting(async (ctx) => {
    await first?.(ctx);
    return (await ctx.waitFor('made', options)).position;
  });
}

async function begin(definition: RuntimeSaga, disk: Disk): Promise<SagaLife> {
  const life = await SagaLife.begin(disk, [definition]);
  await life.ref(definition, '1').start();
  await life.settle();
  return life;
}

async function resultOf(life: SagaLife, definition: RuntimeSaga): Promise<unknown> {
  await life.settle();
  const { state } = await life.ref(definition, '1').status();
  if (state !== 'done' && state !== 'failed') return state;
  return life
    .ref(definition, '1')
    .result()
    .catch((error: unknown) => (isTroupeError(error) ? error.code : error));
}

const made = { type: 'made' };

describe('waitFor', () => {
  it('gives the first matching event after the start, by aggregate, by correlation and by filter', async () => {
    const disk = new Disk();
    await disk.append('order', 'a', made);
    const definition = waiting((ctx) =>
      Promise.all([
        ctx.waitFor('made', { aggregateId: 'a' }),
        ctx.waitFor('made', { correlationId: 'corr-c4' }),
        ctx.waitFor('made', { where: ({ data }) => data === 'wanted' }),
      ]).then((events) => events.map(({ position }) => position)),
    );
    const life = await begin(definition, disk);
    expect(await life.ref(definition, '1').status()).to.include({ state: 'waiting', waitingFor: 'made' });
    await disk.append('order', 'b', made, { type: 'other' });
    await disk.append('order', 'a', made);
    await disk.append('order', 'c', made);
    await disk.append('order', 'b', made, { type: 'made', data: 'wanted' });
    expect(await resultOf(life, definition)).to.deep.equal([4, 5, 7]);
  });

  it('gives each event to one wait only, in the order of the waits', async () => {
    const disk = new Disk();
    const definition = waiting(async (ctx) => {
      const [one, two] = await Promise.all([ctx.waitFor('made'), ctx.waitFor('made')]);
      const three = await ctx.waitFor('made', { aggregateId: 'a' });
      return [one, two, three].map(({ position }) => position);
    });
    const life = await begin(definition, disk);
    for (let i = 0; i < 3; i += 1) await disk.append('order', 'a', made);
    expect(await resultOf(life, definition)).to.deep.equal([1, 2, 3]);
  });

  it('an event that came before the call counts; with from: now only later ones do', async () => {
    const disk = new Disk();
    const sleepFirst: Run = (ctx) => ctx.sleep('1s');
    const past = forOne({}, sleepFirst);
    const life = await begin(past, disk);
    await disk.append('order', 'a', made);
    await life.clock.advance(1_000);
    expect(await resultOf(life, past)).to.equal(1);

    const disk2 = new Disk();
    const now = forOne({ from: 'now' }, sleepFirst);
    const life2 = await begin(now, disk2);
    await disk2.append('order', 'a', made);
    await life2.clock.advance(1_000);
    expect(await resultOf(life2, now)).to.equal('waiting');
    await disk2.append('order', 'a', made);
    expect(await resultOf(life2, now)).to.equal(2);
  });

  it('an event that came while the process was down counts, also after the saga left memory', async () => {
    for (const idle of [false, true]) {
      const disk = new Disk();
      const definition = forOne({ aggregateId: 'a' });
      const life = await begin(definition, disk);
      if (idle) await life.clock.advance(120_000);
      life.kill();
      await disk.append('order', 'b', made);
      await disk.append('order', 'a', made);
      const next = await SagaLife.begin(disk, [definition], { nowMs: life.clock.now() });
      expect(await resultOf(next, definition), `idle: ${idle}`).to.equal(2);
    }
  });

  it('wakes a saga that left memory, which then asks its filter', async () => {
    const disk = new Disk();
    const definition = forOne({ aggregateId: 'a', where: ({ data }) => data === 2 });
    const life = await begin(definition, disk);
    await life.clock.advance(120_000);
    await disk.append('order', 'a', { type: 'made', data: 1 });
    expect(await resultOf(life, definition)).to.equal('waiting');
    await disk.append('order', 'a', { type: 'made', data: 2 });
    expect(await resultOf(life, definition)).to.equal(2);
  });

  it('finds an event that has left memory, in one pass for all who look', async () => {
    const disk = new Disk();
    const definition = waiting(async (ctx) => {
      await ctx.sleep('1s');
      return (await ctx.waitFor('made', { aggregateId: ctx.id })).position;
    });
    const life = await SagaLife.begin(disk, [definition]);
    for (let i = 0; i < 20; i += 1) await life.ref(definition, String(i)).start();
    for (let i = 0; i < 20; i += 1) await disk.append('order', String(i), made);
    life.kill();
    // The window of the next life is empty.
    const next = await SagaLife.begin(disk, [definition], { nowMs: life.clock.now() + 1_000 });
    let reads = 0;
    const { read } = disk.journal;
    disk.journal.read = (query) => {
      if (query.types !== undefined) reads += 1;
      return read.call(disk.journal, query);
    };
    await next.settle();
    for (let i = 0; i < 20; i += 1) expect(await next.ref(definition, String(i)).result()).to.equal(i + 1);
    expect(reads).to.be.lessThan(6);
  });

  it('fails with TROUPE_SAGA_TIMEOUT when none was committed in time, whoever was there to see it', async () => {
    const disk = new Disk();
    const definition = forOne({ timeout: '1m' });
    const life = await begin(definition, disk);
    await life.clock.advance(60_000);
    expect(await resultOf(life, definition)).to.equal('TROUPE_SAGA_TIMEOUT');
    expect(disk.journal.head).to.equal(0);
  });

  it('costs no look at those who wait for something else', async () => {
    const disk = new Disk();
    let looks = 0;
    const count = (_event: RecordedEvent): boolean => {
      looks += 1;
      return true;
    };
    const definition = waiting(async (ctx) => {
      await ctx.waitFor('made', { aggregateId: ctx.id, where: count });
    });
    const life = await SagaLife.begin(disk, [definition]);
    for (let i = 0; i < 200; i += 1) await life.ref(definition, String(i)).start();
    await life.settle();
    await disk.append('order', '7', made);
    await disk.append('order', 'nobody', made);
    await turns(8);
    expect(looks).to.equal(1);
    expect((await life.ref(definition, '7').status()).state).to.equal('done');
  });
});
