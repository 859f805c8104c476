/** Pays back what an accepted return comes to. */
import { reaction } from 'troupe';
import { goodsReturn } from '../order/goods-return.js';
import { refund } from './refund.js';

export const refundReturn = reaction({
  name: 'refund-return',
  of: [goodsReturn],
  on: {
    'return.accepted': (event, ctx) => {
      const { customerId, totalMills } = event.data;
      ctx.tell(refund, event.aggregateId, 'pay', { customerId, amountMills: totalMills });
    },
  },
});
