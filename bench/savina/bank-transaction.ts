/**
 * Savina's Bank Transaction: transfers between accounts, each of which waits for the other side before it takes the
 * next; the teller orders all of them at once.
 */
import { type ActorRef, actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

export const teller = actor({
  name: 'savina-teller',
  mailbox: LARGE,
  initialState: (args: { accounts: number; transactions: number }) => ({
    ...args,
    seed: 1,
    completed: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    start(state, _payload: undefined, ctx) {
      for (let i = 0; i < state.transactions; i += 1) transfer(state, ctx);
    },
    transferred(state, _payload: undefined, ctx) {
      state.completed += 1;
      if (state.completed < state.transactions) return;
      state.done = state.completed;
      ctx.unstashAll();
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

interface Sending {
  ref(definition: typeof bankAccount, id: string): ActorRef<typeof bankAccount>;
}

/** From an account to one behind it, so that no two wait for one another. */
function transfer(state: { seed: number; accounts: number }, ctx: Sending): void {
  state.seed = (Math.imul(state.seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  const from = (state.seed >> 8) % Math.max(1, Math.floor((state.accounts * 8) / 10));
  const to = from + 1 + ((state.seed >> 4) % (state.accounts - from - 1));
  ctx.ref(bankAccount, `account-${from}`).tell('debit', { to: `account-${to}`, amount: (state.seed >> 6) % 1_000 });
}

export const bankAccount = actor({
  name: 'savina-account',
  mailbox: LARGE,
  initialState: () => ({ balance: 0, messages: 0 }),
  receive: {
    /** Nothing else is handled until the other side has been credited. */
    async debit(state, { to, amount }: { to: string; amount: number }, ctx) {
      const { sender } = ctx;
      state.messages += 1;
      state.balance -= amount;
      await ctx.ref(bankAccount, to).ask('credit', amount, PATIENT);
      sender?.tell('transferred');
    },
    credit(state, amount: number) {
      state.messages += 1;
      state.balance += amount;
    },
    facts: ({ balance, messages }) => ({ balance, messages }),
  },
});

export const bankTransaction: SavinaBench = {
  name: 'bank-transaction',
  question: '50,000 transfers among 1,000 accounts; the sum of all balances stays nought',
  async play(system, scale) {
    const accounts = 1_000;
    const transactions = sized(50_000, scale);
    const refs = await Promise.all(
      Array.from({ length: accounts }, (_, i) => system.spawn(bankAccount, { id: `account-${i}` })),
    );
    const ref = await system.spawn(teller, { id: 'teller', args: { accounts, transactions } });
    ref.tell('start');
    await ref.ask('done', undefined, PATIENT);
    let answer = 0;
    let counted = 0;
    for (const one of refs) {
      const { balance, messages } = await one.ask('facts');
      answer += balance;
      counted += messages;
    }
    return { expected: 2 * transactions, counted, answer, known: 0 };
  },
};
