/**
 * Savina's Sieve of Eratosthenes: a chain of actors that grows with the primes found; one message for each number.
 */
import { type ActorRef, actor } from 'troupe';
import { LARGE, PATIENT, pour, type SavinaBench, sized } from './savina-bench.js';

export const primeFilter = actor({
  name: 'savina-prime-filter',
  mailbox: LARGE,
  initialState: (args: { place: number; size: number; first: number }) => ({
    place: args.place,
    size: args.size,
    primes: [args.first],
    next: undefined as ActorRef | undefined,
    numbers: 0,
  }),
  receive: {
    /** Keeps a number that none of its primes divides, or hands it on when it has enough of them. */
    number(state, candidate: number, ctx) {
      state.numbers += 1;
      for (const prime of state.primes) if (candidate % prime === 0) return;
      if (state.next !== undefined) state.next.tell('number', candidate);
      else if (state.primes.length < state.size) state.primes.push(candidate);
      else {
        const place = state.place + 1;
        const args = { place, size: state.size, first: candidate };
        state.next = ctx.spawn(primeFilter, { id: `filter-${place}`, args }) as ActorRef;
      }
    },
    /** All numbers have come; asks those behind for theirs. */
    async end(state) {
      const behind = (await state.next?.ask('end', undefined, PATIENT)) as number | undefined;
      return state.primes.length + (behind ?? 0);
    },
    numbersSeen: (state) => state.numbers,
  },
});

function primesBelow(limit: number): number {
  const composite = new Uint8Array(limit);
  let count = 0;
  for (let i = 2; i < limit; i += 1) {
    if (composite[i] === 1) continue;
    count += 1;
    for (let j = i * i; j < limit; j += i) composite[j] = 1;
  }
  return count;
}

export const sieve: SavinaBench = {
  name: 'sieve',
  question: 'primes below 100,000 by a chain of actors, each of which keeps 1,000 of them',
  async play(system, scale) {
    const limit = sized(100_000, scale, 1_000);
    const first = await system.spawn(primeFilter, { id: 'filter-0', args: { place: 0, size: 1_000, first: 2 } });
    // 3, 5, 7 … below the limit.
    const sent = Math.ceil((limit - 3) / 2);
    await pour(first, 'number', sent, (index) => 3 + 2 * index);
    const answer = await first.ask('end', undefined, PATIENT);
    const counted = await first.ask('numbersSeen');
    return { expected: sent, counted, answer, known: primesBelow(limit) };
  },
};
