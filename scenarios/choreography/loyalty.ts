/** Two consumers that the shop knows nothing of: one that counts points, and one that is broken. */
import { aggregate, reaction } from 'troupe';
import { shipment } from '../../actors/services.js';

export const loyalty = aggregate({
  name: 'loyalty',
  initialState: () => ({ points: 0 }),
  events: { 'points.earned': { apply: (state, data: { points: number }) => ({ points: state.points + data.points }) } },
  commands: { earn: { handle: (_state, input: { points: number }, ctx) => ctx.emit('points.earned', input) } },
});

/** A point for each parcel. */
export const earnPoints = reaction({
  name: 'earn-points',
  of: [shipment],
  on: {
    'order.shipped': ({ data }, ctx) => ctx.tell(loyalty, data.customerId ?? 'guest', 'earn', { points: 1 }),
  },
});

/** Fails at everything it hears. */
export const brokenConsumer = reaction({
  name: 'broken-consumer',
  of: [shipment],
  retry: { attempts: 2, backoff: { min: 5, max: 10 } },
  on: {
    'order.shipped': () => {
      throw new Error('this consumer is broken');
    },
  },
});
