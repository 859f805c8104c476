/**
 * The payment service, money in: one aggregate per order, charged once.
 *
 * An order of 0 is charged as well: it is an order like any other to whoever waits for `payment.processed`.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const charge = z.object({ customerId: z.string().nullable(), country: z.string(), amountMills: z.int() });

interface PaymentState {
  readonly charged: boolean;
}

export const payment = aggregate({
  name: 'payment',
  initialState: (): PaymentState => ({ charged: false }),
  events: {
    'payment.processed': { schema: charge, apply: () => ({ charged: true }) },
  },
  commands: {
    charge: {
      schema: charge,
      handle(state, input, ctx) {
        if (state.charged) ctx.reject('already-charged', `order ${ctx.id} is paid already`);
        ctx.emit('payment.processed', input);
      },
    },
  },
  passivateAfter: '5s',
});
