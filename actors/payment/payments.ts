/** Read model: one row per payment, by order. */
import { projection } from 'troupe';
import { payment } from './payment.js';

export const payments = projection({
  name: 'payments',
  of: [payment],
  version: 1,
  columns: {
    order_id: 'text primary key',
    customer_id: 'text null',
    country: 'text',
    amount_mills: 'integer',
    processed_at: 'integer',
  },
  key: (event) => event.aggregateId,
  on: {
    'payment.processed': (_row, { data, recordedAt }) => ({
      customer_id: data.customerId,
      country: data.country,
      amount_mills: data.amountMills,
      processed_at: recordedAt,
    }),
  },
});
