/** Puts the goods of an accepted return back on the shelf, line by line. */
import { reaction } from 'troupe';
import { goodsReturn } from '../order/goods-return.js';
import { inventory } from './inventory.js';

export const restockReturn = reaction({
  name: 'restock-return',
  of: [goodsReturn],
  on: {
    'return.accepted': (event, ctx) => {
      event.data.lines.forEach(({ sku, quantity }, index) => {
        ctx.tell(inventory, sku, 'restock', { returnId: event.aggregateId, line: index + 1, quantity });
      });
    },
  },
});
