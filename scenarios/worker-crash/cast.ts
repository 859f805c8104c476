/** The cast of `worker-crash`: what each worker imports. */
import { threadId } from 'node:worker_threads';
import { actor } from 'troupe';

export { account } from '../lost-workers/account.js';

/** A plain actor: what it has counted lives in memory only, and goes with its worker. */
export const tally = actor({
  name: 'tally',
  initialState: () => ({ count: 0 }),
  receive: {
    add(state) {
      state.count += 1;
    },
    count: (state) => state.count,
    thread: () => threadId,
  },
});

/** Ends its worker: in a worker thread, `process.exit` ends that thread and no other. */
export const bomb = actor({
  name: 'bomb',
  initialState: () => ({}),
  receive: {
    thread: () => threadId,
    explode() {
      process.exit(1);
    },
  },
});
