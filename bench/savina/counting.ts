/**
 * Savina's Counting: one actor sends to one other as fast as it can, and asks for the count.
 */
import { type ActorRef, actor } from 'troupe';
import { LARGE, PATIENT, pour, type SavinaBench, sized } from './savina-bench.js';

export const tally = actor({
  name: 'savina-tally',
  mailbox: LARGE,
  initialState: () => ({ count: 0 }),
  receive: {
    increment(state) {
      state.count += 1;
    },
    count: (state) => state.count,
  },
});

export const producer = actor({
  name: 'savina-producer',
  initialState: () => 0,
  receive: {
    async produce(_state, { id, messages }: { id: string; messages: number }, ctx) {
      await pour(ctx.ref(tally, id) as ActorRef, 'increment', messages);
      return ctx.ref(tally, id).ask('count', undefined, PATIENT);
    },
  },
});

export const counting: SavinaBench = {
  name: 'counting',
  question: '1,000,000 messages from one actor to another',
  async play(system, scale) {
    const messages = sized(1_000_000, scale);
    await system.spawn(tally, { id: 'tally' });
    const from = await system.spawn(producer, { id: 'producer' });
    const answer = await from.ask('produce', { id: 'tally', messages }, PATIENT);
    return { expected: messages, counted: answer, answer, known: messages };
  },
};
