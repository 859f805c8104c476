/**
 * What the torture runs: accounts that pay each other by reaction, counters that follow, a saga for each payment that
 * sleeps, waits, and takes back what it did, and two read models.
 *
 * Every effect can be told from the journal alone: a payment names its receiver and number, whatever follows from it
 * carries its event's id as causation.
 */
import { aggregate, projection, reaction, saga } from 'troupe';

/** Accounts `a0`, `a1` …; beside them the account `closed`, which refuses what is paid into it. */
export const ACCOUNTS = 20;

export const account = aggregate({
  name: 'account',
  initialState: () => ({ balance: 0, movements: 0, sent: 0 }),
  events: {
    'account.deposited': {
      apply: (state, data: { amount: number }) => ({
        ...state,
        balance: state.balance + data.amount,
        movements: state.movements + 1,
      }),
    },
    'account.sent': {
      apply: (state, data: { amount: number; to: string; n: number }) => ({
        balance: state.balance - data.amount,
        movements: state.movements + 1,
        sent: data.n,
      }),
    },
    'account.credited': {
      apply: (state, data: { amount: number; from: string; n: number }) => ({
        ...state,
        balance: state.balance + data.amount,
        movements: state.movements + 1,
      }),
    },
  },
  commands: {
    deposit: {
      handle(state, input: { amount: number }, ctx) {
        ctx.emit('account.deposited', input);
        return state.balance + input.amount;
      },
    },
    /** Two events in one command, and a handler that takes its time. */
    split: {
      async handle(state, input: { amount: number }, ctx) {
        await Promise.resolve();
        ctx.emit('account.deposited', { amount: input.amount });
        ctx.emit('account.deposited', { amount: 1 });
        return state.balance + input.amount + 1;
      },
    },
    send: {
      handle(state, input: { amount: number; to: string }, ctx) {
        const n = state.sent + 1;
        ctx.emit('account.sent', { ...input, n });
        return n;
      },
    },
    credit: {
      handle(_state, input: { amount: number; from: string; n: number }, ctx) {
        if (ctx.id === 'closed') ctx.reject('account-closed', 'nothing can be paid into a closed account');
        ctx.emit('account.credited', input);
      },
    },
    /** A reply that rests on no event. */
    look: { handle: (state, _input: null) => state.movements },
    refuse: { handle: (_state, _input: null, ctx) => ctx.reject('never', 'this is never done') },
  },
  snapshot: { every: 7, bytes: 4_000 },
  passivateAfter: '150ms',
});

export const counter = aggregate({
  name: 'counter',
  initialState: () => ({ count: 0, total: 0 }),
  events: {
    'counter.counted': {
      apply: (state, data: { amount: number }) => ({ count: state.count + 1, total: state.total + data.amount }),
    },
  },
  commands: { count: { handle: (_state, input: { amount: number }, ctx) => ctx.emit('counter.counted', input) } },
});

export const deliver = reaction({
  name: 'deliver',
  of: [account],
  on: {
    'account.sent': ({ data, aggregateId }, ctx) => {
      ctx.tell(account, data.to, 'credit', { amount: data.amount, from: aggregateId, n: data.n });
    },
  },
});

export const follow = reaction({
  name: 'follow',
  of: [account],
  on: {
    'account.credited': async ({ data, aggregateId }, ctx) => {
      await ctx.ask(counter, aggregateId, 'count', { amount: data.amount });
    },
  },
});

/** What is held for one payment; its id is the sender and the number of the payment. */
export const guarantee = aggregate({
  name: 'guarantee',
  initialState: () => ({ held: 0 }),
  events: {
    'guarantee.held': { apply: (_state, { amount }: { amount: number }) => ({ held: amount }) },
    'guarantee.honoured': { apply: (_state, _data: { amount: number }) => ({ held: 0 }) },
    'guarantee.returned': { apply: (_state, _data: { amount: number }) => ({ held: 0 }) },
  },
  commands: {
    hold: { handle: (_state, input: { amount: number }, ctx) => ctx.emit('guarantee.held', input) },
    honour: {
      handle({ held }, _input: null, ctx) {
        if (held === 0) ctx.reject('nothing-held');
        ctx.emit('guarantee.honoured', { amount: held });
      },
    },
    giveBack: {
      handle({ held }, _input: null, ctx) {
        if (held > 0) ctx.emit('guarantee.returned', { amount: held });
      },
    },
  },
  passivateAfter: '150ms',
});

/** Holds a guarantee until the payment has arrived; when it never will, the guarantee is given back. */
export const guard = saga({
  name: 'guard',
  of: [account, guarantee],
  startOn: 'account.sent',
  id: ({ aggregateId, data }) => `${aggregateId}-${data.n}`,
  // Those that sleep for longer leave memory, and a durable timer brings them back.
  passivateAfter: '20ms',
  async run(ctx, { aggregateId: from, data: { to, n, amount } }) {
    ctx.compensate('give it back', () => ctx.ask(guarantee, ctx.id, 'giveBack', null));
    await ctx.ask(guarantee, ctx.id, 'hold', { amount });
    if (n % 3 === 0) await ctx.sleep(n % 9 === 0 ? '1500ms' : '60ms');
    if (to === 'closed') throw new Error('a closed account takes nothing');
    await ctx.waitFor('account.credited', {
      aggregateId: to,
      where: ({ data }) => data.from === from && data.n === n,
    });
    await ctx.ask(guarantee, ctx.id, 'honour', null);
  },
});

export const balances = projection({
  name: 'balances',
  of: [account],
  columns: { account: 'text primary key', balance: 'integer', movements: 'integer' },
  key: (event) => event.aggregateId,
  on: {
    'account.deposited': (row = EMPTY, { data }) => moved(row, data.amount),
    'account.sent': (row = EMPTY, { data }) => moved(row, -data.amount),
    'account.credited': (row = EMPTY, { data }) => moved(row, data.amount),
  },
});

export const payments = projection({
  name: 'payments',
  of: [account],
  columns: { pair: 'text primary key', payments: 'integer', total: 'integer', last: 'integer' },
  key: (event) => (event.type === 'account.sent' ? `${event.aggregateId}>${event.data.to}` : undefined),
  on: {
    'account.sent': (row = { payments: 0, total: 0, last: 0 }, { data }) => ({
      ...row,
      payments: row.payments + 1,
      total: row.total + data.amount,
      last: data.n,
    }),
  },
});

const EMPTY = { balance: 0, movements: 0 };

function moved<Row extends { readonly balance: number; readonly movements: number }>(row: Row, amount: number): Row {
  return { ...row, balance: row.balance + amount, movements: row.movements + 1 };
}
