/**
 * Savina's N-Queens: a master hands boards to workers, which split them or, deep enough, search them; each solution is a
 * message. Counted are the pieces of work. Priorities and the limit of solutions, which 12 queens don't reach, are left out.
 */
import { type ActorRef, actor } from 'troupe';
import { LARGE, PATIENT, type SavinaBench, whenDone } from './savina-bench.js';

export const queensMaster = actor({
  name: 'savina-queens-master',
  mailbox: LARGE,
  initialState: (args: { size: number; workers: number; threshold: number }) => ({
    ...args,
    next: 0,
    open: 0,
    pieces: 0,
    solutions: 0,
    refs: [] as ActorRef[],
    done: undefined as { solutions: number; pieces: number } | undefined,
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
    solution(state) {
      state.solutions += 1;
    },
    /** A piece of work is done; its boards and solutions came before. */
    worked(state, _payload: undefined, ctx) {
      state.open -= 1;
      if (state.open > 0) return;
      state.done = { solutions: state.solutions, pieces: state.pieces };
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
  pieces: number;
}

function hand(state: MasterState, board: readonly number[]): void {
  state.open += 1;
  state.pieces += 1;
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
      const { sender } = ctx;
      if (board.length >= threshold) solve([...board], size, () => sender?.tell('solution'));
      else
        for (let column = 0; column < size; column += 1)
          if (isFree(board, column)) sender?.tell('board', [...board, column]);
      sender?.tell('worked');
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

function solve(board: number[], size: number, found: () => void): void {
  if (board.length === size) found();
  for (let column = 0; column < size && board.length < size; column += 1) {
    if (!isFree(board, column)) continue;
    board.push(column);
    solve(board, size, found);
    board.pop();
  }
}

/** Solutions by size of the board. */
const SOLUTIONS: Readonly<Record<number, number>> = { 8: 92, 9: 352, 10: 724, 11: 2_680, 12: 14_200 };

export const queens: SavinaBench = {
  name: 'n-queens',
  question: 'all ways to put 12 queens on a board (fewer with --quick), by 20 workers, divided down to row 4',
  async play(system, scale) {
    const size = scale < 1 ? 8 : 12;
    const ids = Array.from({ length: 20 }, (_, i) => `queens-${i}`);
    const workers = await Promise.all(ids.map((id) => system.spawn(queensWorker, { id })));
    const master = await system.spawn(queensMaster, { id: 'master', args: { size, workers: 20, threshold: 4 } });
    master.tell('start', ids);
    const done = await master.ask('done', undefined, PATIENT);
    const pieces = await Promise.all(workers.map((ref) => ref.ask('pieces')));
    const counted = pieces.reduce((sum, count) => sum + count, 0);
    return { expected: done?.pieces ?? 0, counted, answer: done?.solutions ?? 0, known: SOLUTIONS[size] ?? 0 };
  },
};
