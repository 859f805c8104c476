/**
 * The payment service, money in: one aggregate per order, charged once.
 *
 * An order of 0 is charged as well: it is an order like any other to whoever waits for `payment.processed`. `void` gives
 * the money back, or sees to it that it is never taken: whichever of the two comes first, nobody pays for nothing.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const charge = z.object({ customerId: z.string().nullable(), country: z.string(), amountMills: z.int() });
const reason = z.object({ reason: z.string() });

interface PaymentState {
  readonly status: 'new' | 'charged' | 'declined' | 'voided';
  readonly amountMills: number;
  /** Why a charge will be declined. */
  readonly blocked: string | null;
}

export const payment = aggregate({
  name: 'payment',
  initialState: (): PaymentState => ({ status: 'new', amountMills: 0, blocked: null }),
  events: {
    'payment.processed': {
      schema: charge,
      apply: (state, data) => ({ ...state, status: 'charged', amountMills: data.amountMills }),
    },
    /** The bank won't pay for this order. */
    'payment.blocked': { schema: reason, apply: (state, data) => ({ ...state, blocked: data.reason }) },
    'payment.declined': { schema: reason, apply: (state) => ({ ...state, status: 'declined' }) },
    /** `amountMills`: what went back. */
    'payment.voided': {
      schema: z.object({ amountMills: z.int() }),
      apply: (state) => ({ ...state, status: 'voided' }),
    },
  },
  commands: {
    charge: {
      schema: charge,
      handle(state, input, ctx) {
        if (state.status === 'charged') ctx.reject('already-charged', `order ${ctx.id} is paid already`);
        if (state.status !== 'new') return state.status;
        if (state.blocked === null) ctx.emit('payment.processed', input);
        else ctx.emit('payment.declined', { reason: state.blocked });
        return state.blocked === null ? ('charged' as const) : ('declined' as const);
      },
    },
    block: {
      schema: reason,
      handle(_state, input, ctx) {
        ctx.emit('payment.blocked', input);
      },
    },
    /** Gives the money back, or keeps it from being taken; a second time changes nothing. */
    void: {
      schema: z.object({}),
      handle(state, _input, ctx) {
        if (state.status === 'new' || state.status === 'charged') {
          ctx.emit('payment.voided', { amountMills: state.amountMills });
        }
      },
    },
  },
  passivateAfter: '5s',
});
