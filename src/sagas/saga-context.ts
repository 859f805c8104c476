/**
 * What a saga's `run` gets: steps whose outcomes are journaled, and time, chance and ids that replay the same.
 *
 * The runtime's side of it is `run-context.ts`.
 */
import type { EventDataOf, EventTypeOf, Sources } from '../actors/event-sources.js';
import type { AskOptions, MessageOptions } from '../actors/message-options.js';
import type { SendsCommands } from '../actors/sends-commands.js';
import type { Duration } from '../core/duration.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeErrorCode } from '../core/troupe-error.js';
import type { InputOf, ResultOf, RuntimeSaga } from './saga-definition.js';

/** When and how often a step that failed is tried again. A rejection is an answer, never a failure. */
export interface SagaRetry {
  /** Tries in all, the first one included; `Infinity` may be asked for. */
  readonly attempts?: number;
  /** Wait between tries, doubling from `min` to `max`. Default 100 ms to 10 s. */
  readonly backoff?: { readonly min?: Duration; readonly max?: Duration };
  /** Only errors with one of these codes are tried again. Default: all failures. */
  readonly on?: readonly TroupeErrorCode[];
}

/** Options of `tell` and `send` in a saga. */
export interface SagaMessageOptions extends MessageOptions {
  readonly retry?: SagaRetry;
}

/**
 * Options of `ask` in a saga. Without `retry` it is tried up to 5 times when the worker was lost, the mailbox full
 * or (unless `timeout` is given) no reply came in time; other failures are thrown at once. With `retry` every
 * failure is tried again. Repeats carry the same command id, so they change nothing.
 */
export interface SagaAskOptions extends AskOptions {
  readonly retry?: SagaRetry;
}

/** Options of `step`. */
export interface StepOptions {
  /** How long one try may take; then it fails with TROUPE_SAGA_TIMEOUT. Default: for ever. */
  readonly timeout?: Duration;
  /** Default: one try; a throw is the step's outcome. */
  readonly retry?: SagaRetry;
}

/** What the function of a step gets. */
export interface StepCall {
  /** The same at each call for this step: an idempotency key for effects outside. */
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  /** Aborts when the step's time is up, the saga is cancelled, or the system stops. */
  readonly signal: AbortSignal;
}

/** Which event `waitFor` means. */
export interface WaitOptions<Event = RecordedEvent> {
  /** Only events of this aggregate instance; indexed. */
  readonly aggregateId?: string;
  /** Only events with this correlation id; indexed. */
  readonly correlationId?: string;
  /** Filters the rest; pure. */
  readonly where?: (event: Event) => boolean;
  /** Then it rejects with TROUPE_SAGA_TIMEOUT. Default: for ever. */
  readonly timeout?: Duration;
  /** `'start'` (default): events after the saga's start event count; `'now'`: only those after this call. */
  readonly from?: 'start' | 'now';
}

/**
 * The context of a saga. It isn't done before every command it has told has a durable outcome; one whose tries are used
 * up becomes a dead letter.
 *
 * @typeParam Of the aggregates given as `of`.
 */
export interface SagaContext<Of extends Sources = Sources> extends SendsCommands<SagaMessageOptions, SagaAskOptions> {
  /** Id of this instance. */
  readonly id: string;
  /** Joins everything that this saga leads to: that of the start event, or one of its own. */
  readonly correlationId: string;
  /**
   * Runs another saga and resolves with its result; an instance that runs already is joined. When this saga is
   * cancelled, so is that one.
   *
   * @throws the error that the other saga failed with.
   */
  run<D extends RuntimeSaga>(
    definition: D,
    id: string,
    ...args: undefined extends InputOf<D> ? [input?: InputOf<D>] : [input: InputOf<D>]
  ): Promise<ResultOf<D>>;
  /**
   * Any asynchronous work; its result (a JSON value) is durable before the promise resolves, and the function isn't
   * called again. A crash while it runs repeats it: pass `call.id` on as idempotency key. No `ctx` inside.
   */
  step<Result>(name: string, fn: (call: StepCall) => Result, options?: StepOptions): Promise<Awaited<Result>>;
  /** Resolves when the time has passed, also when the process was down meanwhile; never early. */
  sleep(duration: Duration): Promise<void>;
  /**
   * The first matching event after the saga's start that no other `waitFor` of this saga returned, also one that was
   * committed before this call, or while the process was down.
   *
   * @throws TROUPE_SAGA_TIMEOUT when none was committed in time; TROUPE_SAGA_CANCELLED.
   */
  waitFor<Type extends EventTypeOf<Of>>(
    type: Type,
    options?: WaitOptions<RecordedEvent<Type, EventDataOf<Of, Type>>>,
  ): Promise<RecordedEvent<Type, EventDataOf<Of, Type>>>;
  /**
   * Registers what undoes the next step; call it before that step. When the saga fails or is cancelled the
   * compensations run, last first, each until it succeeds. It must accept that nothing was done.
   *
   * @param options.retry default 5 tries; after that, or when it is rejected, it is parked and shown.
   */
  compensate(name: string, fn: () => unknown, options?: { readonly retry?: SagaRetry }): void;
  /** Whether the code behind this name is to be taken: false only for instances that had passed this place before it was there. */
  patched(name: string): boolean;
  /** Ends this history and begins anew with another input, when histories would become long. Compensations so far are dropped. */
  continueAsNew(input?: unknown): never;
  /** Epoch milliseconds of the last step's outcome; the same in a replay. */
  now(): number;
  /** From 0 (inclusive) to 1 (exclusive); the same in a replay. */
  random(): number;
  /** A new id, unique within the journal; the same in a replay. */
  newId(): string;
  /** Silent during a replay. */
  readonly log: Logger;
  /** Aborts when the saga is cancelled, and when the system stops. */
  readonly signal: AbortSignal;
}
