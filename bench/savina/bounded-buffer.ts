/**
 * Savina's Bounded Buffer: producers wait for places in it, consumers for items.
 */
import { type ActorRef, actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

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
