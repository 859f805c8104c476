/**
 * Folding recorded events into state: upcast, validate, apply; pure, and the same for recovery and time travel.
 */
import type { EventToApply, RecordedEvent } from '../core/recorded-event.js';
import { formatIssues, validateSync } from '../core/schema.js';
import { isStrayPromise } from '../core/thenable.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RuntimeAggregate } from './aggregate-definition.js';

/**
 * The event in the shape of today's code: as it is stored if it has that shape, else with what upcasters and then the
 * schema make of it.
 *
 * @throws TROUPE_UPCAST_MISSING when a step between its schema version and today's has no upcaster.
 * @throws TROUPE_INVALID_EVENT when the type is unknown, newer than the code, or doesn't pass its schema.
 */
export function upcast(aggregate: RuntimeAggregate, event: RecordedEvent): RecordedEvent {
  const definition = aggregate.options.events.get(event.type);
  if (definition === undefined) {
    throw unreadable(event, `event ${event.type} is not defined; add it to the events of ${aggregate.name}`);
  }
  if (event.schemaVersion > definition.version) {
    throw unreadable(
      event,
      `event ${event.type} has schema version ${event.schemaVersion}, the code knows ${definition.version}; run the newer code`,
    );
  }
  let data = event.data;
  for (let version = event.schemaVersion; version < definition.version; version += 1) {
    const step = definition.upcast.get(version);
    if (step === undefined) throw missing(event, version, definition.version);
    data = step(data);
  }
  if (definition.schema !== undefined) {
    const result = validateSync(definition.schema, data, `${event.id}: schema of event ${event.type}`);
    if (result.issues !== undefined) {
      throw unreadable(event, `event ${event.type} does not pass its schema: ${formatIssues(result.issues)}`);
    }
    data = result.value;
  }
  // What the schema made of the data was stored when it was written; it must not make more of it each time it is read.
  if (event.schemaVersion === definition.version) return event;
  return { ...event, data, schemaVersion: definition.version };
}

/** The state after a recorded event. */
export function replay(aggregate: RuntimeAggregate, state: unknown, recorded: RecordedEvent): unknown {
  const { position: _position, recordedAt: _recordedAt, ...event } = upcast(aggregate, recorded);
  return applyEvent(aggregate, state, event);
}

/**
 * The state after an event.
 *
 * @throws what `apply` throws, and TROUPE_INVALID_EVENT when it returns undefined (it has forgotten to return) or a
 * promise.
 */
export function applyEvent(aggregate: RuntimeAggregate, state: unknown, event: EventToApply): unknown {
  // Staged and upcast events are of known types.
  const apply = aggregate.options.events.get(event.type)?.apply;
  const next = apply?.(state, event.data, event);
  if (next === undefined) throw unusable(event, 'undefined; return the new state');
  if (isStrayPromise(next)) throw unusable(event, 'a promise; return the new state at once');
  return next;
}

function unusable(event: EventToApply, what: string): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_EVENT',
    `${event.aggregate}/${event.aggregateId}: apply of event ${event.type} returned ${what}`,
    { details: { aggregate: event.aggregate, id: event.aggregateId, type: event.type } },
  );
}

function unreadable(event: RecordedEvent, what: string): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_EVENT',
    `${event.aggregate}/${event.aggregateId}, version ${event.version}, position ${event.position}: ${what}`,
    { details: factsOf(event) },
  );
}

function missing(event: RecordedEvent, from: number, to: number): TroupeError {
  return new TroupeError(
    'TROUPE_UPCAST_MISSING',
    `${event.aggregate}/${event.aggregateId}, version ${event.version}, position ${event.position}: event ${event.type} ` +
      `has schema version ${event.schemaVersion}, the code has ${to}, and no upcaster leads from ${from} to ${from + 1}; ` +
      `add upcast: { ${from}: (data) => … } to the event`,
    { details: { ...factsOf(event), from, to } },
  );
}

function factsOf(event: RecordedEvent): Record<string, unknown> {
  const { aggregate, aggregateId, version, position, type, schemaVersion } = event;
  return { aggregate, id: aggregateId, version, position, type, schemaVersion };
}
