/**
 * Savina's Fibonacci: an actor for each call, which ends with its answer.
 */
import { type ActorRef, actor } from 'troupe';
import { PATIENT, type SavinaBench, whenDone } from './savina-bench.js';

export const fibonacciActor = actor({
  name: 'savina-fibonacci',
  initialState: () => ({
    asked: null as ActorRef | null,
    missing: 2,
    sum: 0,
    actors: 1,
    done: undefined as { sum: number; actors: number } | undefined,
  }),
  receive: {
    compute(state, n: number, ctx) {
      state.asked = ctx.sender;
      if (n <= 2) {
        report(state, 1, ctx);
        return;
      }
      ctx.spawn(fibonacciActor).tell('compute', n - 1);
      ctx.spawn(fibonacciActor).tell('compute', n - 2);
    },
    computed(state, part: { sum: number; actors: number }, ctx) {
      state.sum += part.sum;
      state.actors += part.actors;
      state.missing -= 1;
      if (state.missing === 0) report(state, state.sum, ctx);
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

interface FibonacciState {
  readonly asked: ActorRef | null;
  readonly actors: number;
  done: { sum: number; actors: number } | undefined;
}

/** To whoever asked, and then it ends; the first one keeps it until it is asked. */
function report(state: FibonacciState, sum: number, ctx: { stop(): void; unstashAll(): void }): void {
  if (state.asked === null) {
    state.done = { sum, actors: state.actors };
    ctx.unstashAll();
    return;
  }
  state.asked.tell('computed', { sum, actors: state.actors });
  ctx.stop();
}

function fibonacciOf(n: number): number {
  let [one, two] = [0, 1];
  for (let i = 0; i < n; i += 1) [one, two] = [two, one + two];
  return one;
}

export const fibonacci: SavinaBench = {
  name: 'fibonacci',
  question: 'the 25th number of Fibonacci (a smaller one with --quick), an actor for each call',
  async play(system, scale) {
    const n = scale < 1 ? 15 : 25;
    const ref = await system.spawn(fibonacciActor, { id: 'root' });
    ref.tell('compute', n);
    const done = await ref.ask('done', undefined, PATIENT);
    // Each actor gets one message with its task, and each but the first sends one with the result.
    const actors = 2 * fibonacciOf(n) - 1;
    const counted = 2 * (done?.actors ?? 0) - 1;
    return { expected: 2 * actors - 1, counted, answer: done?.sum ?? 0, known: fibonacciOf(n) };
  },
};
