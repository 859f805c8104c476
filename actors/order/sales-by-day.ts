/** Read model: what was ordered and brought back, by calendar day (UTC) of the order or return. */
import { projection } from 'troupe';
import { goodsReturn } from './goods-return.js';
import { order } from './order.js';

const none = { orders: 0, units: 0, total_mills: 0, returns: 0, refund_mills: 0 };

const day = (at: number) => new Date(at).toISOString().slice(0, 10);

export const salesByDay = projection({
  name: 'sales-by-day',
  of: [order, goodsReturn],
  version: 1,
  columns: {
    day: 'text primary key',
    orders: 'integer',
    units: 'integer',
    total_mills: 'integer',
    returns: 'integer',
    refund_mills: 'integer',
  },
  key: (event) => {
    if (event.type === 'order.created') return day(event.data.orderedAt);
    return event.type === 'return.accepted' ? day(event.data.returnedAt) : undefined;
  },
  on: {
    'order.created': (row = none, { data }) => {
      let units = row.units;
      for (const { quantity } of data.lines) units += quantity;
      return { ...row, orders: row.orders + 1, units, total_mills: row.total_mills + data.totalMills };
    },
    'return.accepted': (row = none, { data }) => ({
      ...row,
      returns: row.returns + 1,
      refund_mills: row.refund_mills + data.totalMills,
    }),
  },
});
