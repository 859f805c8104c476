/** The same cast with one more who cares. Nobody else has been touched. */
import { reaction } from 'troupe';
import { order, points } from './cast.js';

export * from './cast.js';

export const givePoints = reaction({
  name: 'give-points',
  of: [order],
  on: {
    'order.created': (event, ctx) =>
      ctx.tell(points, event.aggregateId, 'give', { points: Math.floor(event.data.totalMills / 1_000) }),
  },
});
