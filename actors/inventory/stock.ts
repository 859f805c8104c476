/**
 * Read model: one row per stock code: all that came and went, and the level. What an order gave back was not sold.
 *
 * `on_hand` is the level that the aggregate itself stated, not a sum of the columns beside it; so
 * `on_hand = replenished - sold + returned + adjusted` is a check and no tautology.
 */
import { projection } from 'troupe';
import { inventory } from './inventory.js';

const none = { replenished: 0, sold: 0, returned: 0, adjusted: 0, on_hand: 0 };

export const stock = projection({
  name: 'stock',
  of: [inventory],
  version: 1,
  columns: {
    sku: 'text primary key',
    replenished: 'integer',
    sold: 'integer',
    returned: 'integer',
    adjusted: 'integer',
    on_hand: 'integer',
  },
  indexes: [['sold']],
  key: (event) => event.aggregateId,
  on: {
    'stock.replenished': (row = none, { data }) => ({
      ...row,
      replenished: row.replenished + data.quantity,
      on_hand: data.onHand,
    }),
    'stock.reserved': (row = none, { data }) => ({ ...row, sold: row.sold + data.quantity, on_hand: data.onHand }),
    'stock.released': (row = none, { data }) => ({ ...row, sold: row.sold - data.quantity, on_hand: data.onHand }),
    'stock.returned': (row = none, { data }) => ({
      ...row,
      returned: row.returned + data.quantity,
      on_hand: data.onHand,
    }),
    'stock.adjusted': (row = none, { data }) => ({
      ...row,
      adjusted: row.adjusted + data.quantity,
      on_hand: data.onHand,
    }),
  },
});
