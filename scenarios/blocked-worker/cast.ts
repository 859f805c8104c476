/** The cast of `blocked-worker`: what each worker imports. */
import { threadId } from 'node:worker_threads';
import { actor } from 'troupe';

export { account } from '../lost-workers/account.js';

/** Its handler never returns, and with it its whole thread does nothing else any more. */
export const dreamer = actor({
  name: 'dreamer',
  initialState: () => ({}),
  receive: {
    thread: () => threadId,
    dream() {
      let steps = 0;
      while (steps >= 0) steps += 1;
    },
  },
});
