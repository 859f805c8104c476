import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openJournal } from '../../src/journal/open-journal.js';
import { saga } from '../../src/sagas/saga-definition.js';
import { turns } from '../support/turns.js';
import { Disk, SagaLife, target } from './saga-life.js';
import { order, silent, startShop, stock } from './saga-world.js';

const definition = saga({
  name: 's',
  async run(ctx) {
    for (const id of ['a', 'b', 'c']) {
      ctx.compensate(`undo ${id}`, () => ctx.ask(target, id, 'undo'));
      await ctx.ask(target, id, 'do');
      await ctx.step('outside', () => id);
    }
    throw new Error('no luck');
  },
});

const PLAIN = ['do a', 'do b', 'do c', 'undo c', 'undo b', 'undo a'];

describe('a journal that fails', () => {
  it('at any one commit holds a saga up and changes nothing', async function () {
    this.timeout(60_000);
    for (const moment of ['before', 'after'] as const) {
      for (let failing = 2; failing < 22; failing += 1) {
        const disk = new Disk((commit, when) =>
          commit === failing && when === moment ? new Error('disk full') : undefined,
        );
        const life = await SagaLife.begin(disk, [definition]);
        await life.ref(definition, '1').start();
        await life.settle();
        const where = `commit ${failing} fails ${moment}`;
        expect(life.effects, where).to.deep.equal(PLAIN);
        expect((await life.ref(definition, '1').status()).state, where).to.equal('failed');
        // What is durable is the whole story: another life finds it ended.
        life.kill();
        const next = await SagaLife.begin(disk, [definition]);
        await next.settle();
        expect((await next.ref(definition, '1').status()).state, where).to.equal('failed');
        expect(next.post.deliveries, where).to.deep.equal([]);
      }
    }
  });

  it('for a while sends nothing that rests on what is not written', async () => {
    let full = false;
    const disk = new Disk((_commit, when) => (full && when === 'before' ? new Error('disk full') : undefined));
    const life = await SagaLife.begin(disk, [definition]);
    await life.ref(definition, '1').start();
    full = true;
    for (let i = 0; i < 10; i += 1) {
      await turns(8);
      await life.clock.advance(50);
    }
    // The first command went out together with its entry; nothing follows before that is durable.
    expect(life.effects.length).to.be.lessThan(2);
    full = false;
    await life.settle();
    expect(life.effects).to.deep.equal(PLAIN);
  });
});

describe('stop and start of a system', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'troupe-sagas-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves a saga where it was; result() rejects with TROUPE_SYSTEM_STOPPED, and it goes on', async () => {
    const journal = join(folder, 'stop.db');
    const calls: string[] = [];
    const fulfil = saga({
      name: 'fulfil',
      of: [order, stock],
      startOn: 'order.created',
      async run(ctx, event) {
        await ctx.ask(stock, event.data.sku, 'reserve', {});
        await ctx.step('slow', async ({ signal }) => {
          calls.push('slow');
          if (calls.length === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve));
          if (calls.length === 1) throw new Error('aborted');
          return 'done';
        });
        return (await ctx.waitFor('order.shipped', { correlationId: event.correlationId })).data.at;
      },
    });
    const system = await startShop([fulfil], { journal });
    await system.ref(order, '1').ask('create', { sku: 'x' }, { correlationId: 'chain' });
    while (calls.length === 0) await turns(1);
    const result = system
      .ref(fulfil, '1')
      .result()
      .catch((error: unknown) => error);
    await system.stop();
    expect(await result).to.include({ code: 'TROUPE_SYSTEM_STOPPED' });

    const again = await startShop([fulfil], { journal });
    await again.settled();
    expect(await again.ref(fulfil, '1').status()).to.include({ state: 'waiting', waitingFor: 'order.shipped' });
    await again.ref(order, '1').ask('ship', { at: 7 }, { correlationId: 'chain' });
    expect(await again.ref(fulfil, '1').result()).to.equal(7);
    expect(calls).to.have.length(2);
    expect(await again.ref(stock, 'x').ask('counts')).to.deep.equal({ reserved: 1, released: 0 });
    await again.stop();
  });

  it('begins with what was asked for while no system ran: a cancel in the journal', async () => {
    const journal = join(folder, 'cancel.db');
    const sleeper = saga({
      name: 'sleeper',
      async run(ctx) {
        ctx.compensate('release', () => ctx.ask(stock, 'x', 'release', {}));
        await ctx.ask(stock, 'x', 'reserve', {});
        await ctx.sleep('1d');
      },
    });
    const system = await startShop([sleeper], { journal });
    await system.ref(sleeper, '1').start();
    await system.settled();
    await system.stop();
    const writing = await openJournal({ path: journal, durability: 'os', outcomes: 10 });
    await writing.writeRecords([{ kind: 'saga-cancel', key: 'sleeper/1', value: { reason: 'by hand' } }]);
    await writing.close();
    const again = await startShop([sleeper], { journal, log: silent });
    const error = await again
      .ref(sleeper, '1')
      .result()
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'TROUPE_SAGA_CANCELLED' });
    expect(await again.ref(stock, 'x').ask('counts')).to.deep.equal({ reserved: 1, released: 1 });
    await again.stop();
  });

  it('a start event whose id cannot be told is parked, shown, and holds up no other', async () => {
    let good = false;
    const picky = saga({
      name: 'picky',
      of: [order],
      startOn: 'order.created',
      id: (event) => {
        if (event.data.sku === 'bad' && !good) throw new Error('no id');
        return event.aggregateId;
      },
      run: () => 'ran',
    });
    await using system = await startShop([picky]);
    await system.ref(order, '1').ask('create', { sku: 'bad' });
    await system.ref(order, '2').ask('create', { sku: 'good' });
    expect(await system.ref(picky, '2').result()).to.equal('ran');
    await system.settled();
    expect(system.health().problems).to.have.length(1);
    expect(system.health().problems[0]).to.include({ kind: 'saga-parked', name: 'picky' });
    good = true;
    await system.deadLetters.retry(system.deadLetters.list()[0]?.id ?? '');
    expect(await system.ref(picky, '1').result()).to.equal('ran');
    expect(system.health().ok).to.equal(true);
  });
});
