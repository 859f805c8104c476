/**
 * A first scenario: friends send each other money. One aggregate decides, one reaction follows, the journal remembers.
 */
import { ActorSystem, aggregate, defineScenario, isTroupeError, reaction } from 'troupe';

export const account = aggregate({
  name: 'account',
  initialState: () => ({ balance: 0 }),
  events: {
    'money.received': { apply: (state, data: { amount: number }) => ({ balance: state.balance + data.amount }) },
    'money.sent': {
      apply: (state, data: { amount: number; to: string }) => ({ balance: state.balance - data.amount }),
    },
  },
  commands: {
    receive: { handle: (_state, input: { amount: number }, ctx) => ctx.emit('money.received', input) },
    send: {
      handle(state, input: { amount: number; to: string }, ctx) {
        if (input.amount > state.balance) ctx.reject('not-enough-money', `${ctx.id} has only ${state.balance}`);
        ctx.emit('money.sent', input);
      },
    },
  },
  queries: { balance: (state) => state.balance },
});

export const deliver = reaction({
  name: 'deliver',
  of: [account],
  on: { 'money.sent': ({ data }, ctx) => ctx.tell(account, data.to, 'receive', { amount: data.amount }) },
});

export const helloEvents = defineScenario({
  name: 'hello-events',
  title: 'Money that never gets lost',
  goal: 'Show an aggregate that decides, a reaction that follows, and a journal that remembers both.',
  method:
    'Five friends with 1,000 each try 1,000 payments, all at once. What one sends, a reaction brings to the other.',
  expected: 'Nobody is overdrawn, every payment arrives once, and the 5,000 are still there.',
  async run(ctx) {
    const friends = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve'];
    const draw = (below: number) => Math.floor(ctx.random() * below);
    const { journal, workers } = ctx;
    // The cast is this file: what it exports is what the system knows.
    const system = await ActorSystem.start({ name: 'hello', cast: new URL(import.meta.url), journal, workers });
    const before = system.metrics().position;
    try {
      const accounts = friends.map((name) => system.ref(account, name));
      const anyone = () => accounts[draw(friends.length)] ?? system.ref(account, 'Ada');
      // Commands with ids: on a journal that has them already, nobody gets the 1,000 twice.
      await Promise.all(accounts.map((one) => one.ask('receive', { amount: 1_000 }, { id: `gift-to-${one.id}` })));
      const attempts = Array.from({ length: 1_000 }, () =>
        anyone().ask('send', { amount: 1 + draw(20), to: anyone().id }),
      );
      const answers = await Promise.allSettled(attempts);
      await system.settled();

      const balances = await Promise.all(accounts.map((one) => one.ask('balance')));
      const count = { 'money.received': 0, 'money.sent': 0 };
      for await (const { type } of system.readAll()) count[type === 'money.sent' ? type : 'money.received']++;
      const refused = answers.filter((answer) => answer.status === 'rejected');

      ctx.bars(friends.map((label, index) => ({ label, value: balances[index] ?? 0 })));
      ctx.events(system.metrics().position - before);
      ctx.total('refused', refused.length);
      ctx.check(
        'all the money is there',
        5_000,
        balances.reduce((sum, balance) => sum + balance, 0),
      );
      ctx.check('every payment arrives once', count['money.sent'], count['money.received'] - friends.length);
      ctx.checkThat(
        'nobody is overdrawn',
        balances.every((balance) => balance >= 0),
      );
      ctx.checkThat(
        'payments fail for want of money only',
        refused.every(({ reason }) => isTroupeError(reason, 'TROUPE_REJECTED')),
      );
    } finally {
      await system.stop();
    }
  },
});
