/** The shop's fulfilment, whichever way it is joined: every order ends completed or undone, whatever goes wrong. */
import { expect } from 'chai';
import { ActorSystem, isTroupeError, type RecordedEvent } from 'troupe';
import * as choreographed from '../../actors/index.js';
import { fulfilOrder } from '../../actors/fulfilment/fulfil-order.js';
import * as orchestrated from '../../actors/orchestrated.js';
import { inventory, order, payment, shipment, goodsReturn, stock } from '../../actors/services.js';
import { endsOf, faultOf } from '../../scenarios/fulfilment/order-ends.js';

const lamp = { sku: 'lamp', quantity: 3, priceMills: 2_500 };
const vase = { sku: 'vase', quantity: 2, priceMills: 1_000 };
const input = { customerId: 'c1', country: 'France', lines: [lamp, vase], orderedAt: 1_000 };

interface Way {
  readonly name: string;
  readonly cast: Parameters<typeof ActorSystem.start>[0]['cast'];
  /** The customer calls the order off. */
  cancel(system: ActorSystem, id: string): Promise<unknown>;
}

const WAYS: readonly Way[] = [
  {
    name: 'choreography',
    cast: Object.values(choreographed),
    cancel: (system, id) => system.ref(order, id).ask('cancel', { reason: 'customer' }),
  },
  {
    name: 'orchestration',
    cast: Object.values(orchestrated),
    cancel: async (system, id) => {
      for (;;) {
        try {
          return await system.ref(fulfilOrder, id).cancel('customer');
        } catch (error) {
          // The order is there a moment before its coordinator.
          if (!isTroupeError(error, 'TROUPE_ACTOR_STOPPED')) throw error;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
  },
];

/** Types of events at which the customer cancels, in the moment that they are committed. */
const MOMENTS = [
  'order.created',
  'stock.reserved',
  'order.reserved',
  'payment.processed',
  'order.shipped',
  'email.sent',
];

for (const { name, cast, cancel } of WAYS) {
  describe(`fulfilment by ${name}`, () => {
    let system: ActorSystem;
    beforeEach(async () => {
      system = await ActorSystem.start({ cast, workers: 0, journal: ':memory:' });
    });
    afterEach(() => system.stop());

    async function endOf(id: string): Promise<{ cancelled: string | undefined; fault: string | undefined }> {
      await system.settled();
      const end = (await endsOf(system)).get(id) ?? expect.fail(`there is no order ${id}`);
      return { cancelled: end.cancelled, fault: faultOf(end) };
    }

    async function levelsAddUp(): Promise<void> {
      await system.view(stock).caughtUp();
      for (const row of await system.view(stock).find()) {
        expect(row.on_hand, row.sku).to.equal(row.replenished - row.sold + row.returned + row.adjusted);
      }
    }

    it('completes an order that nothing is wrong with', async () => {
      await system.ref(order, 'o1').ask('create', input);
      expect(await endOf('o1')).to.deep.equal({ cancelled: undefined, fault: undefined });
      await levelsAddUp();
    });

    it('undoes an order one of whose goods is out of stock, and only that', async () => {
      await system.ref(inventory, 'vase').ask('discontinue', {});
      await system.ref(order, 'o1').ask('create', input);
      await system.ref(order, 'o2').ask('create', { ...input, lines: [lamp] });
      expect(await endOf('o1')).to.deep.equal({ cancelled: 'out-of-stock', fault: undefined });
      expect(await endOf('o2')).to.deep.equal({ cancelled: undefined, fault: undefined });
      await levelsAddUp();
    });

    it('undoes an order whose payment is declined', async () => {
      await system.ref(payment, 'o1').ask('block', { reason: 'stolen card' });
      await system.ref(order, 'o1').ask('create', input);
      expect(await endOf('o1')).to.deep.equal({ cancelled: 'payment-declined', fault: undefined });
      await levelsAddUp();
    });

    it('undoes an order that no carrier takes, and gives the money back', async () => {
      await system.ref(shipment, 'o1').ask('block', { reason: 'strike' });
      await system.ref(order, 'o1').ask('create', input);
      expect(await endOf('o1')).to.deep.equal({ cancelled: 'carrier-failed', fault: undefined });
      await levelsAddUp();
    });

    for (const moment of MOMENTS) {
      it(`ends right when the customer cancels at ${moment}`, async () => {
        const cancelled: Promise<unknown>[] = [];
        const subscription = system.events.subscribe((event: RecordedEvent) => {
          if (event.type === moment && cancelled.length === 0) cancelled.push(cancel(system, 'o1'));
        });
        await system.ref(order, 'o1').ask('create', input);
        await system.settled();
        await Promise.all(cancelled);
        subscription.unsubscribe();
        expect(cancelled).to.have.length(1);
        expect((await endOf('o1')).fault).to.equal(undefined);
        expect(system.deadLetters.list()).to.deep.equal([]);
        await levelsAddUp();
      });
    }

    it('ends right when everything goes wrong at once', async () => {
      await system.ref(payment, 'o1').ask('block', { reason: 'stolen card' });
      await system.ref(shipment, 'o1').ask('block', { reason: 'strike' });
      await system.ref(inventory, 'vase').ask('discontinue', {});
      const created = system.ref(order, 'o1').ask('create', input);
      await Promise.all([created, cancel(system, 'o1'), cancel(system, 'o1')]);
      const end = await endOf('o1');
      expect(end.fault).to.equal(undefined);
      expect(end.cancelled).to.be.a('string');
      await levelsAddUp();
    });

    for (const [orderId, returnId, pieces, priceMills] of [
      ['541431', 'C541433', 74_215, 1_040],
      ['581483', 'C581484', 80_995, 2_080],
    ] as const) {
      for (const moment of ['at once', ...MOMENTS]) {
        it(`takes back the ${pieces.toLocaleString('en-GB')} pieces of ${orderId}, returned ${moment}`, async () => {
          const lines = [{ sku: '23843', quantity: pieces, priceMills }];
          const give = (): Promise<unknown> =>
            system
              .ref(goodsReturn, returnId)
              .ask('accept', { customerId: '16446', country: 'United Kingdom', lines, returnedAt: 2_000 });
          const returned: Promise<unknown>[] = moment === 'at once' ? [give()] : [];
          const subscription = system.events.subscribe(({ type }: RecordedEvent) => {
            if (type === moment && returned.length === 0) returned.push(give());
          });
          const create = { customerId: '16446', country: 'United Kingdom', lines, orderedAt: 1_000 };
          await system.ref(order, orderId).ask('create', create);
          await system.settled();
          await Promise.all(returned);
          subscription.unsubscribe();
          expect(returned).to.have.length(1);
          expect(await endOf(orderId)).to.deep.equal({ cancelled: undefined, fault: undefined });
          await levelsAddUp();
          const row = await system.view(stock).get('23843');
          expect(row?.sold).to.equal(pieces);
          expect(row?.returned).to.equal(pieces);
          let refunds = 0;
          for await (const { type, data } of system.readAll()) {
            if (type === 'payment.refunded') refunds += (data as { amountMills: number }).amountMills;
          }
          expect(refunds).to.equal(pieces * priceMills);
        });
      }
    }
  });
}
