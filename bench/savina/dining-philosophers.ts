/**
 * Savina's Dining Philosophers: an arbitrator gives both forks or none.
 */
import { actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

export const arbitrator = actor({
  name: 'savina-arbitrator',
  mailbox: LARGE,
  initialState: (philosophers: number) => ({
    philosophers,
    forks: Array.from({ length: philosophers }, () => false),
    meals: 0,
    done: undefined as number | undefined,
  }),
  receive: {
    hungry(state, seat: number, ctx) {
      const other = (seat + 1) % state.forks.length;
      if (state.forks[seat] === true || state.forks[other] === true) {
        ctx.sender?.tell('denied');
        return;
      }
      state.forks[seat] = true;
      state.forks[other] = true;
      ctx.sender?.tell('eat');
    },
    ate(state, seat: number) {
      state.forks[seat] = false;
      state.forks[(seat + 1) % state.forks.length] = false;
      state.meals += 1;
    },
    left(state, _payload: undefined, ctx) {
      state.philosophers -= 1;
      if (state.philosophers > 0) return;
      state.done = state.meals;
      ctx.unstashAll();
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

export const philosopher = actor({
  name: 'savina-philosopher',
  initialState: (args: { seat: number; rounds: number }) => ({ ...args, eaten: 0 }),
  receive: {
    start(state, _payload: undefined, ctx) {
      ctx.ref(arbitrator, 'table').tell('hungry', state.seat);
    },
    denied(state, _payload: undefined, ctx) {
      ctx.ref(arbitrator, 'table').tell('hungry', state.seat);
    },
    eat(state, _payload: undefined, ctx) {
      state.eaten += 1;
      const table = ctx.ref(arbitrator, 'table');
      table.tell('ate', state.seat);
      if (state.eaten < state.rounds) table.tell('hungry', state.seat);
      else table.tell('left');
    },
    eaten: (state) => state.eaten,
  },
});

export const diningPhilosophers: SavinaBench = {
  name: 'dining-philosophers',
  question: '20 philosophers eat 10,000 times each; denied ones ask again',
  async play(system, scale) {
    const seats = 20;
    const rounds = sized(10_000, scale);
    const table = await system.spawn(arbitrator, { id: 'table', args: seats });
    const refs = await Promise.all(
      Array.from({ length: seats }, (_, seat) =>
        system.spawn(philosopher, { id: `philosopher-${seat}`, args: { seat, rounds } }),
      ),
    );
    for (const ref of refs) ref.tell('start');
    const answer = (await table.ask('done', undefined, PATIENT)) ?? 0;
    const eaten = await Promise.all(refs.map((ref) => ref.ask('eaten')));
    const counted = eaten.reduce((sum, count) => sum + count, 0);
    return { expected: seats * rounds, counted, answer, known: seats * rounds };
  },
};
