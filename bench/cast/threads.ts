/**
 * The cast of the threads bench: whom workers import. `driver` sends from its own thread, so that worker to worker is
 * measured; `burner` does nothing but arithmetic. All tell their thread, since an id's place isn't public.
 */
import { threadId } from 'node:worker_threads';
import { actor } from 'troupe';

export const counter = actor({
  name: 'counter',
  initialState: () => ({ count: 0 }),
  receive: {
    add(state, amount: number) {
      state.count += amount;
    },
    next(state, amount: number) {
      state.count += amount;
      return state.count;
    },
    total: (state) => state.count,
    thread: () => threadId,
  },
});

export const driver = actor({
  name: 'driver',
  initialState: () => ({ sent: 0 }),
  receive: {
    /** Tells that many bursts of so many, each when the last one is processed. */
    async tell(_state, { id, bursts, size }: { id: string; bursts: number; size: number }, ctx) {
      const ref = ctx.ref(counter, id);
      for (let burst = 0; burst < bursts; burst += 1) {
        for (let i = 0; i < size; i += 1) ref.tell('add', 1);
        await ref.ask('total');
      }
    },
    /** Asks so often, `lanes` at a time. */
    async ask(_state, { id, count, lanes }: { id: string; count: number; lanes: number }, ctx) {
      const ref = ctx.ref(counter, id);
      let begun = 0;
      const lane = async (): Promise<void> => {
        while (begun < count) {
          begun += 1;
          await ref.ask('next', 1);
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    },
    thread: () => threadId,
  },
});

/** Takes texts of any length. */
export const receiver = actor({
  name: 'receiver',
  initialState: () => ({ count: 0 }),
  receive: {
    take(state, _text: string) {
      state.count += 1;
    },
    count: (state) => state.count,
  },
});

/** Rounds of arithmetic: some 50 to 100 µs on a free core. */
const ROUNDS = 10_000;

export const burner = actor({
  name: 'burner',
  initialState: () => ({ count: 0, hash: 1 }),
  receive: {
    burn(state, seed: number) {
      let hash = state.hash ^ seed;
      for (let i = 0; i < ROUNDS; i += 1) hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) + i;
      state.hash = hash;
      state.count += 1;
      return hash;
    },
    total: (state) => state.count,
    thread: () => threadId,
  },
});
