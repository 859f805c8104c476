import { expect } from 'chai';
import { saga } from '../../src/sagas/saga-definition.js';
import { order, startShop, stock } from './saga-world.js';

describe('a saga', () => {
  it('started by hand runs its steps in order and resolves with what run returned', async () => {
    const two = saga({
      name: 'two',
      async run(ctx, input: { sku: string }) {
        const first = await ctx.ask(stock, input.sku, 'reserve', { quantity: 2 });
        const second = await ctx.ask(stock, input.sku, 'reserve', { quantity: 3 });
        return first.reserved + second.reserved;
      },
    });
    await using system = await startShop([two]);
    const ref = system.ref(two, 'a');
    expect(await ref.start({ sku: 'x' })).to.equal(true);
    expect(await ref.start({ sku: 'x' })).to.equal(false);
    expect(await ref.result()).to.equal(5);
    expect((await ref.status()).state).to.equal('done');
    expect(await ref.start({ sku: 'x' })).to.equal(false);
    await system.settled();
    expect(await system.ref(stock, 'x').ask('counts')).to.deep.equal({ reserved: 2, released: 0 });
  });

  it('started by an event waits for another and compensates last first when a later step is refused', async () => {
    const undone: string[] = [];
    const fulfil = saga({
      name: 'fulfil',
      of: [order, stock],
      startOn: 'order.created',
      async run(ctx, event) {
        const { sku } = event.data;
        ctx.compensate('one', async () => {
          undone.push('one');
          await ctx.ask(stock, sku, 'release', {});
        });
        await ctx.ask(stock, sku, 'reserve', {});
        ctx.compensate('two', () => void undone.push('two'));
        const shipped = await ctx.waitFor('order.shipped', { aggregateId: ctx.id });
        if (shipped.data.at === 1) await ctx.ask(stock, sku, 'reserve', { reject: 'sold-out' });
      },
    });
    await using system = await startShop([fulfil]);
    await system.ref(order, '1').ask('create', { sku: 'x' });
    await system.ref(order, '2').ask('create', { sku: 'y' });
    await system.settled();
    const ref = system.ref(fulfil, '1');
    const status = await ref.status();
    expect(status.state).to.equal('waiting');
    expect(status.waitingFor).to.equal('order.shipped');
    await system.ref(order, '1').ask('ship', { at: 1 });
    await system.ref(order, '2').ask('ship', { at: 2 });
    const error = await ref.result().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ code: 'TROUPE_REJECTED', reason: 'sold-out' });
    expect(undone).to.deep.equal(['two', 'one']);
    await system.ref(fulfil, '2').result();
    expect((await ref.status()).state).to.equal('failed');
    expect(await system.ref(stock, 'x').ask('counts')).to.deep.equal({ reserved: 1, released: 1 });
    const events = [];
    for await (const event of system.read(stock, 'x')) events.push(event);
    expect(events.map(({ causationId }) => causationId)).to.deep.equal(['order/1@1', 'order/1@1']);
    expect(new Set(events.map(({ correlationId }) => correlationId)).size).to.equal(1);
  });

  it('is cancelled right behind its start event, before anybody has seen that start it', async () => {
    const sleeper = saga({ name: 'sleeper', of: [order], startOn: 'order.created', run: (ctx) => ctx.sleep('1d') });
    await using system = await startShop([sleeper]);
    await system.ref(order, '1').ask('create', { sku: 'x' });
    await system.ref(sleeper, '1').cancel('at once');
    await system.settled();
    expect((await system.ref(sleeper, '1').status()).state).to.equal('cancelled');
  });
});
