/** Tells the customer that the goods are on their way. */
import { reaction } from 'troupe';
import { shipment } from '../shipping/shipment.js';
import { email } from './email.js';

export const mailShippedOrder = reaction({
  name: 'mail-shipped-order',
  of: [shipment],
  on: {
    'order.shipped': (event, ctx) => {
      const about = event.aggregateId;
      const to = event.data.customerId ?? 'guest';
      ctx.tell(email, `order-shipped:${about}`, 'send', { to, template: 'order-shipped', about });
    },
  },
});
