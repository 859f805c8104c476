/** The cast of `backpressure`: slow consumers, one for each way to deal with a full mailbox, and one who has time. */
import { actor, type OverflowPolicy } from 'troupe';

export const CAPACITY = 100;

/** Takes its time with each message, and remembers which came, in order. */
function consumer(name: string, overflow: OverflowPolicy) {
  return actor({
    name,
    initialState: () => ({ seen: [] as number[] }),
    receive: {
      async item(state, n: number) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        state.seen.push(n);
      },
      seen: (state) => state.seen,
    },
    mailbox: { capacity: CAPACITY, overflow },
  });
}

export const rejecting = consumer('rejecting', 'reject');
export const droppingOldest = consumer('dropping-oldest', 'drop-oldest');
export const droppingNewest = consumer('dropping-newest', 'drop-newest');
export const waitedFor = consumer('waited-for', 'reject');

/** Answers at once, beside all of that. */
export const neighbour = actor({
  name: 'neighbour',
  initialState: () => ({}),
  receive: { ping: () => 'pong' },
});
