import { expect } from 'chai';
import { isTroupeError } from '../../src/core/troupe-error.js';
import { type RuntimeSaga, saga } from '../../src/sagas/saga-definition.js';
import { turns } from '../support/turns.js';
import { Disk, SagaLife, target } from './saga-life.js';

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Reserves a, b and c, each with its compensation, then fails or waits. */
function threeSteps(end: 'fail' | 'sleep'): RuntimeSaga {
  return saga({
    name: 's',
    async run(ctx) {
      for (const id of ['a', 'b', 'c']) {
        ctx.compensate(`undo ${id}`, () => ctx.ask(target, id, 'undo'));
        await ctx.ask(target, id, 'do');
      }
      if (end === 'fail') throw new Error('no luck');
      await ctx.sleep('1h');
    },
  });
}

async function begin(definition: RuntimeSaga, disk = new Disk()): Promise<SagaLife> {
  const life = await SagaLife.begin(disk, [definition]);
  await life.ref(definition, '1').start();
  await life.settle();
  return life;
}

describe('compensations', () => {
  it('run last first when the run throws, and result() rejects with what it threw', async () => {
    const definition = threeSteps('fail');
    const life = await begin(definition);
    expect(life.effects).to.deep.equal(['do a', 'do b', 'do c', 'undo c', 'undo b', 'undo a']);
    expect(await errorOf(life.ref(definition, '1').result())).to.include({ message: 'no luck' });
    expect(await life.ref(definition, '1').status()).to.include({ state: 'failed' });
  });

  it('run when the saga is cancelled; result() rejects with TROUPE_SAGA_CANCELLED and the reason', async () => {
    const definition = threeSteps('sleep');
    const life = await begin(definition);
    await life.ref(definition, '1').cancel('customer called');
    await life.settle();
    expect(life.effects.slice(3)).to.deep.equal(['undo c', 'undo b', 'undo a']);
    const error = await errorOf(life.ref(definition, '1').result());
    expect(error).to.include({ code: 'TROUPE_SAGA_CANCELLED' });
    expect((error as Error).message).to.include('customer called');
    expect(await life.ref(definition, '1').status()).to.include({ state: 'cancelled' });
    await life.ref(definition, '1').cancel('again');
    await life.settle();
    expect(life.effects).to.have.length(6);
  });

  it('after a cancel every call of ctx rejects with TROUPE_SAGA_CANCELLED', async () => {
    const codes: unknown[] = [];
    const definition = saga({
      name: 's',
      async run(ctx) {
        const calls = [
          () => ctx.sleep('1h'),
          () => ctx.ask(target, 'a', 'do'),
          () => ctx.step('x', () => 1),
          () => ctx.waitFor('nothing'),
          async () => ctx.tell(target, 'a', 'do'),
          async () => ctx.compensate('late', () => undefined),
        ];
        for (const call of calls) codes.push((await errorOf(call())) as { code?: string });
      },
    });
    const life = await begin(definition);
    await life.ref(definition, '1').cancel();
    await life.settle();
    expect(codes.map((error) => (isTroupeError(error) ? error.code : error))).to.deep.equal(
      Array.from({ length: 6 }, () => 'TROUPE_SAGA_CANCELLED'),
    );
    expect(life.effects).to.deep.equal([]);
    expect(await life.ref(definition, '1').status()).to.include({ state: 'cancelled' });
  });

  it('wait until what was sent has an outcome', async () => {
    const disk = new Disk();
    disk.world.decide = ({ type }) => (type === 'slow' ? 'hang' : { reply: undefined });
    const definition = saga({
      name: 's',
      async run(ctx) {
        ctx.compensate('undo', () => ctx.ask(target, 'a', 'undo'));
        await ctx.ask(target, 'a', 'slow' as 'do');
      },
    });
    const life = await SagaLife.begin(disk, [definition]);
    await life.ref(definition, '1').start();
    await turns(8);
    await life.ref(definition, '1').cancel();
    await turns(8);
    expect(life.effects).to.deep.equal([]);
    expect((await life.ref(definition, '1').status()).state).to.equal('compensating');
    life.post.release();
    await life.settle();
    expect(life.effects).to.deep.equal(['slow a', 'undo a']);
  });

  it('are tried again until they succeed; what they did before is not done again', async () => {
    const disk = new Disk();
    let tries = 0;
    disk.world.decide = ({ targetId }) =>
      targetId === 'b' && (tries += 1) < 4 ? { failed: 'not now' } : { reply: undefined };
    const calls: string[] = [];
    const definition = saga({
      name: 's',
      async run(ctx) {
        ctx.compensate('undo', async () => {
          await ctx.step('outside', () => void calls.push('outside'));
          await ctx.ask(target, 'b', 'undo');
        });
        throw new Error('no luck');
      },
    });
    const life = await begin(definition, disk);
    expect(life.effects).to.deep.equal(['undo b']);
    expect(calls).to.deep.equal(['outside']);
    expect(tries).to.equal(4);
  });

  it('a refused one is parked and shown, the earlier ones still run, and a retry gets a fresh id', async () => {
    const disk = new Disk();
    let refuses = true;
    disk.world.decide = ({ type, targetId }) =>
      refuses && type === 'undo' && targetId === 'b' ? { rejected: 'gone' } : { reply: undefined };
    const definition = threeSteps('fail');
    const life = await begin(definition, disk);
    expect(life.effects.slice(3)).to.deep.equal(['undo c', 'undo a']);
    expect(await life.ref(definition, '1').status()).to.include({ state: 'parked' });
    const [letter, ...others] = life.letters.list();
    expect(others).to.deep.equal([]);
    expect(letter).to.deep.include({ reason: 'parked', target: { name: 's', id: '1' }, type: 'undo b' });
    expect(letter?.error).to.include({ code: 'TROUPE_REJECTED', reason: 'gone' });
    expect(life.sagas.problems()).to.have.length(1);
    expect(await errorOf(life.ref(definition, '1').result())).to.include({ message: 'no luck' });
    await life.letters.retry(letter?.id ?? '');
    expect((await life.ref(definition, '1').status()).state).to.equal('parked');
    expect(life.letters.list()).to.have.length(1);
    refuses = false;
    await life.letters.retry(letter?.id ?? '');
    await life.settle();
    expect(life.effects.slice(3)).to.deep.equal(['undo c', 'undo a', 'undo b']);
    expect(await life.ref(definition, '1').status()).to.include({ state: 'failed' });
    expect(life.letters.list()).to.deep.equal([]);
  });

  it('a parked one is still parked after a restart, and may be discarded', async () => {
    const disk = new Disk();
    disk.world.decide = ({ type }) => (type === 'undo' ? { rejected: 'gone' } : { reply: undefined });
    const definition = saga({
      name: 's',
      async run(ctx) {
        ctx.compensate('undo', () => ctx.ask(target, 'a', 'undo'));
        throw new Error('no luck');
      },
    });
    const life = await begin(definition, disk);
    life.kill();
    const next = await SagaLife.begin(disk, [definition]);
    await next.settle();
    expect(await next.ref(definition, '1').status()).to.include({ state: 'parked' });
    expect(next.post.deliveries).to.deep.equal([]);
    const [letter] = next.letters.list();
    await next.letters.discard(letter?.id ?? '');
    await next.settle();
    expect(next.letters.list()).to.deep.equal([]);
    expect(await next.ref(definition, '1').status()).to.include({ state: 'failed' });
  });

  it('of several that are parked each is given up on its own, also when the letter of one was lost in between', async () => {
    const disk = new Disk();
    disk.world.decide = ({ type }) => (type === 'undo' ? { rejected: 'gone' } : { reply: undefined });
    const definition = threeSteps('fail');
    const life = await begin(definition, disk);
    const letters = (of: SagaLife): string[] => of.letters.list().map(({ id }) => id);
    expect(letters(life)).to.have.members(['parked>s/1>0', 'parked>s/1>1', 'parked>s/1>2']);
    life.kill();
    // Somebody has discarded one without the system.
    await disk.journal.writeRecords([life.letters.erasure('parked>s/1>1')]);
    const next = await SagaLife.begin(disk, [definition]);
    await next.settle();
    expect(letters(next)).to.have.members(['parked>s/1>0', 'parked>s/1>2']);
    for (const id of letters(next)) {
      expect(await next.ref(definition, '1').status()).to.include({ state: 'parked' });
      await next.letters.discard(id);
    }
    await next.settle();
    expect(await next.ref(definition, '1').status()).to.include({ state: 'failed' });
  });

  it('those of a child run when its parent is cancelled, before the parent compensates', async () => {
    const child = saga({
      name: 'child',
      async run(ctx) {
        ctx.compensate('undo', () => ctx.ask(target, 'child', 'undo'));
        await ctx.sleep('1h');
      },
    });
    const parent = saga({
      name: 'parent',
      async run(ctx) {
        ctx.compensate('undo', () => ctx.ask(target, 'parent', 'undo'));
        await ctx.run(child, 'c');
      },
    });
    const life = await SagaLife.begin(new Disk(), [parent, child]);
    await life.ref(parent, 'p').start();
    await life.settle();
    await life.ref(parent, 'p').cancel();
    await life.settle();
    expect(life.effects).to.deep.equal(['undo child', 'undo parent']);
  });
});
