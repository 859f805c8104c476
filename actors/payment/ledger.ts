/**
 * The payment service, bookings without goods: one aggregate per ledger document (a bad debt written off, say).
 *
 * A document may hold several bookings, so its state is what they come to.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const booking = z.object({ account: z.string(), amountMills: z.int(), bookedAt: z.int() });

interface LedgerState {
  readonly bookings: number;
  readonly balanceMills: number;
}

export const ledger = aggregate({
  name: 'ledger',
  initialState: (): LedgerState => ({ bookings: 0, balanceMills: 0 }),
  events: {
    'ledger.adjusted': {
      schema: booking,
      apply: (state, data) => ({ bookings: state.bookings + 1, balanceMills: state.balanceMills + data.amountMills }),
    },
  },
  commands: {
    adjust: {
      schema: booking,
      handle(_state, input, ctx) {
        if (input.account === '') ctx.reject('account-missing', `a booking of ${ctx.id} needs an account`);
        ctx.emit('ledger.adjusted', input);
      },
    },
  },
  queries: { balance: (state) => state.balanceMills },
  passivateAfter: '5s',
});
