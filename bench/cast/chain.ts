/**
 * The cast of the suites `reactions` and `sagas`: an account whose deposits lead to something.
 */
import { aggregate, reaction, saga } from 'troupe';
import { account } from './account.js';

/** Counts what reactions and sagas send it. */
export const ledger = aggregate({
  name: 'ledger',
  initialState: () => ({ lines: 0 }),
  events: { 'ledger.noted': { apply: (state, _data: { amount: number }) => ({ lines: state.lines + 1 }) } },
  commands: {
    note: {
      handle(state, input: { amount: number }, ctx) {
        ctx.emit('ledger.noted', input);
        return state.lines + 1;
      },
    },
  },
  queries: { lines: (state) => state.lines },
  passivateAfter: Infinity,
});

export const noteDeposits = reaction({
  name: 'note-deposits',
  of: [account],
  on: {
    'account.deposited': (event, ctx) => {
      ctx.tell(ledger, event.aggregateId, 'note', { amount: event.data.amount });
    },
  },
});

export const depositAndNote = saga({
  name: 'deposit-and-note',
  of: [account, ledger],
  async run(ctx, _input: { amount: number }) {
    await ctx.ask(account, ctx.id, 'deposit', { amount: 1 });
    await ctx.ask(ledger, ctx.id, 'note', { amount: 1 });
  },
});

export { account };
