/**
 * The options of `aggregate()`, typed so that one object infers everything.
 *
 * Each mapped type below infers one type parameter, key by key; the compiler merges them. What was tried and fails:
 * two call signatures for one handler (loses its parameters), a plain `apply: (…) => State` (widens literals such
 * as `status: 'placed'`). Hence `Results` is a const parameter: it keeps literals, but makes arrays readonly, which
 * is why `apply` may return a `DeepReadonly` state. Inference goes from top to bottom: write
 * `initialState` before `events`, and these before `commands`.
 */
import type { Duration } from '../core/duration.js';
import type { DeepReadonly, JsonForm } from '../core/json-form.js';
import type { EventToApply } from '../core/recorded-event.js';
import type { Schema } from '../core/schema.js';
import type { AggregateContext } from './aggregate-context.js';
import type { MailboxOptions } from './mailbox-options.js';

/** What a predicate of snapshots is told beside the state. */
export interface SnapshotFacts {
  /** Version of the state. */
  readonly version: number;
  /** Events since the last snapshot, or since the beginning. */
  readonly events: number;
}

/** When snapshots are taken, and how many are kept. One of `every`, `bytes` and `when` has to be there; any of them may say so. */
export interface SnapshotOptions<State = unknown> {
  /** After so many events since the last one. */
  readonly every?: number;
  /** After so many bytes of events since the last one, encoded as the journal keeps them: for events of very different size. */
  readonly bytes?: number;
  /**
   * When this is true of the state after a command with events: an order that is closed, a day that has ended. Called
   * often, so let it be quick; it must not change the state. What it throws is logged, and costs the snapshot only.
   */
  readonly when?: (state: State, facts: SnapshotFacts) => boolean;
  /** Snapshots kept of one aggregate: the newest, and some to fall back on. Default 2. */
  readonly keep?: number;
  /** Bump it when the state's shape changes; older snapshots are then ignored. Default 1. */
  readonly version?: number;
}

/**
 * Options of `aggregate()`. The type parameters are inferred; nobody writes them.
 *
 * @typeParam Data data by event type, from the schemas.
 * @typeParam Applies the `apply` functions by event type; an event without schema has its data from there.
 * @typeParam Results what these return, literals kept.
 * @typeParam Sent inputs by command, before the schema fills in defaults.
 * @typeParam Inputs inputs by command, as the handler gets them.
 * @typeParam Handlers the `handle` functions by command: replies, and inputs without schema.
 * @typeParam Queries the functions of `queries`.
 */
export interface AggregateOptions<Name extends string, State, Data, Applies, Results, Sent, Inputs, Handlers, Queries> {
  /** Unique within a system: 1 to 100 letters, digits, `_`, `.` or `-`, a letter first. */
  readonly name: Name;
  /** The state before the first event; a JSON value. Its return type is the type of the state. */
  readonly initialState: (id: string) => State & NoInfer<JsonForm<State>>;
  /** Every event type that the aggregate emits or ever emitted. */
  readonly events: {
    readonly [Type in keyof Data]: {
      /** Schema version of new events. Default 1. */
      readonly version?: number;
      /** Synchronous, and accepts its own output. Checked on write, and on read after upcasting. */
      readonly schema?: Schema<unknown, Data[Type]> & NoInfer<Schema<unknown, JsonForm<Data[Type]>>>;
      /** By version n: makes data of version n + 1 from data of version n. */
      readonly upcast?: Readonly<Record<number, UpcastFunction>>;
    };
  } & { readonly [Type in keyof Applies]: { readonly apply: Applies[Type] } } & {
    readonly [Type in keyof Results]: {
      /** The state after the event. Pure: it runs again in each recovery. Data is as stored, and belongs to this fold alone. */
      readonly apply: ApplyFunction<State, At<Data, Type>, Type & string, Results[Type]>;
    };
  };
  /**
   * A recorded event of a type that `events` doesn't have (written by newer code, or its definition was removed):
   * `'fail'` refuses to load the instance and names the position; `'skip'` leaves the state as it is, counts the event
   * (`metrics().eventsSkipped`) and warns. Default `'fail'`.
   */
  readonly unknownEvents?: 'fail' | 'skip';
  /** What can be asked of the aggregate, and what it decides. Default: none. */
  readonly commands?: {
    readonly [Type in keyof Inputs]: {
      /** Synchronous. Makes the input that `handle` gets from what was sent. Without it anything passes. */
      readonly schema?: Schema<unknown, Inputs[Type]> & NoInfer<Schema<unknown, JsonForm<Inputs[Type]>>>;
    };
  } & {
    readonly [Type in keyof Sent]: { readonly schema?: Schema<Sent[Type]> & NoInfer<Schema<JsonForm<Sent[Type]>>> };
  } & {
    readonly [Type in keyof Handlers]: {
      /** Decides, sync or async, and never changes `state`. Returns the reply; may run more than once. */
      readonly handle: Handlers[Type] &
        HandleFunction<State, At<Inputs, Type>, InferredEvents<Data, Applies>> &
        JsonReply<Handlers[Type]>;
    };
  };
  /** Read-only asks; answered once the state they see is durable. A name is a command or a query. Default: none. */
  readonly queries?: {
    readonly [Type in keyof Queries]: Queries[Type] & QueryFunction<State> & JsonReply<Queries[Type]>;
  };
  /** Default: no snapshots. */
  readonly snapshot?: SnapshotOptions<NoInfer<State>>;
  /** Idle time after which an instance leaves memory; `Infinity` may be asked for. Default 1 m. */
  readonly passivateAfter?: Duration;
  readonly mailbox?: MailboxOptions;
}

/** Data by event type: by its schema, else as `apply` has it annotated, else unknown. */
export type InferredEvents<Data, Applies> = {
  readonly [Type in keyof Applies]: unknown extends At<Data, Type>
    ? SecondParameter<Applies[Type], unknown>
    : At<Data, Type>;
};

/** Payload and reply by type: the payload by its schema, else as the handler has it annotated, else none. */
export type InferredMessages<Sent, Handlers> = {
  readonly [Type in keyof Handlers]: {
    readonly payload: unknown extends At<Sent, Type> ? SecondParameter<Handlers[Type], undefined> : At<Sent, Type>;
    readonly reply: ReplyFrom<Handlers[Type]>;
  };
};

// Taken from methods, because parameters of methods are compared bivariantly: an unknown one may be annotated.
type ApplyFunction<State, Data, Type extends string, Result> = {
  apply(state: State, data: Data, event: EventToApply<Type, Data>): Result & NoInfer<DeepReadonly<State>>;
}['apply'];
type HandleFunction<State, Input, Events> = {
  handle(state: Readonly<State>, input: Input, ctx: AggregateContext<Events>): unknown;
}['handle'];
type QueryFunction<State> = { query(state: Readonly<State>, input: unknown): unknown }['query'];
// What any old data is: it can be spread, and annotated by whoever knows its shape.
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- meant: `object` would refuse primitives
type UpcastFunction = { upcast(data: NonNullable<unknown>): unknown }['upcast'];

type At<Map, Key> = Key extends keyof Map ? Map[Key] : unknown;
type SecondParameter<F, Absent> = F extends (...args: infer P) => unknown
  ? '1' extends keyof P
    ? P['1']
    : Absent
  : Absent;
type ReplyFrom<F> = F extends (...args: never) => infer R ? Awaited<R> : never;
type JsonReply<F> =
  ReplyFrom<F> extends JsonForm<ReplyFrom<F>>
    ? unknown
    : { readonly 'the reply is no JSON value': JsonForm<ReplyFrom<F>> };
