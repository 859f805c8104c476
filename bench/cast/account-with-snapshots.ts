/** The account with a snapshot every thousand events; in a file of its own, because it has the same name. */
import { aggregate } from 'troupe';

interface AccountState {
  readonly balance: number;
}

export const accountWithSnapshots = aggregate({
  name: 'account',
  initialState: (): AccountState => ({ balance: 0 }),
  events: {
    'account.deposited': {
      apply: (state, data: { amount: number }) => ({ balance: state.balance + data.amount }),
    },
  },
  commands: {},
  queries: { balance: (state) => state.balance },
  snapshot: { every: 1_000, keep: 1, version: 1 },
  passivateAfter: Infinity,
});
