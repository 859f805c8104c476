/** A return with one coordinator: goods back on the shelf, money back, and a mail. Nothing of it can be refused. */
import { saga } from 'troupe';
import { inventory } from '../inventory/inventory.js';
import { email } from '../notification/email.js';
import { goodsReturn } from '../order/goods-return.js';
import { refund } from '../payment/refund.js';

/** As with orders (fulfil-order.ts). */
const PATIENCE = { timeout: '2m' } as const;

export const takeBackGoods = saga({
  name: 'take-back-goods',
  of: [goodsReturn],
  startOn: 'return.accepted',
  async run(ctx, { data }) {
    const { customerId, lines, totalMills } = data;
    const about = ctx.id;
    await Promise.all(
      lines.map(({ sku, quantity }, index) =>
        ctx.ask(inventory, sku, 'restock', { returnId: about, line: index + 1, quantity }, PATIENCE),
      ),
    );
    await ctx.ask(refund, about, 'pay', { customerId, amountMills: totalMills }, PATIENCE);
    const to = customerId ?? 'guest';
    await ctx.ask(email, `return-accepted:${about}`, 'send', { to, template: 'return-accepted', about }, PATIENCE);
  },
});
