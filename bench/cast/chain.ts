/**
 * The cast of the suites `reactions`, `sagas` and `timers`: an account whose deposits lead to something.
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

/** Asks its account so often, one ask after the other. */
export const depositOften = saga({
  name: 'deposit-often',
  of: [account],
  async run(ctx, { times }: { times: number }) {
    for (let i = 0; i < times; i += 1) await ctx.ask(account, ctx.id, 'deposit', { amount: 1 });
  },
});

/** Sleeps until a time, and tells how late it was. */
export const sleeper = saga({
  name: 'sleeper',
  passivateAfter: '1s',
  async run(ctx, { untilMs }: { untilMs: number }) {
    await ctx.sleep(Math.max(0, untilMs - Date.now()));
    return Date.now() - untilMs;
  },
});

/** Waits for a line in its ledger. */
export const waiter = saga({
  name: 'waiter',
  of: [ledger],
  passivateAfter: '1s',
  async run(ctx) {
    await ctx.waitFor('ledger.noted', { aggregateId: ctx.id });
  },
});

export { account };
