/** Stops the parcel of a cancelled order, wherever it is. */
import { reaction } from 'troupe';
import { order } from '../order/order.js';
import { shipment } from './shipment.js';

export const stopShipment = reaction({
  name: 'stop-shipment',
  of: [order],
  on: { 'order.cancelled': (event, ctx) => ctx.tell(shipment, event.aggregateId, 'stop', {}) },
});
