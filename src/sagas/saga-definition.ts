/**
 * `saga()`: defines orchestration, a durable workflow with compensation that reads from top to bottom.
 *
 * Types of events are inferred from `of`, the start event from `startOn`, the result from `run`; at run time the
 * definition becomes a frozen `RuntimeSaga` with defaults filled in and durations in milliseconds.
 */
import { type EventDataOf, type EventTypeOf, readSources, type Sources } from '../actors/event-sources.js';
import { readDefinition } from '../actors/definition-name.js';
import { suggestion } from '../core/did-you-mean.js';
import type { Duration } from '../core/duration.js';
import { LIMITS } from '../core/limits.js';
import type { OptionReader } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { SagaContext } from './saga-context.js';
import { type FlowSettings, readFlow, type SagaAskLimits, type SagaConcurrency, type SagaRate } from './saga-flow.js';

/** What `saga()` takes, beside what it is started by. */
interface SagaCommonOptions<Name extends string, Of extends Sources, Input> {
  /** Unique within a system: 1 to 100 letters, digits, `_`, `.` or `-`, a letter first. What is journaled goes by it. */
  readonly name: Name;
  /** The aggregates whose events it starts on or waits for. Without it any type of event may be named. */
  readonly of?: Of;
  /** How long the whole may take; then it fails with TROUPE_SAGA_TIMEOUT and is compensated. Default: for ever. */
  readonly timeout?: Duration;
  /** Milliseconds that an instance stays in memory while it only sleeps or waits. Default 1 minute. */
  readonly passivateAfter?: Duration;
  /** For how long what is known of an instance is kept after its end. */
  readonly keep?: SagaKeep;
  /**
   * How many may have begun and not ended, in total and for each key; the others wait durably, in order of their starts.
   * Default: all of them, of which some hundreds are at work at a time.
   */
  readonly concurrency?: SagaConcurrency<Input>;
  /** How many may begin within a time. Default: no limit. */
  readonly rate?: SagaRate;
  /** How many asks all of them together have under way. Default: no limit. */
  readonly asks?: SagaAskLimits;
}

/** For how long what is known of a saga is kept after its end. */
export interface SagaKeep {
  /** Its steps, as `troupe sagas show` prints them. At least. Default 7 days. */
  readonly history?: Duration;
  /**
   * That it ran, and its result: for as long a second start of its id is a no-op; then the id is free. Kept in any case
   * while a living saga waits for it. Default: for ever, some hundred bytes each. Not less than `history`.
   */
  readonly result?: Duration;
}

/** A saga that each event of one type starts. */
export interface EventSagaOptions<Name extends string, Of extends Sources, Type extends EventTypeOf<Of>, Result>
  extends SagaCommonOptions<Name, Of, RecordedEvent<NoInfer<Type>, EventDataOf<Of, NoInfer<Type>>>> {
  /** Each event of this type starts one instance. */
  readonly startOn: Type;
  /** The instance that an event starts; a second start of an id is a no-op. Default: the id of the aggregate. */
  readonly id?: (event: RecordedEvent<NoInfer<Type>, EventDataOf<Of, NoInfer<Type>>>) => string;
  /** Where a new saga begins to look for start events. Default `'beginning'`. */
  readonly from?: 'beginning' | 'now';
  /** The workflow. May run again from its beginning, with what is journaled as the answers of its steps. */
  run(
    ctx: SagaContext<Of>,
    event: RecordedEvent<NoInfer<Type>, EventDataOf<Of, NoInfer<Type>>>,
  ): Promise<Result> | Result;
}

/** A saga that is started by hand, or by another saga. */
export interface InputSagaOptions<Name extends string, Of extends Sources, Input, Result>
  extends SagaCommonOptions<Name, Of, Input> {
  readonly startOn?: undefined;
  /** The workflow. May run again from its beginning, with what is journaled as the answers of its steps. */
  run(ctx: SagaContext<Of>, input: Input): Promise<Result> | Result;
}

/**
 * Defines a durable workflow: steps whose outcomes are journaled, waits and sleeps that survive restarts, and
 * compensations that undo what was done when a later step fails or the saga is cancelled.
 *
 * After a crash `run` is called again and answered from the journal up to where it was; so between steps it awaits
 * only promises of `ctx`, and takes time, chance and ids from there. Commands to aggregates take effect once,
 * because their ids are derived from saga, id and step.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is missing, unknown or unusable, or `startOn` is no event of `of`.
 * @example
 * export const fulfilOrder = saga({
 *   name: 'fulfil-order',
 *   of: [order],
 *   startOn: 'order.created',
 *   async run(ctx, event) {
 *     for (const { sku, quantity } of event.data.lines) {
 *       ctx.compensate(`release ${sku}`, () => ctx.ask(inventory, sku, 'release', { quantity }));
 *       await ctx.ask(inventory, sku, 'reserve', { quantity });
 *     }
 *     await ctx.sleep('1h');
 *   },
 * });
 */
