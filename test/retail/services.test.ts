import { expect } from 'chai';
import { ActorSystem, isTroupeError } from 'troupe';
import * as cast from '../../actors/index.js';

const lamp = { sku: 'lamp', quantity: 3, priceMills: 2_500 };
const orderInput = { customerId: 'c1', country: 'France', lines: [lamp], orderedAt: 1_000 };
const returnInput = { customerId: 'c1', country: 'France', lines: [lamp], returnedAt: 2_000 };

describe('the services', () => {
  let system: ActorSystem;

  beforeEach(async () => {
    system = await ActorSystem.start({ cast: Object.values(cast), workers: 0, journal: ':memory:' });
  });
  afterEach(() => system.stop());

  async function events(): Promise<string[]> {
    await system.settled();
    const seen: string[] = [];
    for await (const { type, aggregateId, data } of system.readAll())
      seen.push(`${aggregateId} ${type} ${JSON.stringify(data)}`);
    return seen;
  }

  async function refusal(ask: Promise<unknown>): Promise<string> {
    try {
      await ask;
    } catch (error) {
      if (isTroupeError(error, 'TROUPE_REJECTED')) return error.reason ?? '';
      throw error;
    }
    throw new Error('it was not refused');
  }

  it('take an order from creation to mail, by events alone', async () => {
    await system.ref(cast.order, 'o1').ask('create', orderInput);
    expect((await events()).toSorted()).to.deep.equal(
      [
        'o1 order.created {"customerId":"c1","country":"France","lines":[{"sku":"lamp","quantity":3,"priceMills":2500}],"orderedAt":1000,"totalMills":7500}',
        'lamp stock.replenished {"quantity":1000,"onHand":1000}',
        'lamp stock.reserved {"orderId":"o1","line":1,"quantity":3,"onHand":997}',
        'c1 user.registered {"country":"France"}',
        'o1 order.reserved {"customerId":"c1","country":"France","totalMills":7500}',
        'o1 payment.processed {"customerId":"c1","country":"France","amountMills":7500}',
        'o1 order.shipped {"customerId":"c1","country":"France"}',
        'order-shipped:o1 email.sent {"to":"c1","template":"order-shipped","about":"o1"}',
      ].toSorted(),
    );
  });

  it('take a return: restock, refund and mail', async () => {
    await system.ref(cast.goodsReturn, 'r1').ask('accept', { ...returnInput, customerId: null });
    const seen = await events();
    expect(seen).to.include('lamp stock.returned {"returnId":"r1","line":1,"quantity":3,"onHand":3}');
    expect(seen).to.include('r1 payment.refunded {"customerId":null,"amountMills":7500}');
    expect(seen).to.include('return-accepted:r1 email.sent {"to":"guest","template":"return-accepted","about":"r1"}');
    expect(seen).to.have.length(4);
  });

  it('reserve two lines of one stock code as two reservations', async () => {
    await system.ref(cast.order, 'o1').ask('create', { ...orderInput, lines: [lamp, lamp] });
    const reserved = (await events()).filter((event) => event.includes('stock.reserved'));
    expect(reserved).to.deep.equal([
      'lamp stock.reserved {"orderId":"o1","line":1,"quantity":3,"onHand":997}',
      'lamp stock.reserved {"orderId":"o1","line":2,"quantity":3,"onHand":994}',
    ]);
  });

  it('charge an order of 0, and ship it', async () => {
    await system.ref(cast.order, 'o1').ask('create', { ...orderInput, lines: [{ ...lamp, priceMills: 0 }] });
    const seen = await events();
    expect(seen).to.include('o1 payment.processed {"customerId":"c1","country":"France","amountMills":0}');
    expect(seen).to.include('o1 order.shipped {"customerId":"c1","country":"France"}');
  });

  it('replenish a lot of 1,000, or what an order lacks if that is more', async () => {
    const stock = system.ref(cast.inventory, 'lamp');
    await stock.ask('reserve', { orderId: 'o1', line: 1, quantity: 1_000 });
    await stock.ask('reserve', { orderId: 'o2', line: 1, quantity: 1 });
    await stock.ask('reserve', { orderId: 'o3', line: 1, quantity: 3_000 });
    const brought = (await events()).filter((event) => event.includes('replenished'));
    expect(brought).to.deep.equal([
      'lamp stock.replenished {"quantity":1000,"onHand":1000}',
      'lamp stock.replenished {"quantity":1000,"onHand":1000}',
      'lamp stock.replenished {"quantity":2001,"onHand":3000}',
    ]);
    expect(await stock.ask('on-hand')).to.equal(0);
  });

  it('let corrections of the books take stock below zero, and orders make up for it', async () => {
    const stock = system.ref(cast.inventory, 'lamp');
    await stock.ask('adjust', { reference: 'found broken', quantity: -1_500 });
    expect(await stock.ask('on-hand')).to.equal(-1_500);
    await stock.ask('reserve', { orderId: 'o1', line: 1, quantity: 1 });
    expect(await stock.ask('on-hand')).to.equal(0);
  });

  it('register a customer with the first order only, and a guest never', async () => {
    await system.ref(cast.order, 'o1').ask('create', orderInput);
    await system.ref(cast.order, 'o2').ask('create', orderInput);
    await system.ref(cast.order, 'o3').ask('create', { ...orderInput, customerId: null });
    expect((await events()).filter((event) => event.includes('user.registered'))).to.have.length(1);
  });

  it('refuse what was done already', async () => {
    const { order, goodsReturn, payment, refund, shipment, email } = cast;
    const buyer = { customerId: null, country: 'France' };
    const mail = { to: 'c1', template: 'order-shipped', about: 'o1' } as const;
    const twice: readonly (readonly [reason: string, ask: () => Promise<unknown>])[] = [
      ['order-exists', () => system.ref(order, 'o1').ask('create', orderInput)],
      ['return-exists', () => system.ref(goodsReturn, 'r1').ask('accept', returnInput)],
      ['already-charged', () => system.ref(payment, 'p1').ask('charge', { ...buyer, amountMills: 1 })],
      ['already-refunded', () => system.ref(refund, 'f1').ask('pay', { customerId: null, amountMills: 1 })],
      ['already-shipped', () => system.ref(shipment, 's1').ask('ship', buyer)],
      ['already-sent', () => system.ref(email, 'm1').ask('send', mail)],
    ];
    for (const [reason, ask] of twice) {
      await ask();
      expect(await refusal(ask())).to.equal(reason);
    }
  });

  it('refuse what makes no sense', async () => {
    const { order, inventory, ledger } = cast;
    const confirm = (id: string, lineCount: number) => system.ref(order, id).ask('confirm-reserved', { lineCount });
    const restock = { returnId: 'r1', line: 1, quantity: -1 };
    expect(await refusal(confirm('nowhere', 1))).to.equal('order-unknown');
    await system.ref(order, 'o1').ask('create', orderInput);
    await system.settled();
    expect(await refusal(confirm('o1', 1))).to.equal('order-reserved');
    expect(await refusal(system.ref(inventory, 'a').ask('restock', restock))).to.equal('quantity-negative');
    expect(await refusal(system.ref(inventory, 'a').ask('adjust', { reference: '', quantity: 1 }))).to.equal(
      'reference-missing',
    );
    const booking = { account: '', amountMills: 1, bookedAt: 1 };
    expect(await refusal(system.ref(ledger, 'A1').ask('adjust', booking))).to.equal('account-missing');
  });

  it('keep a ledger document with several bookings', async () => {
    const document = system.ref(cast.ledger, 'A1');
    await document.ask('adjust', { account: 'B', amountMills: -500, bookedAt: 1 });
    await document.ask('adjust', { account: 'B', amountMills: 200, bookedAt: 2 });
    expect(await document.ask('balance')).to.equal(-300);
  });
});
