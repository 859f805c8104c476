/** The cast of `event-sourcing`: accounts that charge a fee, by the rule of today or by one that somebody wonders about. */
import { aggregate } from 'troupe';

/** The account with a fee of so many per cent on what is withdrawn. */
function accountWithFee(percent: number) {
  return aggregate({
    name: 'account',
    initialState: () => ({ balance: 0, fees: 0 }),
    events: {
      'account.deposited': {
        apply: (state, data: { amount: number }) => ({ ...state, balance: state.balance + data.amount }),
      },
      'account.withdrawn': {
        apply: (state, data: { amount: number; fee: number }) => ({
          balance: state.balance - data.amount - data.fee,
          fees: state.fees + data.fee,
        }),
      },
    },
    commands: {
      deposit: { handle: (_state, input: { amount: number }, ctx) => ctx.emit('account.deposited', input) },
      withdraw: {
        handle(state, { amount }: { amount: number }, ctx) {
          const fee = Math.ceil((amount * percent) / 100);
          if (amount + fee > state.balance) ctx.reject('not-enough-money', `${ctx.id} has only ${state.balance}`);
          ctx.emit('account.withdrawn', { amount, fee });
        },
      },
    },
    snapshot: { every: 50 },
  });
}

export const account = accountWithFee(1);

/** What if the fee had been three per cent? */
export const dearerAccount = accountWithFee(3);
