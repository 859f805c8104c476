/** Types of `saga()`: events by `of`, the start event by `startOn`, input and result by `run`. */
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { type RuntimeSaga, saga } from '../../src/sagas/saga-definition.js';
import type { SagaContext } from '../../src/sagas/saga-context.js';
import type { ActorSystem } from '../../src/system/actor-system.js';
import { expectType } from './expect-type.js';
import { order, shipment, tally } from './shop.js';

const fulfil = saga({
  name: 'fulfil',
  of: [order, shipment],
  startOn: 'shipment.sent',
  id: (event) => event.data.orderId,
  async run(ctx, event) {
    expectType<string>()(event.data.orderId);
    expectType<number>()(await ctx.ask(order, ctx.id, 'ship', { at: ctx.now() }));
    ctx.tell(tally, 'all', 'add', 1);
    // @ts-expect-error wrong payload
    ctx.tell(tally, 'all', 'add', 'one');
    // @ts-expect-error unknown type
    await ctx.ask(order, ctx.id, 'sing');
    const shipped = await ctx.waitFor('order.shipped', { where: (one) => one.data.at > 0, timeout: '2d' });
    expectType<RecordedEvent<'order.shipped', { at: number }>>()(shipped);
    // @ts-expect-error no event of these aggregates
    await ctx.waitFor('order.sung');
    expectType<number>()(await ctx.step('count', async () => 1));
    ctx.compensate('undo', () => ctx.ask(order, ctx.id, 'ship', { at: 1 }, { retry: { attempts: 3 } }));
    return shipped.data.at;
  },
});
export const erased: RuntimeSaga = fulfil;
expectType<'fulfil'>()(fulfil.name);

const byHand = saga({
  name: 'by-hand',
  async run(ctx, input: { readonly n: number }) {
    expectType<SagaContext>()(ctx);
    return String(input.n);
  },
});
const bare = saga({ name: 'bare', run: () => true });

export async function use(system: ActorSystem): Promise<void> {
  expectType<boolean>()(await system.ref(byHand, '1').start({ n: 1 }));
  expectType<string>()(await system.ref(byHand, '1').result());
  expectType<number>()(await system.ref(fulfil, '1').result());
  await system.ref(bare, '1').start();
  // @ts-expect-error the input is missing
  await system.ref(byHand, '1').start();
  // @ts-expect-error wrong input
  await system.ref(byHand, '1').start({ n: 'one' });
  await system.ref(byHand, '1').cancel('reason');
  // @ts-expect-error a saga is no actor
  await system.ref(byHand, '1').ask('anything');
}

saga({
  name: 'misspelt',
  of: [order],
  // @ts-expect-error no event of order
  startOn: 'order.made',
  run: () => undefined,
});
