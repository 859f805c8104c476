/** Calls an order off that no carrier takes. */
import { reaction } from 'troupe';
import { shipment } from '../shipping/shipment.js';
import { order } from './order.js';

export const cancelUnshipped = reaction({
  name: 'cancel-unshipped',
  of: [shipment],
  on: {
    'shipment.failed': (event, ctx) => ctx.tell(order, event.aggregateId, 'cancel', { reason: 'carrier-failed' }),
  },
});