export function saga<
  const Name extends string,
  const Of extends Sources = Sources,
  const Type extends EventTypeOf<Of> = EventTypeOf<Of>,
  Result = unknown,
>(
  options: EventSagaOptions<Name, Of, Type, Result>,
): SagaDefinition<Name, RecordedEvent<Type, EventDataOf<Of, Type>>, Result>;
export function saga<const Name extends string, const Of extends Sources = Sources, Input = unknown, Result = unknown>(
  options: InputSagaOptions<Name, Of, Input, Result>,
): SagaDefinition<Name, Input, Result>;
export function saga(options: unknown): RuntimeSaga {
  const { name, options: given } = readDefinition('saga', options, OPTION_KEYS);
  const sources = readSources(given);
  const startOn = given.value('startOn');
  if (startOn !== undefined && (typeof startOn !== 'string' || startOn === '')) {
    throw given.refusal('startOn', 'give the type of an event');
  }
  if (startOn !== undefined && sources?.some((source) => source.options.events.has(startOn)) === false) {
    const known = sources.flatMap((source) => [...source.options.events.keys()]);
    throw given.refusal('startOn', `no event of "of" has this type${suggestion(startOn, known)}`);
  }
  const settings: SagaSettings = Object.freeze({
    of: sources,
    startOn,
    // Functions are called as their types above say; here those types are erased.
    id: (given.optionalFunction('id', '(event) => id') as SagaSettings['id'] | undefined) ?? byAggregate,
    from: given.oneOf('from', ['beginning', 'now'], 'beginning'),
    timeoutMs: given.durationMs('timeout', Infinity, { infinite: true }),
    passivateAfterMs: given.durationMs('passivateAfter', LIMITS.sagaPassivateAfterMs),
    run: given.function('run', '(ctx, event) => result') as SagaSettings['run'],
    keep: readKeep(given),
    flow: readFlow(given),
  });
  return Object.freeze({ kind: 'saga', name, options: settings });
}

/** A saga's definition. Made by `saga()`. */
export interface SagaDefinition<Name extends string = string, Input = unknown, Result = unknown> extends RuntimeSaga {
  readonly name: Name;
  /** For the compiler only. */
  readonly '~saga'?: { readonly input: Input; readonly result: Result };
}

/** A saga's definition, its types erased. */
export interface RuntimeSaga {
  readonly kind: 'saga';
  readonly name: string;
  readonly options: SagaSettings;
  readonly '~saga'?: { readonly input: unknown; readonly result: unknown };
}

type TypesOf<D extends RuntimeSaga> = NonNullable<D['~saga']>;

/** What `start` of a saga takes, and its `run` gets. */
export type InputOf<D extends RuntimeSaga> = TypesOf<D>['input'];

/** What `result` of a saga resolves with. */
export type ResultOf<D extends RuntimeSaga> = TypesOf<D>['result'];

/** Options of a saga, complete. */
export interface SagaSettings {
  readonly of: Sources | undefined;
  readonly startOn: string | undefined;
  readonly id: (event: RecordedEvent) => string;
  readonly from: 'beginning' | 'now';
  readonly timeoutMs: number;
  readonly passivateAfterMs: number;
  readonly run: (ctx: SagaContext, input: unknown) => unknown;
  readonly keep: { readonly historyMs: number; readonly resultMs: number };
  readonly flow: FlowSettings;
}

const OPTION_KEYS = [
  'name',
  'of',
  'startOn',
  'id',
  'from',
  'timeout',
  'passivateAfter',
  'keep',
  'concurrency',
  'rate',
  'asks',
  'run',
];

const byAggregate = (event: RecordedEvent): string => event.aggregateId;

function readKeep(given: OptionReader): SagaSettings['keep'] {
  const keep = given.nested('keep', ['history', 'result']);
  const historyMs = keep.durationMs('history', LIMITS.sagaHistoryMs, { infinite: true });
  const resultMs = keep.durationMs('result', Infinity, { infinite: true });
  if (resultMs < historyMs) throw keep.refusal('result', `give at least what history has, ${historyMs} ms`);
  return { historyMs, resultMs };
}
