import { expect } from 'chai';
import { LIMITS } from '../../src/core/limits.js';
import { isTroupeError, type TroupeError } from '../../src/core/troupe-error.js';
import type { SagaContext } from '../../src/sagas/saga-context.js';
import { type RuntimeSaga, saga } from '../../src/sagas/saga-definition.js';
import { turns } from '../support/turns.js';
import { Disk, SagaLife, target } from './saga-life.js';

/** What a promise was rejected with. */
async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Runs a saga to its end, by hand, on a disk. */
async function play(
  run: Parameters<typeof saga>[0]['run'],
  disk = new Disk(),
): Promise<{ life: SagaLife; definition: RuntimeSaga; result: Promise<unknown> }> {
  const definition = saga({ name: 's', run });
  const life = await SagaLife.begin(disk, [definition]);
  await life.ref(definition, '1').start({ n: 1 });
  const result = life.ref(definition, '1').result();
  result.catch(() => undefined);
  await life.settle();
  return { life, definition, result };
}

/** The saga continues in another life. */
async function nextLife(life: SagaLife, definition: RuntimeSaga): Promise<SagaLife> {
  life.kill();
  return SagaLife.begin(life.disk, [definition], { nowMs: life.clock.now() });
}

describe('steps of a saga', () => {
  it('a rejection is an answer: it is thrown, with its reason, and never sent again', async () => {
    const disk = new Disk();
    disk.world.decide = () => ({ rejected: 'sold-out' });
    const { life, result } = await play(async (ctx) => {
      const error = await errorOf(ctx.ask(target, 'a', 'do'));
      return isTroupeError(error, 'TROUPE_REJECTED') ? error.reason : 'none';
    }, disk);
    expect(await result).to.equal('sold-out');
    expect(life.post.deliveries).to.have.length(1);
  });

  it('an ask is sent again after a lost worker, under the same id', async () => {
    const disk = new Disk();
    let tries = 0;
    disk.world.decide = () => ((tries += 1) < 3 ? { failed: 'gone', code: 'TROUPE_WORKER_LOST' } : { reply: tries });
    const { life, result } = await play((ctx) => ctx.ask(target, 'a', 'do'), disk);
    expect(await result).to.equal(3);
    expect(new Set(life.post.deliveries.map(({ commandId }) => commandId)).size).to.equal(1);
  });

  it('a throw of a handler fails the ask at once, unless retry says otherwise', async () => {
    const disk = new Disk();
    disk.world.decide = () => ({ failed: 'broken' });
    const { life, result } = await play(async (ctx) => {
      const once = await errorOf(ctx.ask(target, 'a', 'do'));
      const thrice = await errorOf(ctx.ask(target, 'b', 'do', undefined, { retry: { attempts: 3 } }));
      return [once, thrice].map((error) => isTroupeError(error) && error.code);
    }, disk);
    expect(await result).to.deep.equal(['TROUPE_ACTOR_FAILED', 'TROUPE_ACTOR_FAILED']);
    expect(life.post.deliveries.map(({ targetId }) => targetId)).to.deep.equal(['a', 'b', 'b', 'b']);
  });

  it('an ask with a timeout fails when that is over', async () => {
    const disk = new Disk();
    disk.world.decide = () => 'hang';
    const { result } = await play(async (ctx) => {
      const error = await errorOf(ctx.ask(target, 'a', 'do', undefined, { timeout: '30s' }));
      return isTroupeError(error) ? error.code : 'none';
    }, disk);
    expect(await result).to.equal('TROUPE_ASK_TIMEOUT');
  });

  it('the result of a function is journaled, and the function not called again', async () => {
    let calls = 0;
    const { life, definition } = await play(async (ctx) => {
      const value = await ctx.step('work', ({ id }) => {
        calls += 1;
        return { id, calls };
      });
      await ctx.sleep('1h');
      return value;
    });
    const next = await nextLife(life, definition);
    const result = next.ref(definition, '1').result();
    await next.settle();
    await next.clock.advance(3_600_000);
    await next.settle();
    expect(await result).to.deep.equal({ id: 's/1#0', calls: 1 });
    expect(calls).to.equal(1);
  });

  it('a function that throws is not called again, unless retry says so; its error keeps message and class', async () => {
    const calls = { once: 0, often: 0 };
    const { result } = await play(async (ctx) => {
      const once = await errorOf(
        ctx.step('once', () => {
          calls.once += 1;
          throw new RangeError('boom');
        }),
      );
      await ctx.step(
        'often',
        () => {
          calls.often += 1;
          if (calls.often < 3) throw new Error('again');
        },
        { retry: { attempts: 5, backoff: { min: '10ms' } } },
      );
      return once instanceof RangeError && once.message;
    });
    expect(await result).to.equal('boom');
    expect(calls).to.deep.equal({ once: 1, often: 3 });
  });

  it('a function that takes too long has its signal aborted and fails with TROUPE_SAGA_TIMEOUT', async () => {
    let aborted = false;
    const { result } = await play(async (ctx) => {
      const error = await errorOf(
        ctx.step(
          'slow',
          ({ signal }) =>
            new Promise(() => {
              signal.addEventListener('abort', () => {
                aborted = true;
              });
            }),
          { timeout: '1s' },
        ),
      );
      return isTroupeError(error) && error.code;
    });
    expect(await result).to.equal('TROUPE_SAGA_TIMEOUT');
    expect(aborted).to.equal(true);
  });

  it('a result that JSON cannot keep fails the step, and the saga, with TROUPE_NOT_SERIALIZABLE', async () => {
    const { result } = await play(async (ctx) => {
      const error = await errorOf(ctx.step('map', () => new Map()));
      if (isTroupeError(error, 'TROUPE_NOT_SERIALIZABLE')) return Number.NaN;
      return 0;
    });
    expect(await errorOf(result)).to.include({ code: 'TROUPE_NOT_SERIALIZABLE' });
  });

  it('what the run does to an outcome changes nothing in the history', async () => {
    const { life, definition } = await play(async (ctx) => {
      const list = await ctx.step('list', () => ['a']);
      list.push('b');
      await ctx.sleep('1h');
      return list;
    });
    const next = await nextLife(life, definition);
    const result = next.ref(definition, '1').result();
    await next.settle();
    await next.clock.advance(3_600_000);
    await next.settle();
    expect(await result).to.deep.equal(['a', 'b']);
  });

  it('a told command has its outcome before the saga is done; refused, it is a dead letter', async () => {
    const disk = new Disk();
    disk.world.decide = ({ targetId }) => (targetId === 'no' ? { rejected: 'never' } : 'hang');
    const definition = saga({
      name: 's',
      async run(ctx) {
        ctx.tell(target, 'no', 'do');
        ctx.tell(target, 'slow', 'do');
        await ctx.send(target, 'no', 'check');
      },
    });
    const life = await SagaLife.begin(disk, [definition]);
    await life.ref(definition, '1').start();
    await turns(20);
    expect(life.letters.list().map(({ reason, target: { id } }) => `${reason} ${id}`)).to.deep.equal([
      'rejected no',
      'rejected no',
    ]);
    expect((await life.ref(definition, '1').status()).state).to.equal('running');
    life.post.release();
    await life.settle();
    expect((await life.ref(definition, '1').status()).state).to.equal('done');
  });

  it('sleeps end by the wall clock, never early, also when the process was down', async () => {
    const { life, definition } = await play(async (ctx) => {
      const from = ctx.now();
      await ctx.sleep('1h');
      return ctx.now() - from;
    });
    expect((await life.ref(definition, '1').status()).state).to.equal('sleeping');
    await life.clock.advance(3_599_000);
    await life.settle();
    expect((await life.ref(definition, '1').status()).state).to.equal('sleeping');
    life.kill();
    const next = await SagaLife.begin(life.disk, [definition], { nowMs: life.clock.now() + 5_000 });
    const result = next.ref(definition, '1').result();
    await next.settle();
    await next.clock.advance(10);
    await next.settle();
    expect(await result).to.equal(3_604_000);
  });

  it('a race is decided as it was decided, whatever comes later', async () => {
    const { life, definition } = await play(async (ctx) => {
      const first = await Promise.race([ctx.sleep('2s').then(() => 'slow'), ctx.sleep('1s').then(() => 'fast')]);
      await ctx.step(first, () => first);
      await ctx.sleep('1h');
      return first;
    });
    await life.clock.advance(5_000);
    await life.settle();
    const next = await nextLife(life, definition);
    const result = next.ref(definition, '1').result();
    await next.settle();
    await next.clock.advance(3_600_000);
    await next.settle();
    expect(await result).to.equal('fast');
  });

  it('what is asked for when the run has ended is refused at once, and neither sent nor left open', async () => {
    let late: SagaContext | undefined;
    const { life } = await play(async (ctx) => {
      late = ctx;
      return ctx.ask(target, 'a', 'do');
    });
    const deliveries = life.post.deliveries.length;
    const told: string[] = [];
    for (const call of [
      () => late?.ask(target, 'a', 'do'),
      () => late?.step('s', () => 1),
      () => late?.sleep(1),
      () => late?.waitFor('x'),
      () => late?.tell(target, 'a', 'do'),
      () => late?.compensate('c', () => 1),
    ]) {
      try {
        await call();
        told.push('no error');
      } catch (error) {
        told.push(isTroupeError(error) ? error.code : String(error));
      }
    }
    expect(told).to.deep.equal(Array(6).fill('TROUPE_ACTOR_STOPPED'));
    expect(life.post.deliveries.length).to.equal(deliveries);
  });

  it('time, chance and ids are the same in a replay', async () => {
    const seen: unknown[] = [];
    const { life, definition } = await play(async (ctx) => {
      const before = [ctx.now(), ctx.random(), ctx.newId(), ctx.random(), ctx.newId()];
      await ctx.ask(target, 'a', 'do');
      seen.push([...before, ctx.now(), ctx.random()]);
      await ctx.sleep('1h');
    });
    await nextLife(life, definition).then((next) => next.settle());
    expect(seen).to.have.length(2);
    expect(seen[0]).to.deep.equal(seen[1]);
    expect(new Set(seen[0] as unknown[]).size).to.equal(6);
  });

  it('a replay that asks for another step stands still, names both and the place, and goes on when retried with the old code', async () => {
    let changed = false;
    const { life, definition } = await play(async (ctx) => {
      await ctx.ask(target, 'a', changed ? 'check' : 'do');
      ctx.compensate('undo', () => ctx.ask(target, 'a', 'undo'));
      await ctx.sleep('1h');
      return 'well';
    });
    changed = true;
    const next = await nextLife(life, definition);
    await next.settle();
    const error = await errorOf(next.ref(definition, '1').result());
    expect(isTroupeError(error, 'TROUPE_SAGA_DIVERGED')).to.equal(true);
    expect((error as Error).message)
      .to.include('"ask target/a do"')
      .and.include('"ask target/a check"')
      // The place in this file, though its folder is named as the runtime's.
      .and.match(/saga-steps\.test\.[jt]s:\d+/);
    expect((error as TroupeError).details).to.include({ step: 0 });
    expect((await next.ref(definition, '1').status()).state).to.equal('parked');
    expect(next.effects).to.deep.equal(['do a']);
    changed = false;
    const [letter] = next.letters.list();
    await next.letters.retry(letter?.id ?? '');
    expect(next.letters.list()).to.deep.equal([]);
    const result = next.ref(definition, '1').result();
    await next.clock.advance(3_600_000);
    await next.settle();
    expect(await result).to.equal('well');
  });

  it('a replay that no longer asks for a recorded step diverges, too', async () => {
    let changed = false;
    const { life, definition } = await play(async (ctx) => {
      if (!changed) await ctx.ask(target, 'a', 'do');
      await ctx.sleep('1h');
    });
    changed = true;
    const next = await nextLife(life, definition);
    await next.settle();
    expect(await errorOf(next.ref(definition, '1').result())).to.include({ code: 'TROUPE_SAGA_DIVERGED' });
  });

  for (const when of ['after its replay diverged', 'while its replay is about to diverge']) {
    it(`one that is cancelled ${when} stands still, and is compensated once a retry has replayed it`, async () => {
      let changed = false;
      const { life, definition } = await play(async (ctx) => {
        ctx.compensate('undo', () => ctx.ask(target, 'a', 'undo'));
        await ctx.ask(target, 'a', changed ? 'check' : 'do');
        await ctx.sleep('1h');
      });
      changed = true;
      const next = await nextLife(life, definition);
      if (when.startsWith('after')) await next.settle();
      await next.ref(definition, '1').cancel('customer called');
      await next.settle();
      expect((await next.ref(definition, '1').status()).state).to.equal('parked');
      expect(next.effects).to.deep.equal(['do a']);
      changed = false;
      for (const { id } of next.letters.list()) await next.letters.retry(id);
      await next.settle();
      expect(next.letters.list()).to.deep.equal([]);
      expect(next.effects).to.deep.equal(['do a', 'undo a']);
      expect(await next.ref(definition, '1').status()).to.include({ state: 'cancelled' });
      const error = await errorOf(next.ref(definition, '1').result());
      expect(error).to.include({ code: 'TROUPE_SAGA_CANCELLED' });
      expect((error as Error).message).to.include('customer called');
    });
  }

  it('patched lets those that had passed the place finish on the old code, and those behind it take the new', async () => {
    let version = 1;
    const run = async (ctx: Parameters<Parameters<typeof saga>[0]['run']>[0]): Promise<void> => {
      await ctx.ask(target, ctx.id, 'do');
      if (version > 1 && ctx.patched('check')) await ctx.ask(target, ctx.id, 'check');
      await ctx.sleep('1h');
      await ctx.ask(target, ctx.id, 'do');
    };
    const definition = saga({ name: 's', run });
    const life = await SagaLife.begin(new Disk(), [definition]);
    await life.ref(definition, 'old').start();
    await life.settle();
    life.kill();
    version = 2;
    const next = await SagaLife.begin(life.disk, [definition], { nowMs: life.clock.now() });
    await next.ref(definition, 'new').start();
    await next.settle();
    next.kill();
    const last = await SagaLife.begin(life.disk, [definition], { nowMs: life.clock.now() });
    await last.settle();
    await last.clock.advance(3_600_000);
    await last.settle();
    expect(last.letters.list()).to.deep.equal([]);
    expect(last.effects).to.have.members(['do old', 'do old', 'do new', 'check new', 'do new']);
  });

  it('patched that has said no says so wherever it is asked again, also after a further crash', async () => {
    let version = 1;
    const run = async (ctx: Parameters<Parameters<typeof saga>[0]['run']>[0]): Promise<string> => {
      await ctx.ask(target, ctx.id, 'do');
      if (version > 1 && ctx.patched('check')) await ctx.ask(target, ctx.id, 'check');
      await ctx.sleep('1h');
      const code = version > 1 && ctx.patched('check') ? 'new' : 'old';
      await ctx.sleep('1h');
      return code;
    };
    const definition = saga({ name: 's', run });
    let life = await SagaLife.begin(new Disk(), [definition]);
    await life.ref(definition, 'old').start();
    await life.settle();
    version = 2;
    for (let hour = 0; hour < 2; hour += 1) {
      life.kill();
      life = await SagaLife.begin(life.disk, [definition], { nowMs: life.clock.now() });
      if (hour === 0) await life.ref(definition, 'new').start();
      await life.settle();
      await life.clock.advance(3_600_000);
      await life.settle();
    }
    expect(await life.ref(definition, 'old').result()).to.equal('old');
    expect(await life.ref(definition, 'new').result()).to.equal('new');
    expect(life.letters.list()).to.deep.equal([]);
    expect(life.effects).to.have.members(['do old', 'do new', 'check new']);
  });

  it('a saga runs another, gets its result, and joins it again after a crash', async () => {
    const child = saga({
      name: 'child',
      async run(ctx, input: { n: number }) {
        await ctx.ask(target, ctx.id, 'do');
        await ctx.sleep('1h');
        return input.n * 2;
      },
    });
    const parent = saga({ name: 'parent', run: (ctx) => ctx.run(child, 'c', { n: 21 }) });
    const life = await SagaLife.begin(new Disk(), [parent, child]);
    await life.ref(parent, 'p').start();
    await life.settle();
    expect(await life.ref(parent, 'p').status()).to.include({ state: 'waiting', waitingFor: 'child/c' });
    life.kill();
    const next = await SagaLife.begin(life.disk, [parent, child], { nowMs: life.clock.now() });
    const result = next.ref(parent, 'p').result();
    await next.settle();
    await next.clock.advance(3_600_000);
    await next.settle();
    expect(await result).to.equal(42);
    expect(next.effects).to.deep.equal(['do c']);
  });

  it('continueAsNew begins with an empty history, under other ids, and keeps the saga', async () => {
    const definition = saga({
      name: 's',
      async run(ctx, input: { n: number }): Promise<string> {
        await ctx.ask(target, 'a', 'do');
        if (input.n < 3) ctx.continueAsNew({ n: input.n + 1 });
        return `ended at ${input.n}`;
      },
    });
    const life = await SagaLife.begin(new Disk(), [definition]);
    await life.ref(definition, '1').start({ n: 1 });
    const result = life.ref(definition, '1').result();
    await life.settle();
    expect(await result).to.equal('ended at 3');
    expect(life.effects).to.deep.equal(['do a', 'do a', 'do a']);
    const rows = await life.disk.journal.readRecords('saga-history');
    expect(new Set(rows.map(({ key }) => key.split('/')[0])).size).to.equal(1);
  });

  it('fails with TROUPE_SAGA_TIMEOUT and compensates when the whole takes too long', async () => {
    const definition = saga({
      name: 's',
      timeout: '1m',
      async run(ctx) {
        ctx.compensate('undo', () => ctx.ask(target, 'a', 'undo'));
        await ctx.sleep('1h');
      },
    });
    const life = await SagaLife.begin(new Disk(), [definition]);
    await life.ref(definition, '1').start();
    const result = life.ref(definition, '1').result();
    result.catch(() => undefined);
    await life.settle();
    await life.clock.advance(60_000);
    await life.settle();
    expect(await errorOf(result)).to.include({ code: 'TROUPE_SAGA_TIMEOUT' });
    expect(life.effects).to.deep.equal(['undo a']);
    expect((await life.ref(definition, '1').status()).state).to.equal('failed');
  });

  it('leaves memory while it only sleeps, and comes back with its timer', async () => {
    const definition = saga({
      name: 's',
      async run(ctx) {
        await ctx.ask(target, 'a', 'do');
        await ctx.sleep('1h');
        await ctx.ask(target, 'b', 'do');
      },
    });
    const life = await SagaLife.begin(new Disk(), [definition]);
    await life.ref(definition, '1').start();
    await life.settle();
    await life.clock.advance(90_000);
    await turns(8);
    expect(await life.disk.journal.readTimers({ limit: 10 })).to.have.length(1);
    expect((await life.ref(definition, '1').status()).state).to.equal('sleeping');
    await life.clock.advance(3_600_000);
    await life.settle();
    expect(await life.ref(definition, '1').result()).to.equal(undefined);
    expect(life.effects).to.deep.equal(['do a', 'do b']);
    await turns(8);
    expect(await life.disk.journal.readTimers({ limit: 10 })).to.deep.equal([]);
  });

  for (const [when, laterMs] of [
    ['before its time', 0],
    ['after its time', 7_200_000],
  ] as const) {
    it(`is counted once as sleeping, and no more when it wakes, after a restart ${when}`, async () => {
      const definition = saga({
        name: 's',
        async run(ctx) {
          await ctx.sleep('1h');
          await ctx.ask(target, 'a', 'do');
        },
      });
      const life = await SagaLife.begin(new Disk(), [definition]);
      for (const id of ['1', '2', '3']) await life.ref(definition, id).start();
      await life.settle();
      await life.clock.advance(90_000);
      await turns(8);
      expect(life.sagas.metrics()[0]).to.include({ sleeping: 3 });
      life.kill();
      const next = await SagaLife.begin(life.disk, [definition], { nowMs: life.clock.now() + laterMs });
      await next.settle();
      if (laterMs === 0) {
        expect(next.sagas.metrics()[0]).to.include({ sleeping: 3, running: 0 });
        await next.clock.advance(3_600_000);
        await next.settle();
      }
      expect(next.sagas.metrics()[0]).to.include({ sleeping: 0, running: 0, done: 3 });
      expect(next.effects).to.deep.equal(['do a', 'do a', 'do a']);
      next.kill();
    });
  }

  it('is back in memory a moment before its time, and goes on at it, not earlier', async () => {
    const definition = saga({
      name: 's',
      async run(ctx) {
        await ctx.sleep('1h');
        await ctx.ask(target, 'b', 'do');
      },
    });
    const life = await SagaLife.begin(new Disk(), [definition]);
    await life.ref(definition, '1').start();
    await life.settle();
    await life.clock.advance(90_000);
    await turns(8);
    const [timer] = await life.disk.journal.readTimers({ limit: 10 });
    const dueMs = (timer?.wakeAt ?? 0) + LIMITS.sagaWakeAheadMs;
    await life.clock.advance(dueMs - life.clock.now() - 1);
    await turns(8);
    expect(await life.disk.journal.readTimers({ limit: 10 }), 'still on disk').to.deep.equal([]);
    expect(life.effects, 'too early').to.deep.equal([]);
    await life.clock.advance(1);
    await turns(8);
    expect(life.effects).to.deep.equal(['do b']);
    await life.settle();
  });
});
