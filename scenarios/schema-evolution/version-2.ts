/** The second release: orders have lines, money is in mills. Old events are read as orders of one line. */
import { aggregate } from 'troupe';
import { z } from 'zod';

const lines = z.array(z.object({ sku: z.string(), quantity: z.int().positive(), mills: z.int() })).min(1);

export interface OldOrder {
  readonly item: string;
  readonly pounds: number;
}

/** From version 1 to 2. */
export function withLines({ item, pounds }: OldOrder): { lines: z.infer<typeof lines> } {
  return { lines: [{ sku: item, quantity: 1, mills: Math.round(pounds * 1_000) }] };
}

export const order = aggregate({
  name: 'order',
  initialState: () => ({ totalMills: 0 }),
  events: {
    'order.placed': {
      version: 2,
      schema: z.object({ lines }),
      upcast: { 1: withLines },
      apply: (_state, data) => ({
        totalMills: data.lines.reduce((sum, { quantity, mills }) => sum + quantity * mills, 0),
      }),
    },
  },
  commands: { place: { schema: z.object({ lines }), handle: (_state, input, ctx) => ctx.emit('order.placed', input) } },
});
