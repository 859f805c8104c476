/** The payment service, money out: one aggregate per return, refunded once. */
import { aggregate } from 'troupe';
import { z } from 'zod';

const refundOf = z.object({ customerId: z.string().nullable(), amountMills: z.int() });

interface RefundState {
  readonly refunded: boolean;
}

export const refund = aggregate({
  name: 'refund',
  initialState: (): RefundState => ({ refunded: false }),
  events: {
    'payment.refunded': { schema: refundOf, apply: () => ({ refunded: true }) },
  },
  commands: {
    pay: {
      schema: refundOf,
      handle(state, input, ctx) {
        if (state.refunded) ctx.reject('already-refunded', `return ${ctx.id} is refunded already`);
        ctx.emit('payment.refunded', input);
      },
    },
  },
  passivateAfter: '5s',
});
