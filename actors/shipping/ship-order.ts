/** Ships what is paid. */
import { reaction } from 'troupe';
import { payment } from '../payment/payment.js';
import { shipment } from './shipment.js';

export const shipOrder = reaction({
  name: 'ship-order',
  of: [payment],
  on: {
    'payment.processed': (event, ctx) => {
      const { customerId, country } = event.data;
      ctx.tell(shipment, event.aggregateId, 'ship', { customerId, country });
    },
  },
});
