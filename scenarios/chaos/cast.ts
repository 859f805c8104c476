/**
 * The cast of `chaos`: accounts and meters that do honest work, and saboteurs that do everything to their worker that a
 * bad handler can do.
 */
import { threadId } from 'node:worker_threads';
import { actor, aggregate } from 'troupe';

/** Deposits are numbered by whoever sends them, so that the journal shows what is missing, double or out of order. */
export const account = aggregate({
  name: 'account',
  initialState: () => ({ deposits: 0 }),
  events: {
    'money.deposited': {
      apply: (state, _data: { number: number }) => ({ deposits: state.deposits + 1 }),
    },
  },
  commands: {
    deposit: {
      handle(_state, input: { number: number }, ctx) {
        ctx.emit('money.deposited', input);
      },
    },
  },
  passivateAfter: '10s',
});

/** A plain actor: what it has counted goes with its worker, it itself comes back. */
export const meter = actor({
  name: 'meter',
  initialState: () => ({ count: 0 }),
  receive: {
    tick(state) {
      state.count += 1;
    },
    /** Slow on purpose, so that a mailbox can be filled behind it. */
    async dawdle(_state, ms: number) {
      await new Promise((resolve) => setTimeout(resolve, ms));
    },
    count: (state) => state.count,
  },
  mailbox: { capacity: 1_000 },
});

/** Memory that nobody gives back, until the worker is replaced. */
const hoard: unknown[] = [];

export const saboteur = actor({
  name: 'saboteur',
  initialState: () => ({}),
  receive: {
    thread: () => threadId,
    /** In a worker, `process.exit` ends that thread and no other. */
    exit() {
      process.exit(1);
    },
    /** Outside of every handler, where nobody catches it. */
    fail() {
      setImmediate(() => {
        throw new Error('sabotage');
      });
    },
    /** The loop stands still. */
    block(_state, ms: number) {
      const until = performance.now() + ms;
      while (performance.now() < until);
    },
    /** A part of the heap, for good. */
    hoard(_state, mib: number) {
      hoard.push(Array.from({ length: mib * 8_192 }, (_, i) => ({ i })));
    },
  },
});
