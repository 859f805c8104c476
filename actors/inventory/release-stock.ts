/** Gives back what a cancelled order holds. */
import { reaction } from 'troupe';
import { order } from '../order/order.js';
import { inventory } from './inventory.js';

export const releaseStock = reaction({
  name: 'release-stock',
  of: [order],
  on: {
    'order.cancelled': (event, ctx) => {
      event.data.lines.forEach(({ sku }, index) => {
        ctx.tell(inventory, sku, 'release', { orderId: event.aggregateId, line: index + 1 });
      });
    },
  },
});
