/** Read model: what was ordered, by the country it goes to. */
import { projection } from 'troupe';
import { order } from './order.js';

export const salesByCountry = projection({
  name: 'sales-by-country',
  of: [order],
  version: 1,
  columns: {
    country: 'text primary key',
    orders: 'integer',
    lines: 'integer',
    units: 'integer',
    total_mills: 'integer',
  },
  key: (event) => event.data.country,
  on: {
    'order.created': (row = { orders: 0, lines: 0, units: 0, total_mills: 0 }, { data }) => {
      let units = row.units;
      for (const { quantity } of data.lines) units += quantity;
      return {
        orders: row.orders + 1,
        lines: row.lines + data.lines.length,
        units,
        total_mills: row.total_mills + data.totalMills,
      };
    },
  },
});
