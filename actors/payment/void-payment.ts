/** Gives the money of a cancelled order back, or keeps it from being taken: how far the order has come it can't know. */
import { reaction } from 'troupe';
import { order } from '../order/order.js';
import { payment } from './payment.js';

export const voidPayment = reaction({
  name: 'void-payment',
  of: [order],
  on: { 'order.cancelled': (event, ctx) => ctx.tell(payment, event.aggregateId, 'void', {}) },
});
