/** The fourth release as it should be: every step has its upcaster, and gifts are still known. */
import { aggregate } from 'troupe';
import { z } from 'zod';
import { type OldOrder, withLines } from './version-2.js';
import { withCurrency } from './version-3.js';

const placed = z.object({
  lines: z.array(z.object({ sku: z.string(), quantity: z.int(), mills: z.int() })),
  currency: z.string(),
  customer: z.string(),
});

export const order = aggregate({
  name: 'order',
  initialState: () => ({ totalMills: 0, customer: '', isGift: false }),
  events: {
    'order.placed': {
      version: 4,
      schema: placed,
      upcast: {
        1: (data) => withLines(data as OldOrder),
        2: withCurrency,
        3: (data) => ({ ...data, customer: 'guest' }),
      },
      apply: (state, { lines, customer }) => ({
        ...state,
        customer,
        totalMills: lines.reduce((sum, { quantity, mills }) => sum + quantity * mills, 0),
      }),
    },
    'order.wrapped': { apply: (state, _data: null) => ({ ...state, isGift: true }) },
  },
  commands: { place: { schema: placed, handle: (_state, input, ctx) => ctx.emit('order.placed', input) } },
});
