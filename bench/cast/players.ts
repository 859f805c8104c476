/**
 * Actors of the mailbox bench that send by themselves: `player` plays ping-pong, `teller` tells counters.
 */
import { type ActorRef, actor } from 'troupe';
import { counter } from './counter.js';

/** Called when the last message of a volley has come; only on the thread of the bench. */
export const volley = { over: (): void => undefined };

export const player = actor({
  name: 'player',
  initialState: () => ({ hits: 0 }),
  receive: {
    /** Begins a volley of so many messages. */
    serve(_state, { to, messages }: { to: ActorRef; messages: number }) {
      to.tell('hit', messages - 1);
    },
    hit(state, left: number, ctx) {
      state.hits += 1;
      if (left > 0) ctx.sender?.tell('hit', left - 1);
      else volley.over();
    },
    hits: (state) => state.hits,
  },
});

export const teller = actor({
  name: 'teller',
  initialState: () => 0,
  receive: {
    tell(_state, { targets, each }: { targets: readonly string[]; each: number }, ctx) {
      for (const id of targets) {
        const ref = ctx.ref(counter, id);
        for (let i = 0; i < each; i += 1) ref.tell('add', 1);
      }
    },
    done: () => true,
  },
});
