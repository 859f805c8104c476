/**
 * The actor of the mailbox benches: counts what it is told and what it is asked, with synchronous handlers.
 */
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
  },
});
