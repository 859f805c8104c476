/**
 * Savina's Concurrent Dictionary: many read and write one map, which belongs to one actor.
 */
import { type ActorRef, actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

export const dictionary = actor({
  name: 'savina-dictionary',
  mailbox: LARGE,
  initialState: () => ({ entries: filled(), requests: 0 }),
  receive: {
    write(state, { key, value }: { key: number; value: number }, ctx) {
      state.requests += 1;
      state.entries.set(key, value);
      ctx.sender?.tell('result', value);
    },
    read(state, key: number, ctx) {
      state.requests += 1;
      ctx.sender?.tell('result', state.entries.get(key) ?? -1);
    },
    requests: (state) => state.requests,
  },
});

export const dictionaryUser = actor({
  name: 'savina-dictionary-user',
  initialState: (args: { me: number; messages: number; writePercent: number }) => ({
    ...args,
    seed: args.me + 1,
    results: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    start(state, _payload: undefined, ctx) {
      request(state, ctx.ref(dictionary, 'dictionary') as ActorRef);
    },
    result(state, _value: number, ctx) {
      state.results += 1;
      if (state.results < state.messages) request(state, ctx.ref(dictionary, 'dictionary') as ActorRef);
      else {
        state.done = state.results;
        ctx.unstashAll();
      }
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

/** Keys of the dictionary, all of them there from the beginning: Java's greatest int by 4,096. */
const KEYS = Math.floor(0x7fff_ffff / 4_096);

function filled(): Map<number, number> {
  const entries = new Map<number, number>();
  for (let key = 0; key < KEYS; key += 1) entries.set(key, key);
  return entries;
}

function request(state: { seed: number; writePercent: number }, to: ActorRef): void {
  state.seed = (Math.imul(state.seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  const key = (state.seed >> 4) % KEYS;
  if ((state.seed >> 8) % 100 < state.writePercent) to.tell('write', { key, value: state.seed });
  else to.tell('read', key);
}

export const concurrentDictionary: SavinaBench = {
  name: 'concurrent-dictionary',
  question: '20 users of one dictionary with 524,287 entries, 10,000 requests each, a tenth of them writes',
  async play(system, scale) {
    const users = 20;
    const messages = sized(10_000, scale);
    const book = await system.spawn(dictionary, { id: 'dictionary' });
    const refs = await Promise.all(
      Array.from({ length: users }, (_, me) =>
        system.spawn(dictionaryUser, { id: `user-${me}`, args: { me, messages, writePercent: 10 } }),
      ),
    );
    for (const ref of refs) ref.tell('start');
    const results = await Promise.all(refs.map((ref) => ref.ask('done', undefined, PATIENT)));
    const answered = results.reduce<number>((sum, result) => sum + (result ?? 0), 0);
    const answer = await book.ask('requests');
    return { expected: 2 * users * messages, counted: answered + answer, answer, known: users * messages };
  },
};
