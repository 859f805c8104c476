/** Charges an order once all its goods are set aside. */
import { reaction } from 'troupe';
import { order } from '../order/order.js';
import { payment } from './payment.js';

export const chargeOrder = reaction({
  name: 'charge-order',
  of: [order],
  on: {
    'order.reserved': (event, ctx) => {
      const { customerId, country, totalMills } = event.data;
      ctx.tell(payment, event.aggregateId, 'charge', { customerId, country, amountMills: totalMills });
    },
  },
});
