/**
 * The fourth release, in a hurry: a customer for each order, and nothing that leads there from the orders of before.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const placed = z.object({
  lines: z.array(z.object({ sku: z.string(), quantity: z.int(), mills: z.int() })),
  currency: z.string(),
  customer: z.string(),
});

export const order = aggregate({
  name: 'order',
  initialState: () => ({ totalMills: 0, customer: '' }),
  events: {
    'order.placed': {
      version: 4,
      schema: placed,
      upcast: { 3: (data) => data },
      apply: (_state, data) => ({ totalMills: data.lines.length, customer: data.customer }),
    },
  },
  commands: { place: { schema: placed, handle: (_state, input, ctx) => ctx.emit('order.placed', input) } },
});
