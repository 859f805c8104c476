/** The same with the consumer: while this is not running, it is down. */
import { reaction } from 'troupe';
import { order, packing } from './cast.js';

export * from './cast.js';

export const pack = reaction({
  name: 'pack',
  of: [order],
  on: { 'order.placed': (event, ctx) => ctx.tell(packing, event.aggregateId, 'pack', { n: event.data.n }) },
});
