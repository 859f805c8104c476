/**
 * The aggregate under load while workers are lost. Each deposit carries its number, so that the journal shows whether
 * any is missing, twice there, or out of order.
 */
import { threadId } from 'node:worker_threads';
import { aggregate } from 'troupe';

export const account = aggregate({
  name: 'account',
  initialState: () => ({ deposits: 0, balance: 0 }),
  events: {
    'money.deposited': {
      apply: (state, data: { number: number; amount: number }) => ({
        deposits: state.deposits + 1,
        balance: state.balance + data.amount,
      }),
    },
  },
  commands: {
    deposit: {
      handle(state, input: { number: number; amount: number }, ctx) {
        ctx.emit('money.deposited', input);
        return { deposits: state.deposits + 1 };
      },
    },
  },
  queries: {
    /** Where it lives: the thread changes when a worker is replaced. */
    thread: () => threadId,
  },
});
