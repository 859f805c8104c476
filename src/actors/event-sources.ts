/**
 * `of`: the aggregates whose events a reaction or projection means.
 *
 * For the compiler it gives the types of these events; at run time it lets a definition refuse handlers of events
 * that nobody emits. Without it every type is accepted and data is unknown.
 */
import { suggestion } from '../core/did-you-mean.js';
import type { OptionReader, UnknownFunction } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { EventsOf, RuntimeAggregate } from './aggregate-definition.js';
import { readTypes } from './definition-name.js';

/** Aggregates whose events are meant. */
export type Sources = readonly RuntimeAggregate[];

/** Types of the events of some aggregates. */
export type EventTypeOf<Of extends Sources> = TypesOf<Of[number]>;
type TypesOf<D extends RuntimeAggregate> = D extends unknown ? keyof EventsOf<D> & string : never;

/** Data of one event type; a union when several of the aggregates have an event of that name. */
export type EventDataOf<Of extends Sources, Type> = DataOf<Of[number], Type>;
type DataOf<D extends RuntimeAggregate, Type> = D extends unknown
  ? Type extends keyof EventsOf<D>
    ? EventsOf<D>[Type]
    : never
  : never;

/** Any recorded event of some aggregates; `event.type` tells which. */
export type EventOf<Of extends Sources> = {
  [Type in EventTypeOf<Of>]: RecordedEvent<Type, EventDataOf<Of, Type>>;
}[EventTypeOf<Of>];

/** The aggregates named by `of`; undefined when there is no such option. */
export function readSources(given: OptionReader): Sources | undefined {
  const advice = 'give an array of definitions made by aggregate()';
  const sources = given.optionalArray('of', advice);
  if (sources === undefined) return undefined;
  if (!sources.every(isAggregate)) throw given.refusal('of', `${advice}; one of them is none`);
  return Object.freeze([...sources]);
}

function isAggregate(value: unknown): value is RuntimeAggregate {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'aggregate';
}

/**
 * Handlers by event type.
 *
 * @throws TROUPE_INVALID_OPTIONS for a type that none of the aggregates has, with the nearest that one has.
 */
export function readEventHandlers(
  given: OptionReader,
  sources: Sources | undefined,
  signature: string,
): ReadonlyMap<string, UnknownFunction> {
  const handlers = new Map<string, UnknownFunction>();
  for (const type of readTypes(given, 'event')) {
    if (sources !== undefined && !sources.some((source) => source.options.events.has(type))) {
      const known = sources.flatMap((source) => [...source.options.events.keys()]);
      const names = sources.map((source) => source.name).join(', ') || 'nothing';
      throw given.refusal(type, `no event of "of" (${names}) has this type${suggestion(type, known)}`);
    }
    handlers.set(type, given.function(type, signature));
  }
  return handlers;
}
