/** Tells the customer that nothing will come of the order. */
import { reaction } from 'troupe';
import { order } from '../order/order.js';
import { email } from './email.js';

export const mailCancelledOrder = reaction({
  name: 'mail-cancelled-order',
  of: [order],
  on: {
    'order.cancelled': (event, ctx) => {
      const about = event.aggregateId;
      const to = event.data.customerId ?? 'guest';
      ctx.tell(email, `order-cancelled:${about}`, 'send', { to, template: 'order-cancelled', about });
    },
  },
});
