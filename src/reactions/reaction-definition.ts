/**
 * `reaction()`: defines choreography, a durable subscriber that sends commands.
 *
 * Event types are inferred from `of`; at run time the definition becomes a frozen `RuntimeReaction` with defaults
 * filled in and durations in milliseconds.
 */
import {
  type EventDataOf,
  type EventOf,
  type EventTypeOf,
  readEventHandlers,
  readSources,
  type Sources,
} from '../actors/event-sources.js';
import { isDefinitionName, readDefinition } from '../actors/definition-name.js';
import { readBackoff } from '../actors/supervision-options.js';
import type { Duration } from '../core/duration.js';
import { LIMITS } from '../core/limits.js';
import type { OptionReader } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { ReactionContext } from './reaction-context.js';

/** When and how often a failed event is tried again. */
export interface RetryOptions {
  /** Tries in all, the first one included; `Infinity` may be asked for. Default 5. */
  readonly attempts?: number;
  /** Wait between tries, doubling from `min` to `max`. Default 100 ms to 10 s. */
  readonly backoff?: { readonly min?: Duration; readonly max?: Duration };
}

// Taken from a method, because parameters of methods are compared bivariantly: without `of` the compiler gives an
// event the type of its key, and then compares that with any text.
type EventHandler<Event> = { handle(event: Event, ctx: ReactionContext<Event>): unknown }['handle'];

/** Options of `reaction()`. The type parameter is inferred from `of`. */
export interface ReactionOptions<Name extends string, Of extends Sources> {
  /** Unique within a system: 1 to 100 letters, digits, `_`, `.` or `-`, a letter first. The checkpoint goes by it. */
  readonly name: Name;
  /**
   * The name under which a renamed reaction was first known. Its checkpoint, its parked events and the ids of its
   * commands go on under that one, so that nothing is missing and nothing is done twice; keep it for as long as the
   * journal lives. Without it a new name is a new reaction, which begins where `from` says and has effects of its own.
   */
  readonly formerly?: string;
  /** The aggregates whose events are meant. Without it any type of event may be handled, its data unknown. */
  readonly of?: Of;
  /** Handlers by event type, sync or async. Events of other types are passed over. */
  readonly on: { readonly [Type in EventTypeOf<Of>]?: EventHandler<RecordedEvent<Type, EventDataOf<Of, Type>>> };
  /** Events with one key are handled one at a time, in order. Default: the aggregate instance. */
  readonly orderedBy?: (event: EventOf<Of>) => string;
  readonly retry?: RetryOptions;
  /** Whether later events of a key wait behind a parked one, or go on. Default `'hold-key'`. */
  readonly whenParked?: 'hold-key' | 'skip';
  /** Where a new reaction starts. Default `'beginning'`. */
  readonly from?: 'beginning' | 'now';
  /**
   * Events of the aggregates in `of` whose type these don't know: written by newer code, or their definition is gone.
   * `'skip'` (default) passes over them, as over all types without a handler; `'fail'` treats them as events whose handler
   * fails, with TROUPE_INVALID_EVENT and their position, so that they are parked. It then reads all events, not only its own.
   */
  readonly unknownEvents?: 'skip' | 'fail';
}

/**
 * Defines a durable subscriber: committed events in, commands out.
 *
 * Each event is delivered at least once and in the order of its key, across crashes; commands to aggregates take
 * effect once, because their ids are derived from the event. Events whose tries are used up become dead letters
 * and, by default, hold later events of their key; other keys never wait.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is missing, unknown or unusable, or a type in `on` is none of `of`.
 * @example
 * export const reserveStock = reaction({
 *   name: 'reserve-stock',
 *   of: [order],
 *   on: {
 *     'order.created': (event, ctx) => {
 *       for (const { sku, quantity } of event.data.lines) ctx.tell(inventory, sku, 'reserve', { quantity });
 *     },
 *   },
 * });
 */
export function reaction<const Name extends string, const Of extends Sources = Sources>(
  options: ReactionOptions<Name, Of>,
): ReactionDefinition<Name> {
  const { name, options: given } = readDefinition('reaction', options, OPTION_KEYS);
  const sources = readSources(given);
  const settings: ReactionSettings = Object.freeze({
    durableName: readFormerly(given) ?? name,
    of: sources,
    // Functions are called as their types in ReactionOptions say; here those types are erased.
    on: readEventHandlers(given.required('on'), sources, '(event, ctx)') as ReactionSettings['on'],
    orderedBy:
      (given.optionalFunction('orderedBy', '(event) => key') as ReactionSettings['orderedBy'] | undefined) ??
      byInstance,
    retry: readRetry(given.nested('retry', ['attempts', 'backoff'])),
    whenParked: given.oneOf('whenParked', ['hold-key', 'skip'], 'hold-key'),
    from: given.oneOf('from', ['beginning', 'now'], 'beginning'),
    unknownEvents: readUnknownEvents(given, sources),
  });
  const definition: RuntimeReaction = Object.freeze({ kind: 'reaction', name, options: settings });
  // The name has just been read from the options.
  return definition as ReactionDefinition<Name>;
}

/** A reaction's definition. Made by `reaction()`. */
export interface ReactionDefinition<Name extends string = string> extends RuntimeReaction {
  readonly name: Name;
}

/** A reaction's definition, its types erased. */
export interface RuntimeReaction {
  readonly kind: 'reaction';
  readonly name: string;
  readonly options: ReactionSettings;
}

/** Options of a reaction, complete. */
export interface ReactionSettings {
  /** The name that its records, its dead letters and the ids of its commands go by; `formerly` if it was renamed. */
  readonly durableName: string;
  /** When given, only events of these aggregates are meant, also where another one has events of the same type. */
  readonly of: Sources | undefined;
  readonly on: ReadonlyMap<string, (event: RecordedEvent, ctx: ReactionContext) => unknown>;
  readonly orderedBy: (event: RecordedEvent) => string;
  readonly retry: RetrySettings;
  readonly whenParked: 'hold-key' | 'skip';
  readonly from: 'beginning' | 'now';
  readonly unknownEvents: 'skip' | 'fail';
}

/** Retries, complete. */
export interface RetrySettings {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
}

const OPTION_KEYS = ['name', 'formerly', 'of', 'on', 'orderedBy', 'retry', 'whenParked', 'from', 'unknownEvents'];

const byInstance = (event: RecordedEvent) => `${event.aggregate}/${event.aggregateId}`;

function readUnknownEvents(given: OptionReader, sources: Sources | undefined): 'skip' | 'fail' {
  const choice = given.oneOf('unknownEvents', ['skip', 'fail'], 'skip');
  if (choice === 'skip' || sources !== undefined) return choice;
  throw given.refusal('unknownEvents', 'give "of", too: it says whose types are known');
}

function readFormerly(given: OptionReader): string | undefined {
  const value = given.value('formerly');
  if (value === undefined || isDefinitionName(value)) return value;
  throw given.refusal('formerly', 'give the name that the reaction had when it was new');
}

function readRetry(given: OptionReader): RetrySettings {
  return Object.freeze({
    attempts: given.integer('attempts', { min: 1, infinite: true }, LIMITS.reactionAttempts),
    backoff: readBackoff(
      given.nested('backoff', ['min', 'max']),
      LIMITS.reactionBackoffMinMs,
      LIMITS.reactionBackoffMaxMs,
    ),
  });
}
