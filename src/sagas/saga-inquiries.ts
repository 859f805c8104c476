/** What people and programs ask about sagas: where one is, and what its run returned. */
import type { Clock } from '../core/clock.js';
import { fromWireError } from '../core/wire-error.js';
import type { IdleSagas } from './idle-sagas.js';
import type { SagaMemory } from './saga-memory.js';
import type { IdleFacts } from './saga-records.js';
import type { SagaStatus } from './saga-ref.js';
import type { ResultWaiter, SagaResults } from './saga-results.js';
import type { SagaStore } from './saga-store.js';
import type { WorkQueue } from './work-queue.js';

/** Where a saga may be. */
export interface InquiriesSurroundings {
  readonly memory: SagaMemory;
  readonly queue: WorkQueue;
  readonly idle: IdleSagas;
  readonly store: SagaStore;
  readonly results: SagaResults;
  readonly clock: Clock;
}

export class SagaInquiries {
  readonly #around: InquiriesSurroundings;

  constructor(around: InquiriesSurroundings) {
    this.#around = around;
  }

  /** Whether it is at work, waits for its turn, or rests: known without a look at the journal. */
  isHere(key: string): boolean {
    const { memory, queue, idle } = this.#around;
    return memory.runs.has(key) || queue.has(key) || memory.isLoading(key) || idle.get(key) !== undefined;
  }

  async status(key: string): Promise<SagaStatus> {
    const { memory, store, clock } = this.#around;
    const here = this.#statusHere(key);
    if (here !== undefined) return here;
    await memory.left(key);
    const { end, head } = await store.find(key);
    if (end !== undefined) {
      return {
        state: end.state,
        since: end.endedAt,
        ...(end.error === undefined ? {} : { error: fromWireError(end.error) }),
      };
    }
    if (head?.idle !== undefined && !this.isHere(key)) return statusOf(head.idle);
    const since = head?.startedAt ?? clock.now();
    return this.#statusHere(key) ?? { state: head === undefined ? 'not-started' : 'running', since };
  }

  /**
   * Resolves with what the run returned, once it has.
   *
   * @param refusal why nobody will hear of it any more, once that is so
   */
  async result(key: string, refusal: () => Error | undefined): Promise<unknown> {
    const { results, store } = this.#around;
    let waiter: ResultWaiter | undefined;
    const result = new Promise<unknown>((resolve, reject) => {
      waiter = { resolve, reject };
    });
    // Made by the promise's executor.
    const listed = waiter as unknown as ResultWaiter;
    results.add(key, listed);
    const standing = this.#standingError(key);
    if (standing !== undefined) results.settle(key, listed, standing);
    else if (!this.isHere(key)) {
      const { end } = await store.find(key);
      if (end !== undefined) results.settle(key, listed, end);
    }
    const refused = refusal();
    if (refused !== undefined) results.settle(key, listed, refused);
    return result;
  }

  #statusHere(key: string): SagaStatus | undefined {
    const { memory, queue, idle, clock } = this.#around;
    const run = memory.runs.get(key);
    if (run !== undefined) return run.status();
    const facts = idle.get(key);
    if (facts !== undefined) return statusOf(facts);
    if (!queue.has(key) && !memory.isLoading(key)) return undefined;
    return { state: 'running', since: queue.startOf(key)?.head.startedAt ?? clock.now() };
  }

  /** The error that a saga stands still with. */
  #standingError(key: string): Error | undefined {
    const status = this.#statusHere(key);
    return status?.state === 'parked' ? status.error : undefined;
  }
}

function statusOf({ state, since, waitingFor, error }: IdleFacts): SagaStatus {
  return {
    state,
    since,
    ...(waitingFor === undefined ? {} : { waitingFor }),
    ...(error === undefined ? {} : { error: fromWireError(error) }),
  };
}
