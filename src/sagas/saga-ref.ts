/** Handle of one saga: to start it, to hear of its end, to look at it, and to cancel it. */
import type { Duration } from '../core/duration.js';
import type { InputOf, ResultOf, RuntimeSaga } from './saga-definition.js';

/** Where a saga is. */
export interface SagaStatus {
  /**
   * `'waiting'`: for an event or another saga; `'parked'`: a compensation can't succeed, or the replay diverged, and
   * a person has to look (see `deadLetters`); `'not-started'`: nobody has started this id.
   */
  readonly state:
    | 'not-started'
    | 'running'
    | 'waiting'
    | 'sleeping'
    | 'compensating'
    | 'parked'
    | 'done'
    | 'failed'
    | 'cancelled';
  /** Epoch milliseconds of the last step, or of the end. */
  readonly since: number;
  /** Type of the event that it waits for, or `name/id` of the saga. */
  readonly waitingFor?: string;
  /** What it failed with. */
  readonly error?: Error;
}

/** How a saga is started by hand. */
export interface SagaStartOptions {
  /** Joins everything that it leads to. Default: one of its own. */
  readonly correlationId?: string;
  /** JSON that is stored with each event that it leads to. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * Handle of one saga, typed by its definition.
 *
 * @example
 * await system.ref(fulfilOrder, '42').result();
 */
export interface SagaRef<D extends RuntimeSaga = RuntimeSaga> {
  /** Name of the definition. */
  readonly name: string;
  readonly id: string;
  /**
   * Starts it; durable when the promise resolves. A second start of an id is a no-op, also after its end.
   *
   * @returns whether this call has started it.
   * @throws TROUPE_NOT_SERIALIZABLE, TROUPE_SYSTEM_STOPPED.
   */
  start(
    ...args: undefined extends InputOf<D>
      ? [input?: InputOf<D>, options?: SagaStartOptions]
      : [input: InputOf<D>, options?: SagaStartOptions]
  ): Promise<boolean>;
  /**
   * Resolves with what `run` returned; waits for the start, too, if need be.
   *
   * @throws the error that it failed with, once it is compensated; TROUPE_SAGA_CANCELLED, TROUPE_SAGA_DIVERGED;
   * TROUPE_ASK_TIMEOUT when a timeout is given; TROUPE_SYSTEM_STOPPED.
   */
  result(options?: { readonly timeout?: Duration }): Promise<ResultOf<D>>;
  /** Where it is. */
  status(): Promise<SagaStatus>;
  /**
   * Stops it and lets its compensations run; durable when the promise resolves. One that has ended, or fails
   * already, is left alone. One whose replay diverged goes on standing still: which compensations there are, only a
   * replay can tell, so they run when a retry of its dead letter has come through.
   *
   * @throws TROUPE_ACTOR_STOPPED when nobody has started it.
   */
  cancel(reason?: string): Promise<void>;
}
