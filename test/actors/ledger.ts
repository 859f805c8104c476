/** An aggregate for attacks: commands that succeed, refuse, throw, wait and lie. */
import { aggregate } from '../../src/actors/aggregate-definition.js';

interface LedgerState {
  readonly sum: number;
  readonly count: number;
}

/** What a test makes the handlers do; they run on this thread. */
export class Script {
  /** Called at the start of each handler with its input. */
  onHandle: (input: unknown) => unknown = () => undefined;
  handled: unknown[] = [];
  /** Handlers running at this moment, and the most there have been at once. */
  running = 0;
  mostRunning = 0;
}

export interface LedgerOptions {
  readonly capacity?: number;
  readonly overflow?: 'reject' | 'drop-oldest' | 'drop-newest';
  readonly snapshotEvery?: number;
  readonly passivateAfter?: number;
}

/** A definition of its own for each test. */
export function ledger(script: Script = new Script(), options: LedgerOptions = {}) {
  const { capacity = 10_000, overflow = 'reject', snapshotEvery, passivateAfter = 60_000 } = options;
  return aggregate({
    name: 'ledger',
    initialState: (): LedgerState => ({ sum: 0, count: 0 }),
    events: {
      'ledger.added': {
        apply: (state, data: { n: number; pad?: string }) => ({ sum: state.sum + data.n, count: state.count + 1 }),
      },
      'ledger.broken': {
        apply: (): LedgerState => {
          throw new Error('apply is broken');
        },
      },
    },
    commands: {
      add: {
        handle(state, input: { n: number; pad?: string }, ctx) {
          script.handled.push(input.n);
          script.onHandle(input);
          ctx.emit('ledger.added', input);
          return state.sum + input.n;
        },
      },
      addLater: {
        async handle(state, input: { n: number }, ctx) {
          script.handled.push(input.n);
          script.running += 1;
          script.mostRunning = Math.max(script.mostRunning, script.running);
          try {
            await script.onHandle(input);
          } finally {
            script.running -= 1;
          }
          ctx.emit('ledger.added', { n: input.n });
          return state.sum + input.n;
        },
      },
      twice: {
        handle(_state, input: { n: number }, ctx) {
          ctx.emit('ledger.added', input);
          ctx.emit('ledger.added', input);
        },
      },
      refuse: {
        handle(_state, _input: unknown, ctx) {
          ctx.reject('refused', 'not today');
        },
      },
      look: { handle: (state) => state.sum },
      break: {
        handle(_state, input: { n: number }, ctx) {
          ctx.emit('ledger.added', input);
          ctx.emit('ledger.broken', null);
        },
      },
      throw: {
        handle(_state, _input: unknown, ctx) {
          ctx.emit('ledger.added', { n: 1_000_000 });
          throw new RangeError('thrown');
        },
      },
    },
    queries: { sum: (state) => state.sum, whole: (state) => state },
    mailbox: { capacity, overflow },
    passivateAfter,
    ...(snapshotEvery === undefined ? {} : { snapshot: { every: snapshotEvery, keep: 2, version: 1 } }),
  });
}
