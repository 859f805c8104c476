/** Read model: one row per return, with what has become of its three consequences. */
import { projection } from 'troupe';
import { email } from '../notification/email.js';
import { refund } from '../payment/refund.js';
import { goodsReturn } from './goods-return.js';

export const returns = projection({
  name: 'returns',
  of: [goodsReturn, refund, email],
  version: 1,
  columns: {
    id: 'text primary key',
    customer_id: 'text null',
    country: 'text',
    lines: 'integer',
    units: 'integer',
    total_mills: 'integer',
    returned_at: 'integer',
    refunded_mills: 'integer null',
    mailed: 'integer',
  },
  key: (event) => {
    if (event.type !== 'email.sent') return event.aggregateId;
    return event.data.template === 'return-accepted' ? event.data.about : undefined;
  },
  on: {
    'return.accepted': (_row, { data }) => {
      let units = 0;
      for (const { quantity } of data.lines) units += quantity;
      return {
        customer_id: data.customerId,
        country: data.country,
        lines: data.lines.length,
        units,
        total_mills: data.totalMills,
        returned_at: data.returnedAt,
        refunded_mills: null,
        mailed: 0,
      };
    },
    'payment.refunded': (row, { data }) => row && { ...row, refunded_mills: data.amountMills },
    'email.sent': (row) => row && { ...row, mailed: 1 },
  },
});
