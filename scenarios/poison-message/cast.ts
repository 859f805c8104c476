/** The cast of `poison-message`: what each worker imports. */
import { threadId } from 'node:worker_threads';
import { aggregate } from 'troupe';

export { account } from '../lost-workers/account.js';

/** Takes documents; one kind of them ends the thread that handles it, each time anew. */
export const inbox = aggregate({
  name: 'inbox',
  initialState: () => ({ documents: 0 }),
  events: {
    'document.filed': { apply: (state, _data: { number: number }) => ({ documents: state.documents + 1 }) },
  },
  commands: {
    file: {
      handle(_state, { number, poisonous }: { number: number; poisonous: boolean }, ctx) {
        // In a worker thread, this ends that thread and no other.
        if (poisonous) process.exit(1);
        ctx.emit('document.filed', { number });
      },
    },
  },
  queries: { thread: () => threadId },
});
