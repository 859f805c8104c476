/** Tells the customer that the goods came back and the money is on its way. */
import { reaction } from 'troupe';
import { goodsReturn } from '../order/goods-return.js';
import { email } from './email.js';

export const mailAcceptedReturn = reaction({
  name: 'mail-accepted-return',
  of: [goodsReturn],
  on: {
    'return.accepted': (event, ctx) => {
      const about = event.aggregateId;
      const to = event.data.customerId ?? 'guest';
      ctx.tell(email, `return-accepted:${about}`, 'send', { to, template: 'return-accepted', about });
    },
  },
});
