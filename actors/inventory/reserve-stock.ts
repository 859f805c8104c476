/**
 * Sets aside the goods of a new order, all lines at once, then tells the order.
 *
 * Two lines of one order may name the same stock code: they are two reservations, told apart by their line number. When
 * a line can't be had, or the order was called off meanwhile, it gives back what it has: nobody else knows of it yet.
 */
import { isTroupeError, reaction } from 'troupe';
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
      const giveBack = (): void => {
        lines.forEach(({ sku }, index) => ctx.tell(inventory, sku, 'release', { orderId, line: index + 1 }));
      };
      const reserved = await Promise.allSettled(
        lines.map(({ sku, quantity }, index) =>
          ctx.ask(inventory, sku, 'reserve', { orderId, line: index + 1, quantity }, PATIENCE),
        ),
      );
      const failures = reserved.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
      // A fault is no answer: the event comes again.
      for (const failure of failures) if (!isTroupeError(failure, 'TROUPE_REJECTED')) throw failure;
      if (failures.length > 0) {
        giveBack();
        ctx.tell(order, orderId, 'cancel', { reason: 'out-of-stock' });
        return;
      }
      const confirmed = await ctx.ask(order, orderId, 'confirm-reserved', { lineCount: lines.length }, PATIENCE);
      if (confirmed === 'cancelled') giveBack();
    },
  },
});
