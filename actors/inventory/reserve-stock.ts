/**
 * Sets aside the goods of a new order, all lines at once, then tells the order.
 *
 * Two lines of one order may name the same stock code: they are two reservations, told apart by their line number.
 */
import { reaction } from 'troupe';
import { order } from '../order/order.js';
import { inventory } from './inventory.js';

/**
 * How long to wait for one reservation. Long: a best-seller has a queue, and asking again only makes it longer. After
 * a loss the event is delivered again anyway.
 */
const PATIENCE = { timeout: 60_000 } as const;

export const reserveStock = reaction({
  name: 'reserve-stock',
  of: [order],
  on: {
    'order.created': async (event, ctx) => {
      const orderId = event.aggregateId;
      const { lines } = event.data;
      await Promise.all(
        lines.map(({ sku, quantity }, index) =>
          ctx.ask(inventory, sku, 'reserve', { orderId, line: index + 1, quantity }, PATIENCE),
        ),
      );
      ctx.tell(order, orderId, 'confirm-reserved', { lineCount: lines.length });
    },
  },
});
