/**
 * The fulfilment of an order with one coordinator: the whole flow, and what undoes it, from top to bottom.
 *
 * The same services as in the choreography, and the same ends; here they state what happened and act on nothing. What is
 * undone is what was begun: an order that fails at the first step sends no message to the payment service.
 */
import { saga } from 'troupe';
import { inventory } from '../inventory/inventory.js';
import { email } from '../notification/email.js';
import { order } from '../order/order.js';
import { payment } from '../payment/payment.js';
import { shipment } from '../shipping/shipment.js';
import { user } from '../user/user.js';

/** Services have queues on a busy day, and asking again only makes them longer. */
const PATIENCE = { timeout: '2m' } as const;

export const fulfilOrder = saga({
  name: 'fulfil-order',
  of: [order],
  startOn: 'order.created',
  // An order may have a thousand lines: more orders at once would only make longer queues at the services.
  concurrency: { total: 100 },
  async run(ctx, { data }) {
    const { customerId, country, lines, totalMills } = data;
    const to = customerId ?? 'guest';
    // Whoever cancels this saga is the customer; everything else is said where it happens.
    let reason = 'customer';
    const fail = (why: string): never => {
      reason = why;
      throw new Error(`order ${ctx.id}: ${why}`);
    };
    const about = ctx.id;
    ctx.compensate('tell the customer', () =>
      ctx.ask(email, `order-cancelled:${about}`, 'send', { to, template: 'order-cancelled', about }, PATIENCE),
    );
    ctx.compensate('cancel the order', () => ctx.ask(order, ctx.id, 'cancel', { reason }, PATIENCE));
    if (customerId !== null) ctx.tell(user, customerId, 'register', { country });

    ctx.compensate('release the goods', () =>
      Promise.all(
        lines.map(({ sku }, index) =>
          ctx.ask(inventory, sku, 'release', { orderId: ctx.id, line: index + 1 }, PATIENCE),
        ),
      ),
    );
    const reserved = await Promise.allSettled(
      lines.map(({ sku, quantity }, index) =>
        ctx.ask(inventory, sku, 'reserve', { orderId: ctx.id, line: index + 1, quantity }, PATIENCE),
      ),
    );
    if (reserved.some(({ status }) => status === 'rejected')) fail('out-of-stock');
    await ctx.ask(order, ctx.id, 'confirm-reserved', { lineCount: lines.length }, PATIENCE);

    ctx.compensate('give the money back', () => ctx.ask(payment, ctx.id, 'void', {}, PATIENCE));
    const payload = { customerId, country, amountMills: totalMills };
    const charged = await ctx.ask(payment, ctx.id, 'charge', payload, PATIENCE);
    if (charged !== 'charged') fail('payment-declined');

    ctx.compensate('stop the parcel', () => ctx.ask(shipment, ctx.id, 'stop', {}, PATIENCE));
    const shipped = await ctx.ask(shipment, ctx.id, 'ship', { customerId, country }, PATIENCE);
    if (shipped !== 'shipped') fail('carrier-failed');

    await ctx.ask(email, `order-shipped:${about}`, 'send', { to, template: 'order-shipped', about }, PATIENCE);
  },
});
