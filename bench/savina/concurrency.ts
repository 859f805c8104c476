/**
 * Savina's concurrency benchmarks: who shares what with whom, and in which order.
 */
import { type ActorRef, actor } from 'troupe';
import { PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

const LARGE = { capacity: 1_000_000 } as const;

// Concurrent Dictionary

export const dictionary = actor({
  name: 'savina-dictionary',
  mailbox: LARGE,
  initialState: () => ({ entries: new Map<number, number>(), requests: 0 }),
  receive: {
    write(state, { key, value }: { key: number; value: number }, ctx) {
      state.requests += 1;
      state.entries.set(key, value);
      ctx.sender?.tell('result', value);
    },
    read(state, key: number, ctx) {
      state.requests += 1;
      ctx.sender?.tell('result', state.entries.get(key) ?? -1);
    },
    requests: (state) => state.requests,
  },
});

export const dictionaryUser = actor({
  name: 'savina-dictionary-user',
  initialState: (args: { me: number; messages: number; writePercent: number }) => ({
    ...args,
    seed: args.me + 1,
    results: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    start(state, _payload: undefined, ctx) {
      request(state, ctx.ref(dictionary, 'dictionary') as ActorRef);
    },
    result(state, _value: number, ctx) {
      state.results += 1;
      if (state.results < state.messages) request(state, ctx.ref(dictionary, 'dictionary') as ActorRef);
      else {
        state.done = state.results;
        ctx.unstashAll();
      }
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

const KEYS = 512;

function request(state: { seed: number; writePercent: number }, to: ActorRef): void {
  state.seed = (Math.imul(state.seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  const key = (state.seed >> 8) % KEYS;
  if ((state.seed >> 4) % 100 < state.writePercent) to.tell('write', { key, value: state.seed });
  else to.tell('read', key);
}

export const concurrentDictionary: SavinaBench = {
  name: 'concurrent-dictionary',
  question: '20 users of one dictionary, 10,000 requests each, a tenth of them writes',
  async play(system, scale) {
    const users = 20;
    const messages = sized(10_000, scale);
    const book = await system.spawn(dictionary, { id: 'dictionary' });
    const refs = await Promise.all(
      Array.from({ length: users }, (_, me) =>
        system.spawn(dictionaryUser, { id: `user-${me}`, args: { me, messages, writePercent: 10 } }),
      ),
    );
    for (const ref of refs) ref.tell('start');
    const results = await Promise.all(refs.map((ref) => ref.ask('done', undefined, PATIENT)));
    const answered = results.reduce<number>((sum, result) => sum + (result ?? 0), 0);
    const answer = await book.ask('requests');
    return { expected: 2 * users * messages, counted: answered + answer, answer, known: users * messages };
  },
};

// Bounded Buffer

interface Item {
  readonly value: number;
}

export const buffer = actor({
  name: 'savina-buffer',
  mailbox: LARGE,
  initialState: (args: { size: number; items: number }) => ({
    ...args,
    ready: [] as Item[],
    /** Producers that were told to wait, and consumers that wait. */
    blocked: [] as ActorRef[],
    hungry: [] as ActorRef[],
    /** Places given to producers whose item has not come yet. */
    promised: 0,
    passed: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    /** A producer wants a place. */
    place(state, _payload: undefined, ctx) {
      const { sender } = ctx;
      if (sender === null) return;
      if (state.ready.length + state.promised < state.size) {
        state.promised += 1;
        sender.tell('produce');
      } else state.blocked.push(sender);
    },
    item(state, item: Item) {
      state.promised -= 1;
      state.ready.push(item);
      serve(state);
    },
    /** A consumer wants an item. */
    available(state, _payload: undefined, ctx) {
      if (ctx.sender !== null) state.hungry.push(ctx.sender);
      serve(state);
    },
    consumed(state, _payload: undefined, ctx) {
      state.passed += 1;
      if (state.passed < state.items) return;
      state.done = state.passed;
      ctx.unstashAll();
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

interface BufferState {
  readonly ready: Item[];
  readonly blocked: ActorRef[];
  readonly hungry: ActorRef[];
  promised: number;
}

function serve(state: BufferState): void {
  while (state.ready.length > 0 && state.hungry.length > 0) {
    state.hungry.shift()?.tell('consume', state.ready.shift());
    const producer = state.blocked.shift();
    if (producer === undefined) continue;
    state.promised += 1;
    producer.tell('produce');
  }
}

/** Work of an item: some arithmetic, as in the original. */
function work(cost: number): number {
  let value = 0;
  for (let i = 0; i < cost * 100; i += 1) value += Math.log(i + 1);
  return value;
}

export const bufferProducer = actor({
  name: 'savina-buffer-producer',
  initialState: (args: { items: number; cost: number }) => ({ ...args }),
  receive: {
    start(_state, _payload: undefined, ctx) {
      ctx.ref(buffer, 'buffer').tell('place');
    },
    produce(state, _payload: undefined, ctx) {
      const ref = ctx.ref(buffer, 'buffer');
      ref.tell('item', { value: work(state.cost) });
      state.items -= 1;
      if (state.items > 0) ref.tell('place');
    },
  },
});

export const bufferConsumer = actor({
  name: 'savina-buffer-consumer',
  initialState: (args: { cost: number }) => ({ ...args, eaten: 0 }),
  receive: {
    start(_state, _payload: undefined, ctx) {
      ctx.ref(buffer, 'buffer').tell('available');
    },
    consume(state, _item: Item, ctx) {
      work(state.cost);
      state.eaten += 1;
      const ref = ctx.ref(buffer, 'buffer');
      ref.tell('consumed');
      ref.tell('available');
    },
    eaten: (state) => state.eaten,
  },
});

export const boundedBuffer: SavinaBench = {
  name: 'bounded-buffer',
  question: '40 producers pass 1,000 items each through a buffer of 50 to 40 consumers',
  async play(system, scale) {
    const each = sized(1_000, scale);
    const people = 40;
    const items = people * each;
    const store = await system.spawn(buffer, { id: 'buffer', args: { size: 50, items } });
    const consumers = [];
    for (let i = 0; i < people; i += 1) {
      const consumer = await system.spawn(bufferConsumer, { id: `consumer-${i}`, args: { cost: 25 } });
      consumer.tell('start');
      consumers.push(consumer);
      const producer = await system.spawn(bufferProducer, { id: `producer-${i}`, args: { items: each, cost: 25 } });
      producer.tell('start');
    }
    const answer = (await store.ask('done', undefined, PATIENT)) ?? 0;
    const eaten = await Promise.all(consumers.map((ref) => ref.ask('eaten', undefined, PATIENT)));
    const counted = eaten.reduce((sum, count) => sum + count, 0);
    return { expected: items, counted, answer, known: items };
  },
};

// Dining Philosophers

export const arbitrator = actor({
  name: 'savina-arbitrator',
  mailbox: LARGE,
  initialState: (philosophers: number) => ({
    philosophers,
    forks: Array.from({ length: philosophers }, () => false),
    meals: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    hungry(state, seat: number, ctx) {
      const other = (seat + 1) % state.forks.length;
      if (state.forks[seat] === true || state.forks[other] === true) {
        ctx.sender?.tell('denied');
        return;
      }
      state.forks[seat] = true;
      state.forks[other] = true;
      ctx.sender?.tell('eat');
    },
    ate(state, seat: number) {
      state.forks[seat] = false;
      state.forks[(seat + 1) % state.forks.length] = false;
      state.meals += 1;
    },
    left(state, _payload: undefined, ctx) {
      state.philosophers -= 1;
      if (state.philosophers > 0) return;
      state.done = state.meals;
      ctx.unstashAll();
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

export const philosopher = actor({
  name: 'savina-philosopher',
  initialState: (args: { seat: number; rounds: number }) => ({ ...args, eaten: 0 }),
  receive: {
    start(state, _payload: undefined, ctx) {
      ctx.ref(arbitrator, 'table').tell('hungry', state.seat);
    },
    denied(state, _payload: undefined, ctx) {
      ctx.ref(arbitrator, 'table').tell('hungry', state.seat);
    },
    eat(state, _payload: undefined, ctx) {
      state.eaten += 1;
      const table = ctx.ref(arbitrator, 'table');
      table.tell('ate', state.seat);
      if (state.eaten < state.rounds) table.tell('hungry', state.seat);
      else table.tell('left');
    },
    eaten: (state) => state.eaten,
  },
});

export const diningPhilosophers: SavinaBench = {
  name: 'dining-philosophers',
  question: '20 philosophers eat 10,000 times each; denied ones ask again',
  async play(system, scale) {
    const seats = 20;
    const rounds = sized(10_000, scale);
    const table = await system.spawn(arbitrator, { id: 'table', args: seats });
    const refs = await Promise.all(
      Array.from({ length: seats }, (_, seat) =>
        system.spawn(philosopher, { id: `philosopher-${seat}`, args: { seat, rounds } }),
      ),
    );
    for (const ref of refs) ref.tell('start');
    const answer = (await table.ask('done', undefined, PATIENT)) ?? 0;
    const eaten = await Promise.all(refs.map((ref) => ref.ask('eaten')));
    const counted = eaten.reduce((sum, count) => sum + count, 0);
    return { expected: seats * rounds, counted, answer, known: seats * rounds };
  },
};

// Logistic Map Series

export const rateComputer = actor({
  name: 'savina-rate-computer',
  initialState: (rate: number) => ({ rate, count: 0 }),
  receive: {
    compute(state, term: number, ctx) {
      state.count += 1;
      ctx.sender?.tell('computed', state.rate * term * (1 - term));
    },
    count: (state) => state.count,
  },
});

export const series = actor({
  name: 'savina-series',
  initialState: (args: { term: number; terms: number; computer: string }) => ({
    ...args,
    left: args.terms,
    done: undefined as number | undefined,
  }),
  receive: {
    start(state, _payload: undefined, ctx) {
      ctx.ref(rateComputer, state.computer).tell('compute', state.term);
    },
    computed(state, term: number, ctx) {
      state.term = term;
      state.left -= 1;
      if (state.left > 0) ctx.sender?.tell('compute', term);
      else {
        state.done = term;
        ctx.unstashAll();
      }
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

const RATE = 3.46;
const INCREMENT = 0.0025;

export const logisticMap: SavinaBench = {
  name: 'logistic-map',
  question: '10 series of 25,000 terms, each with a computer of its own',
  async play(system, scale) {
    const count = 10;
    const terms = sized(25_000, scale);
    let known = 0;
    const refs = [];
    const computers = [];
    for (let i = 0; i < count; i += 1) {
      const rate = RATE + i * INCREMENT;
      const start = (i + 1) * INCREMENT;
      let term = start;
      for (let j = 0; j < terms; j += 1) term = rate * term * (1 - term);
      known += term;
      computers.push(await system.spawn(rateComputer, { id: `computer-${i}`, args: rate }));
      refs.push(
        await system.spawn(series, { id: `series-${i}`, args: { term: start, terms, computer: `computer-${i}` } }),
      );
    }
    for (const ref of refs) ref.tell('start');
    let answer = 0;
    for (const ref of refs) {
      const term = (await ref.ask('done', undefined, PATIENT)) ?? 0;
      answer += term;
    }
    const counts = await Promise.all(computers.map((ref) => ref.ask('count')));
    const counted = counts.reduce((sum, one) => sum + one, 0);
    return { expected: count * terms, counted, answer, known };
  },
};

// Bank Transaction

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
      // Each reply begins the next transaction; so many are under way at once.
      for (let i = 0; i < Math.min(TRANSFERS_AT_ONCE, state.transactions); i += 1) transfer(state, ctx);
    },
    transferred(state, _payload: undefined, ctx) {
      state.completed += 1;
      if (state.completed + TRANSFERS_AT_ONCE <= state.transactions) transfer(state, ctx);
      if (state.completed < state.transactions) return;
      state.done = state.completed;
      ctx.unstashAll();
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

const TRANSFERS_AT_ONCE = 500;

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
