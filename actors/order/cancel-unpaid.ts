/** Calls an order off that nobody will pay for. */
import { reaction } from 'troupe';
import { payment } from '../payment/payment.js';
import { order } from './order.js';

export const cancelUnpaid = reaction({
  name: 'cancel-unpaid',
  of: [payment],
  on: {
    'payment.declined': (event, ctx) => ctx.tell(order, event.aggregateId, 'cancel', { reason: 'payment-declined' }),
  },
});
