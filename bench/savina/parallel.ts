/**
 * Savina's parallelism benchmarks: divide, compute, and put together again.
 */
import { type ActorRef, actor } from 'troupe';
import { PATIENT, type SavinaBench, sized, whenDone } from './savina-bench.js';

const LARGE = { capacity: 1_000_000 } as const;

// Sieve of Eratosthenes

/** A link of the chain: keeps so many primes and hands on what none of them divides. */
export const primeFilter = actor({
  name: 'savina-prime-filter',
  mailbox: LARGE,
  initialState: (args: { place: number; size: number }) => ({
    ...args,
    primes: [] as number[],
    next: undefined as ActorRef | undefined,
    numbers: 0,
    done: undefined as { primes: number; numbers: number } | undefined,
  }),
  receive: {
    /** Numbers in ascending order, many in a message for the sake of the mailbox. */
    numbers(state, candidates: readonly number[], ctx) {
      const rest: number[] = [];
      for (const candidate of candidates) {
        state.numbers += 1;
        if (isDivided(candidate, state.primes)) continue;
        if (state.primes.length < state.size) state.primes.push(candidate);
        else rest.push(candidate);
      }
      if (rest.length === 0) return;
      if (state.next === undefined) {
        const place = state.place + 1;
        state.next = ctx.spawn(primeFilter, { id: `filter-${place}`, args: { place, size: state.size } }) as ActorRef;
      }
      state.next.tell('numbers', rest);
    },
    /** All numbers have come; asks those behind for theirs. */
    async end(state) {
      const behind = (await state.next?.ask('end', undefined, PATIENT)) as number | undefined;
      return state.primes.length + (behind ?? 0);
    },
    numbersSeen: (state) => state.numbers,
  },
});

function isDivided(candidate: number, primes: readonly number[]): boolean {
  for (const prime of primes) {
    if (prime * prime > candidate) return false;
    if (candidate % prime === 0) return true;
  }
  return false;
}

function primesBelow(limit: number): number {
  const composite = new Uint8Array(limit + 1);
  let count = 0;
  for (let i = 2; i <= limit; i += 1) {
    if (composite[i] === 1) continue;
    count += 1;
    for (let j = i * i; j <= limit; j += i) composite[j] = 1;
  }
  return count;
}

export const sieve: SavinaBench = {
  name: 'sieve',
  question: 'primes below 100,000 by a chain of actors, each of which keeps 1,000 of them',
  async play(system, scale) {
    const limit = sized(100_000, scale, 1_000);
    const first = await system.spawn(primeFilter, { id: 'filter-0', args: { place: 0, size: 1_000 } });
    let sent = 0;
    const candidates: number[] = [2];
    for (let n = 3; n <= limit; n += 2) candidates.push(n);
    for (let i = 0; i < candidates.length; i += 100) {
      const some = candidates.slice(i, i + 100);
      sent += some.length;
      await first.send('numbers', some, PATIENT);
    }
    const answer = await first.ask('end', undefined, PATIENT);
    const counted = await first.ask('numbersSeen');
    return { expected: sent, counted, answer, known: primesBelow(limit) };
  },
};

// N-Queens

export const queensMaster = actor({
  name: 'savina-queens-master',
  mailbox: LARGE,
  initialState: (args: { size: number; workers: number; threshold: number }) => ({
    ...args,
    next: 0,
    open: 0,
    messages: 0,
    solutions: 0,
    refs: [] as ActorRef[],
    done: undefined as { solutions: number; messages: number } | undefined,
  }),
  receive: {
    start(state, workers: readonly string[], ctx) {
      state.refs = workers.map((id) => ctx.ref(queensWorker, id) as ActorRef);
      hand(state, []);
    },
    /** More to do: a board down to some row. */
    board(state, board: readonly number[]) {
      hand(state, board);
    },
    /** A piece of work is done. */
    worked(state, solutions: number, ctx) {
      state.solutions += solutions;
      state.open -= 1;
      if (state.open > 0) return;
      state.done = { solutions: state.solutions, messages: state.messages };
      ctx.unstashAll();
    },
    done: (state, _payload: undefined, ctx) => whenDone(state.done, ctx),
  },
});

interface MasterState {
  readonly size: number;
  readonly threshold: number;
  readonly refs: readonly ActorRef[];
  next: number;
  open: number;
  messages: number;
}

function hand(state: MasterState, board: readonly number[]): void {
  state.open += 1;
  state.messages += 1;
  state.next += 1;
  const { size, threshold } = state;
  state.refs[state.next % state.refs.length]?.tell('work', { board, size, threshold });
}

export const queensWorker = actor({
  name: 'savina-queens-worker',
  mailbox: LARGE,
  initialState: () => ({ pieces: 0 }),
  receive: {
    work(state, { board, size, threshold }: { board: readonly number[]; size: number; threshold: number }, ctx) {
      state.pieces += 1;
      let solutions = 0;
      if (board.length >= threshold) solutions = solve([...board], size);
      else
        for (let column = 0; column < size; column += 1)
          if (isFree(board, column)) ctx.sender?.tell('board', [...board, column]);
      ctx.sender?.tell('worked', solutions);
    },
    pieces: (state) => state.pieces,
  },
});

function isFree(board: readonly number[], column: number): boolean {
  for (let row = 0; row < board.length; row += 1) {
    const other = board[row] ?? 0;
    if (other === column || Math.abs(other - column) === board.length - row) return false;
  }
  return true;
}

function solve(board: number[], size: number): number {
  if (board.length === size) return 1;
  let count = 0;
  for (let column = 0; column < size; column += 1) {
    if (!isFree(board, column)) continue;
    board.push(column);
    count += solve(board, size);
    board.pop();
  }
  return count;
}

/** Solutions by size of the board. */
const SOLUTIONS: Readonly<Record<number, number>> = { 8: 92, 9: 352, 10: 724, 11: 2_680, 12: 14_200 };

export const queens: SavinaBench = {
  name: 'n-queens',
  question: 'all ways to put 12 queens on a board (fewer with --quick), by 20 workers, divided down to row 4',
  async play(system, scale) {
    const size = scale < 1 ? 9 : 12;
    const ids = Array.from({ length: 20 }, (_, i) => `queens-${i}`);
    const workers = await Promise.all(ids.map((id) => system.spawn(queensWorker, { id })));
    const master = await system.spawn(queensMaster, { id: 'master', args: { size, workers: 20, threshold: 4 } });
    master.tell('start', ids);
    const done = await master.ask('done', undefined, PATIENT);
    const pieces = await Promise.all(workers.map((ref) => ref.ask('pieces')));
    const counted = pieces.reduce((sum, count) => sum + count, 0);
    return { expected: done?.messages ?? 0, counted, answer: done?.solutions ?? 0, known: SOLUTIONS[size] ?? 0 };
  },
};

// Fibonacci

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
