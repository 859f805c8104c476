/**
 * `aggregate()`: defines an event-sourced entity, one instance per id.
 *
 * Types are inferred from the one options object (`aggregate-options.ts`); at run time it becomes a frozen
 * `RuntimeAggregate` with defaults filled in and durations in milliseconds, which is all that cells know.
 */
import { LIMITS } from '../core/limits.js';
import type { OptionReader } from '../core/option-reader.js';
import type { EventToApply } from '../core/recorded-event.js';
import { isSchema, type Schema } from '../core/schema.js';
import { encodeEventType } from '../journal/event-codec.js';
import type { AggregateContext } from './aggregate-context.js';
import type { AggregateOptions, InferredEvents, InferredMessages, SnapshotFacts } from './aggregate-options.js';
import { readDefinition, readTypes } from './definition-name.js';
import { MAILBOX_KEYS, type MailboxSettings, readMailbox } from './mailbox-options.js';

/**
 * Defines an event-sourced entity, one instance per id; state is the fold of its events.
 *
 * Schemas give input and event types, the state type is what `initialState` returns, replies come from `handle`.
 * Commands of one instance are decided one at a time, in the order they came. A reply is delivered only when
 * everything that it rests on is durable. Export the definition from a module of the cast; it must not close over
 * anything of the thread that started the system.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is missing, unknown or unusable; the message says which, and what
 * to give instead.
 * @example
 * export const counter = aggregate({
 *   name: 'counter',
 *   initialState: () => ({ count: 0 }),
 *   events: {
 *     'counter.added': { schema: z.object({ n: z.number() }), apply: (state, data) => ({ count: state.count + data.n }) },
 *   },
 *   commands: {
 *     add: {
 *       schema: z.object({ n: z.number() }),
 *       handle(state, input, ctx) {
 *         if (input.n <= 0) return ctx.reject('not-positive');
 *         ctx.emit('counter.added', input);
 *         return { count: state.count + input.n };
 *       },
 *     },
 *   },
 *   queries: { count: (state) => state.count },
 * });
 */
export function aggregate<
  const Name extends string,
  State,
  Data,
  Applies,
  const Results,
  Sent = object,
  Inputs = object,
  Handlers = object,
  Queries = object,
>(
  options: AggregateOptions<Name, State, Data, Applies, Results, Sent, Inputs, Handlers, Queries>,
): AggregateDefinition<
  Name,
  State,
  InferredEvents<Data, Applies>,
  InferredMessages<Sent, Handlers>,
  InferredMessages<object, Queries>
> {
  const { name, options: given } = readDefinition('aggregate', options, OPTION_KEYS);
  const commands = readCommands(given.nested('commands'));
  const queries = readQueries(given.nested('queries'));
  for (const type of queries.keys()) {
    if (commands.has(type))
      throw given.nested('queries').refusal(type, 'rename it: a name is a command or a query, not both');
  }
  const definition: RuntimeAggregate = Object.freeze({
    kind: 'aggregate',
    name,
    options: Object.freeze({
      // Functions are called as their types in AggregateOptions say; here those types are erased.
      initialState: given.function('initialState', '(id) => state') as AggregateSettings['initialState'],
      events: readEvents(given.required('events')),
      unknownEvents: given.oneOf('unknownEvents', ['fail', 'skip'], 'fail'),
      commands,
      queries,
      snapshot: readSnapshot(given),
      passivateAfterMs: given.durationMs('passivateAfter', LIMITS.passivateAfterMs, { infinite: true }),
      mailbox: Object.freeze(readMailbox(given.nested('mailbox', MAILBOX_KEYS))),
    }),
  });
  // The name has just been read from the options, and '~types' exists only for the compiler.
  return definition as AggregateDefinition<
    Name,
    State,
    InferredEvents<Data, Applies>,
    InferredMessages<Sent, Handlers>,
    InferredMessages<object, Queries>
  >;
}

const OPTION_KEYS = [
  'name',
  'initialState',
  'events',
  'unknownEvents',
  'commands',
  'queries',
  'snapshot',
  'passivateAfter',
  'mailbox',
];

function readEvents(given: OptionReader): ReadonlyMap<string, RuntimeEvent> {
  const events = new Map<string, RuntimeEvent>();
  for (const type of readTypes(given, 'event')) {
    const event = given.required(type, ['version', 'schema', 'upcast', 'apply']);
    const version = event.integer('version', { min: 1 }, 1);
    const apply = event.function('apply', '(state, data, event) => state') as RuntimeEvent['apply'];
    events.set(
      type,
      Object.freeze({
        version,
        text: encodeEventType(type, version),
        schema: readSchema(event),
        upcast: readUpcasters(event, version),
        apply,
      }),
    );
  }
  return events;
}

/** A missing upcaster is found in recovery (TROUPE_UPCAST_MISSING): the journal may have no events that need it. */
function readUpcasters(event: OptionReader, version: number): RuntimeEvent['upcast'] {
  const given = event.nested('upcast');
  const upcasters = new Map<number, (data: unknown) => unknown>();
  for (const key of given.keys()) {
    const from = Number(key);
    if (!Number.isInteger(from) || String(from) !== key || from < 1 || from >= version) {
      const range =
        version === 1
          ? 'set "version" to the newest schema version first'
          : `name it by the version it starts from, 1 to ${version - 1}`;
      throw given.refusal(key, range);
    }
    upcasters.set(from, given.function(key, '(data) => data of the next version') as (data: unknown) => unknown);
  }
  return upcasters;
}

