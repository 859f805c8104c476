/**
 * Savina's Logistic Map Series: an actor that has to wait for an answer before it takes its next message.
 */
import { type ActorRef, actor } from 'troupe';
import { LARGE, PATIENT, pour, type SavinaBench, sized } from './savina-bench.js';

export const rateComputer = actor({
  name: 'savina-rate-computer',
  initialState: (rate: number) => ({ rate, count: 0 }),
  receive: {
    compute(state, term: number) {
      state.count += 1;
      return state.rate * term * (1 - term);
    },
    count: (state) => state.count,
  },
});

export const series = actor({
  name: 'savina-series',
  mailbox: LARGE,
  initialState: (args: { term: number; computer: string }) => ({ ...args, steps: 0 }),
  receive: {
    /** The next message is handled when the answer is there. */
    async next(state, _payload: undefined, ctx) {
      state.term = await ctx.ref(rateComputer, state.computer).ask('compute', state.term, PATIENT);
      state.steps += 1;
    },
    term: ({ term, steps }) => ({ term, steps }),
  },
});

const RATE = 3.46;
const INCREMENT = 0.0025;

export const logisticMap: SavinaBench = {
  name: 'logistic-map',
  question: '10 series of 25,000 terms, each with a computer of its own',
  async play(system, scale) {
    const count = 10;
    const terms = sized(25_000, scale);
    let known = 0;
    const computers = [];
    const refs = [];
    for (let i = 0; i < count; i += 1) {
      const rate = RATE + i * INCREMENT;
      // The original begins with 0 in the first series, where it then stays.
      const start = (i + 1) * INCREMENT;
      let term = start;
      for (let j = 0; j < terms; j += 1) term = rate * term * (1 - term);
      known += term;
      computers.push(await system.spawn(rateComputer, { id: `computer-${i}`, args: rate }));
      refs.push(await system.spawn(series, { id: `series-${i}`, args: { term: start, computer: `computer-${i}` } }));
    }
    await Promise.all(refs.map((ref) => pour(ref as ActorRef, 'next', terms)));
    let answer = 0;
    let counted = 0;
    for (const ref of refs) {
      const { term, steps } = await ref.ask('term', undefined, PATIENT);
      answer += term;
      counted += steps;
    }
    for (const computer of computers) {
      const computed = await computer.ask('count');
      counted += 2 * computed;
    }
    // For each term: the request, the question to the computer, its answer.
    return { expected: 3 * count * terms, counted, answer, known };
  },
};
