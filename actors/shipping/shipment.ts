/** The shipping service: one aggregate per order, shipped once. `order.shipped` is for the world outside. */
import { aggregate } from 'troupe';
import { z } from 'zod';

const shipOrder = z.object({ customerId: z.string().nullable(), country: z.string() });

interface ShipmentState {
  readonly shipped: boolean;
}

export const shipment = aggregate({
  name: 'shipment',
  initialState: (): ShipmentState => ({ shipped: false }),
  events: {
    'order.shipped': { schema: shipOrder, apply: () => ({ shipped: true }) },
  },
  commands: {
    ship: {
      schema: shipOrder,
      handle(state, input, ctx) {
        if (state.shipped) ctx.reject('already-shipped', `order ${ctx.id} is on its way already`);
        ctx.emit('order.shipped', input);
      },
    },
  },
  passivateAfter: '5s',
});
