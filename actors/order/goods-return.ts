/**
 * Goods that come back: one aggregate per return, accepted once with all its lines.
 *
 * A return stands for itself: what it brings back may have been sold before this journal began. Restocking, refund
 * and mail are three independent reactions to `return.accepted`.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const line = z.object({ sku: z.string(), quantity: z.int().nonnegative(), priceMills: z.int() });

const acceptReturn = z.object({
  customerId: z.string().nullable(),
  country: z.string(),
  lines: z.array(line).min(1),
  returnedAt: z.int(),
});

interface ReturnState {
  readonly accepted: boolean;
}

export const goodsReturn = aggregate({
  name: 'goods-return',
  initialState: (): ReturnState => ({ accepted: false }),
  events: {
    'return.accepted': {
      schema: acceptReturn.extend({ totalMills: z.int() }),
      apply: () => ({ accepted: true }),
    },
  },
  commands: {
    accept: {
      schema: acceptReturn,
      handle(state, input, ctx) {
        if (state.accepted) ctx.reject('return-exists', `return ${ctx.id} was accepted already`);
        let totalMills = 0;
        for (const { quantity, priceMills } of input.lines) totalMills += quantity * priceMills;
        ctx.emit('return.accepted', { ...input, totalMills });
      },
    },
  },
  passivateAfter: '5s',
});
