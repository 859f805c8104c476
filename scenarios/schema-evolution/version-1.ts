/** The first release: an order is one item, its price in pounds. */
import { aggregate } from 'troupe';
import { z } from 'zod';

export const order = aggregate({
  name: 'order',
  initialState: () => ({ totalMills: 0 }),
  events: {
    'order.placed': {
      schema: z.object({ item: z.string(), pounds: z.number() }),
      apply: (_state, data) => ({ totalMills: Math.round(data.pounds * 1_000) }),
    },
  },
  commands: {
    place: {
      schema: z.object({ item: z.string(), pounds: z.number() }),
      handle: (_state, input, ctx) => ctx.emit('order.placed', input),
    },
  },
});
