/**
 * The busy neighbour of the fairness bench: its mailbox is never empty, because each message that it handles sends it
 * the next one. So it is flooded also while nobody else on the thread gets to run.
 */
import { actor } from 'troupe';

export const flooded = actor({
  name: 'flooded',
  initialState: () => ({ handled: 0, ended: false }),
  receive: {
    again(state, _nothing: undefined, ctx) {
      state.handled += 1;
      if (!state.ended) ctx.self.tell('again');
    },
    /** What waits is still handled, and nothing is sent any more. */
    end(state) {
      state.ended = true;
    },
    handled: (state) => state.handled,
  },
});
