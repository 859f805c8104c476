/**
 * The aggregate of the journal benches: each deposit is one small event.
 */
import { aggregate } from 'troupe';

interface AccountState {
  readonly balance: number;
}

export const account = aggregate({
  name: 'account',
  initialState: (): AccountState => ({ balance: 0 }),
  events: {
    'account.deposited': {
      apply: (state, data: { amount: number }) => ({ balance: state.balance + data.amount }),
    },
  },
  commands: {
    deposit: {
      handle(state, input: { amount: number }, ctx) {
        ctx.emit('account.deposited', input);
        return { balance: state.balance + input.amount };
      },
    },
  },
  queries: { balance: (state) => state.balance },
  passivateAfter: Infinity,
});
