/**
 * A shop by request and response: the desk asks the warehouse, then the bank, then the carrier, while the customer waits.
 *
 * One message at a time, so whoever asks the desk anything waits for whom the desk waits for.
 */
import { actor, isTroupeError } from 'troupe';
import { bank } from './bank.js';

/** One call of the desk, for the diagram. */
export interface Call {
  readonly orderId: string;
  readonly to: string;
  readonly what: string;
  readonly outcome: string;
}

/** Milliseconds that the desk waits for anybody. */
const PATIENCE = 1_000;

export const warehouse = actor({
  name: 'warehouse',
  initialState: () => ({ reserved: 0 }),
  receive: {
    reserve(state, _orderId: string) {
      state.reserved += 1;
    },
    reserved: (state) => state.reserved,
  },
});

export const carrier = actor({
  name: 'carrier',
  initialState: () => ({ shipped: 0 }),
  receive: {
    ship(state, _orderId: string) {
      state.shipped += 1;
    },
    shipped: (state) => state.shipped,
  },
});

export const desk = actor({
  name: 'desk',
  initialState: () => ({ calls: [] as Call[] }),
  receive: {
    async place(state, orderId: string, ctx) {
      const call = async <T>(to: string, what: string, ask: Promise<T>): Promise<T> => {
        try {
          const reply = await ask;
          state.calls.push({ orderId, to, what, outcome: reply === false ? 'not available' : 'done' });
          return reply;
        } catch (error) {
          state.calls.push({ orderId, to, what, outcome: isTroupeError(error) ? error.code : 'failed' });
          throw error;
        }
      };
      const options = { timeout: PATIENCE };
      await call('warehouse', 'reserve', ctx.ref(warehouse, 'the').ask('reserve', orderId, options));
      const paid = await call('bank', 'charge', ctx.ref(bank, 'asked').ask('charge', orderId, options));
      if (!paid) return 'the bank is not available';
      await call('carrier', 'ship', ctx.ref(carrier, 'the').ask('ship', orderId, options));
      return 'shipped';
    },
    /** Somebody who only wants to know when the shop is open. */
    opens: () => '9 to 5',
    calls: (state) => state.calls.slice(),
  },
});