function readCommands(given: OptionReader): ReadonlyMap<string, RuntimeCommand> {
  const commands = new Map<string, RuntimeCommand>();
  for (const type of readTypes(given, 'command')) {
    const command = given.required(type, ['schema', 'handle']);
    const handle = command.function('handle', '(state, input, ctx) => reply') as RuntimeCommand['handle'];
    commands.set(type, Object.freeze({ schema: readSchema(command), handle }));
  }
  return commands;
}

function readQueries(given: OptionReader): ReadonlyMap<string, RuntimeQuery> {
  return new Map(
    readTypes(given, 'query').map((type) => [type, given.function(type, '(state, input) => reply') as RuntimeQuery]),
  );
}

function readSchema(given: OptionReader): Schema | undefined {
  const schema = given.value('schema');
  if (schema === undefined || isSchema(schema)) return schema;
  throw given.refusal('schema', 'give a Standard Schema, such as one of zod, valibot or arktype');
}

function readSnapshot(given: OptionReader): SnapshotSettings | undefined {
  if (given.value('snapshot') === undefined) return undefined;
  const snapshot = given.required('snapshot', ['every', 'bytes', 'when', 'keep', 'version']);
  const count = (key: string): number | undefined =>
    snapshot.value(key) === undefined ? undefined : snapshot.integer(key, { min: 1 });
  const every = count('every');
  const bytes = count('bytes');
  // Called as its type in SnapshotOptions says; here that type is erased.
  const when = snapshot.optionalFunction('when', '(state, { version, events }) => boolean') as SnapshotSettings['when'];
  if (every === undefined && bytes === undefined && when === undefined)
    throw snapshot.refusal('every', 'say when one is due: after so many events, or with "bytes" or "when"');
  return Object.freeze({
    every,
    bytes,
    when,
    keep: snapshot.integer('keep', { min: 1 }, LIMITS.snapshotsKept),
    version: snapshot.integer('version', { min: 1 }, 1),
  });
}

/** An aggregate's definition with what the compiler knows of it. Made by `aggregate()`. */
export interface AggregateDefinition<Name extends string, State, Events, Messages, Queries> extends RuntimeAggregate {
  readonly name: Name;
  readonly '~types'?: {
    readonly state: State;
    readonly events: Events;
    readonly messages: Messages;
    readonly queries: Queries;
  };
}

/** One event type, as the runtime uses it. */
export interface RuntimeEvent {
  /** Schema version of new events. */
  readonly version: number;
  /** What its events have in common in the journal, see `journal/event-codec.ts`. */
  readonly text: string;
  readonly schema: Schema | undefined;
  /** By version n: from there to n + 1. */
  readonly upcast: ReadonlyMap<number, (data: unknown) => unknown>;
  readonly apply: (state: unknown, data: unknown, event: EventToApply) => unknown;
}

/** One command type, as the runtime uses it. */
export interface RuntimeCommand {
  readonly schema: Schema | undefined;
  /** Sync or async; the reply or a promise of it. */
  readonly handle: (state: unknown, input: unknown, ctx: AggregateContext) => unknown;
}

/** A query, as the runtime uses it; synchronous. */
export type RuntimeQuery = (state: unknown, input: unknown) => unknown;

/** Policy of snapshots. */
export interface SnapshotSettings {
  /** Events between two snapshots. */
  readonly every: number | undefined;
  /** Bytes of events between two snapshots. */
  readonly bytes: number | undefined;
  readonly when: ((state: unknown, facts: SnapshotFacts) => boolean) | undefined;
  /** Snapshots kept of one aggregate. */
  readonly keep: number;
  /** Version of the state's shape; snapshots of another one are ignored. */
  readonly version: number;
}

/** Options of an aggregate, complete. Types are looked up in maps, so that `toString` is no command. */
export interface AggregateSettings {
  readonly initialState: (id: string) => unknown;
  readonly events: ReadonlyMap<string, RuntimeEvent>;
  /** What recovery does with a recorded event of another type. */
  readonly unknownEvents: 'fail' | 'skip';
  readonly commands: ReadonlyMap<string, RuntimeCommand>;
  readonly queries: ReadonlyMap<string, RuntimeQuery>;
  readonly snapshot: SnapshotSettings | undefined;
  readonly passivateAfterMs: number;
  readonly mailbox: MailboxSettings;
}

/** Data by event type of an aggregate; unknown of one whose types are erased. */
export type EventsOf<D extends RuntimeAggregate> =
  NonNullable<D['~types']> extends { readonly events: infer Events } ? Events : Readonly<Record<string, unknown>>;

/** The state of an aggregate; unknown of one whose types are erased. */
export type StateOf<D extends RuntimeAggregate> =
  NonNullable<D['~types']> extends { readonly state: infer State } ? State : unknown;

/** An aggregate's definition, its types erased. */
export interface RuntimeAggregate {
  readonly kind: 'aggregate';
  readonly name: string;
  readonly options: AggregateSettings;
  /** Only for the compiler; absent at run time. */
  readonly '~types'?: unknown;
}
