/**
 * Events in today's shape, for everyone who reads them from the log: reactions, projections, streams.
 *
 * Events of the current schema version pass as they are (they were validated when they were written); older ones
 * are upcast and validated. Events of aggregates or types that this cast doesn't know pass untouched.
 */
import { deepFreeze } from '../core/json-value.js';
import { type RecordedEvent, withOwnData } from '../core/recorded-event.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { upcast } from './replay.js';

/** @throws TROUPE_UPCAST_MISSING, TROUPE_INVALID_EVENT, and what an upcaster throws */
export type PresentEvent = (event: RecordedEvent) => RecordedEvent;

/** Whether a cast has the aggregate of an event, and that aggregate the event's type. */
export function knownBy(aggregates: Iterable<RuntimeAggregate>): (event: RecordedEvent) => boolean {
  const byName = new Map(Array.from(aggregates, (definition) => [definition.name, definition]));
  return (event) => byName.get(event.aggregate)?.options.events.has(event.type) === true;
}

/** Presents events by the definitions of a cast. */
export function presentBy(aggregates: Iterable<RuntimeAggregate>): PresentEvent {
  const byName = new Map<string, RuntimeAggregate>();
  for (const definition of aggregates) byName.set(definition.name, definition);
  return (event) => {
    const definition = byName.get(event.aggregate);
    const known = definition?.options.events.get(event.type);
    if (definition === undefined || known === undefined || known.version === event.schemaVersion) return event;
    // An upcaster may change what it is given, as it may in recovery; what others read stays as it is.
    return deepFreeze(upcast(definition, withOwnData(event)));
  };
}
