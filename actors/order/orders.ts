/**
 * Read model: one row per order, and how far it has come: `created`, `reserved`, `paid`, `shipped`, `mailed`; or
 * `cancelled`, which it stays, whatever was under way.
 *
 * The way of an order crosses five services; this is the place where somebody can see it whole.
 */
import { projection } from 'troupe';
import { email } from '../notification/email.js';
import { payment } from '../payment/payment.js';
import { shipment } from '../shipping/shipment.js';
import { order } from './order.js';

function to<Row extends { readonly status: string }>(row: Row | undefined, status: string): Row | undefined {
  return row === undefined || row.status === 'cancelled' ? row : { ...row, status };
}

export const orders = projection({
  name: 'orders',
  of: [order, payment, shipment, email],
  version: 1,
  columns: {
    id: 'text primary key',
    customer_id: 'text null',
    country: 'text',
    lines: 'integer',
    units: 'integer',
    total_mills: 'integer',
    ordered_at: 'integer',
    status: 'text',
  },
  indexes: [['status'], ['customer_id']],
  key: (event) => {
    if (event.type !== 'email.sent') return event.aggregateId;
    return event.data.template === 'order-shipped' ? event.data.about : undefined;
  },
  on: {
    'order.created': (_row, { data }) => {
      let units = 0;
      for (const { quantity } of data.lines) units += quantity;
      return {
        customer_id: data.customerId,
        country: data.country,
        lines: data.lines.length,
        units,
        total_mills: data.totalMills,
        ordered_at: data.orderedAt,
        status: 'created',
      };
    },
    'order.cancelled': (row) => row && { ...row, status: 'cancelled' },
    'order.reserved': (row) => to(row, 'reserved'),
    'payment.processed': (row) => to(row, 'paid'),
    'order.shipped': (row) => to(row, 'shipped'),
    'email.sent': (row) => to(row, 'mailed'),
  },
});
