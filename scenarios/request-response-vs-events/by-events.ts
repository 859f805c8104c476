/**
 * The same shop by events: an order is placed, and the rest follows; whoever can't do its part now does it later.
 */
import { aggregate, reaction } from 'troupe';
import { bank } from './bank.js';

const STATUS = { 'order.placed': 'placed', 'order.reserved': 'reserved', 'order.paid': 'paid', 'order.sent': 'sent' };

export const purchase = aggregate({
  name: 'purchase',
  initialState: () => ({ status: 'new' }),
  events: {
    'order.placed': { apply: (_state, _data: object) => ({ status: STATUS['order.placed'] }) },
    'order.reserved': { apply: (_state, _data: object) => ({ status: STATUS['order.reserved'] }) },
    'order.paid': { apply: (_state, _data: object) => ({ status: STATUS['order.paid'] }) },
    'order.sent': { apply: (_state, _data: object) => ({ status: STATUS['order.sent'] }) },
  },
  commands: {
    place: { handle: (_state, _input: object, ctx) => ctx.emit('order.placed', {}) },
    reserve: { handle: (_state, _input: object, ctx) => ctx.emit('order.reserved', {}) },
    pay: { handle: (_state, _input: object, ctx) => ctx.emit('order.paid', {}) },
    send: { handle: (_state, _input: object, ctx) => ctx.emit('order.sent', {}) },
  },
  queries: { opens: () => '9 to 5' },
});

export const reserveGoods = reaction({
  name: 'reserve-goods',
  of: [purchase],
  on: { 'order.placed': (event, ctx) => ctx.tell(purchase, event.aggregateId, 'reserve', {}) },
});

export const chargeCustomer = reaction({
  name: 'charge-customer',
  of: [purchase],
  // The bank may be away for a while; whatever comes meanwhile waits in the journal.
  retry: { attempts: 1_000, backoff: { min: 50, max: 250 } },
  on: {
    'order.reserved': async (event, ctx) => {
      const orderId = event.aggregateId;
      const paid = await ctx.ask(bank, 'told', 'charge', orderId, { timeout: '1m' });
      if (!paid) throw new Error('the bank is not available');
      ctx.tell(purchase, orderId, 'pay', {});
    },
  },
});

export const sendParcel = reaction({
  name: 'send-parcel',
  of: [purchase],
  on: { 'order.paid': (event, ctx) => ctx.tell(purchase, event.aggregateId, 'send', {}) },
});
