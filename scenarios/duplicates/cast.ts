/** The cast of `duplicates`: a cash book that knows what it has booked, and one that believes everything. */
import { aggregate } from 'troupe';

export const cashBook = aggregate({
  name: 'cash-book',
  initialState: () => ({ bookings: 0, sumMills: 0 }),
  events: {
    'payment.booked': {
      apply: (state, data: { mills: number }) => ({
        bookings: state.bookings + 1,
        sumMills: state.sumMills + data.mills,
      }),
    },
  },
  commands: {
    book: {
      handle(_state, input: { mills: number }, ctx) {
        ctx.emit('payment.booked', input);
        return { booked: ctx.version + 1 };
      },
    },
  },
});
