/**
 * The aggregate of the journal benches: each deposit is one small event, or as many as asked for.
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
    /** As many events in one command. */
    depositEach: {
      handle(state, input: { amount: number; times: number }, ctx) {
        for (let i = 0; i < input.times; i += 1) ctx.emit('account.deposited', { amount: input.amount });
        return { balance: state.balance + input.amount * input.times };
      },
    },
  },
  queries: { balance: (state) => state.balance },
  passivateAfter: Infinity,
});
