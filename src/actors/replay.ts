/**
 * Folding recorded events into state: upcast, validate, apply; pure, and the same for recovery, time travel and audits.
 *
 * Whatever goes wrong names the event: aggregate, id, version, position.
 */
import type { EventToApply, RecordedEvent } from '../core/recorded-event.js';
import { checkJson } from '../core/json-value.js';
import { formatIssues, validateSync } from '../core/schema.js';
import { showThrown } from '../core/show-value.js';
import { isStrayPromise } from '../core/thenable.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import type { RuntimeAggregate } from './aggregate-definition.js';

/**
 * The event in the shape of today's code: as it is stored if it has that shape, else with what upcasters and then the
 * schema make of it.
 *
 * @throws TROUPE_UPCAST_MISSING when a step between its schema version and today's has no upcaster.
 * @throws TROUPE_INVALID_EVENT when the type is unknown, newer than the code, or doesn't pass its schema, or when an
 * upcaster returns nothing, or what is no JSON value.
 * @throws TROUPE_ACTOR_FAILED with the place of the event for what an upcaster throws.
 */
export function upcast(aggregate: RuntimeAggregate, event: RecordedEvent): RecordedEvent {
  const definition = aggregate.options.events.get(event.type);
  if (definition === undefined) {
    throw unreadable(
      event,
      `event ${event.type} is not defined; add it to the events of ${aggregate.name}, or let it be passed over with unknownEvents: 'skip'`,
    );
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
    data = stepped(event, version, step, data);
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
  checkUpcast(event, data);
  return { ...event, data, schemaVersion: definition.version };
}

/** Whether a recorded event is of a type that its aggregate doesn't know, and passes over (`unknownEvents: 'skip'`). */
export function isSkipped(aggregate: RuntimeAggregate, event: RecordedEvent): boolean {
  return aggregate.options.unknownEvents === 'skip' && !aggregate.options.events.has(event.type);
}

/**
 * The state after a recorded event; the same state when the event is to be skipped.
 *
 * @throws what `upcast` throws; TROUPE_ACTOR_FAILED with the place of the event for what `apply` throws.
 */
export function replay(aggregate: RuntimeAggregate, state: unknown, recorded: RecordedEvent): unknown {
  if (isSkipped(aggregate, recorded)) return state;
  const event = eventToApply(upcast(aggregate, recorded));
  try {
    return applyEvent(aggregate, state, event);
  } catch (error) {
    if (isTroupeError(error)) throw error;
    throw thrownBy(recorded, `apply of event ${recorded.type} threw ${showThrown(error)}`, error);
  }
}

/** Field by field: what a rest of a destructuring leaves out costs more than the rest of a replay. */
function eventToApply(event: RecordedEvent): EventToApply {
  return {
    aggregate: event.aggregate,
    aggregateId: event.aggregateId,
    version: event.version,
    type: event.type,
    schemaVersion: event.schemaVersion,
    data: event.data,
    id: event.id,
    commandId: event.commandId,
    correlationId: event.correlationId,
    causationId: event.causationId,
    metadata: event.metadata,
  };
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

/** One step of upcasting. */
function stepped(event: RecordedEvent, from: number, step: (data: unknown) => unknown, data: unknown): unknown {
  let next: unknown;
  try {
    next = step(data);
  } catch (error) {
    const text = `upcast of event ${event.type} from ${from} to ${from + 1} threw ${showThrown(error)}`;
    throw thrownBy(event, text, error);
  }
  if (next !== undefined && !isStrayPromise(next)) return next;
  const what = next === undefined ? 'undefined' : 'a promise';
  throw unreadable(
    event,
    `upcast of event ${event.type} from ${from} to ${from + 1} returned ${what}; return the new data at once`,
  );
}

/** Upcast data is as good as stored data: what a snapshot of it would lose is refused. */
function checkUpcast(event: RecordedEvent, data: unknown): void {
  try {
    checkJson(data, '');
  } catch (error) {
    const found: unknown = isTroupeError(error) ? error.details['found'] : undefined;
    const path: unknown = isTroupeError(error) ? error.details['path'] : undefined;
    const what = typeof path === 'string' && path !== '' ? `the field ${path} is` : 'it is';
    throw unreadable(
      event,
      `event ${event.type} can't be kept as its upcasters have made it: ${what} ${showThrown(found)}; make JSON values`,
    );
  }
}

function unusable(event: EventToApply, what: string): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_EVENT',
    `${event.aggregate}/${event.aggregateId}: apply of event ${event.type} returned ${what}`,
    { details: { aggregate: event.aggregate, id: event.aggregateId, type: event.type } },
  );
}

function unreadable(event: RecordedEvent, what: string): TroupeError {
  return new TroupeError('TROUPE_INVALID_EVENT', `${placeOf(event)}: ${what}`, { details: factsOf(event) });
}

function thrownBy(event: RecordedEvent, what: string, cause: unknown): TroupeError {
  return new TroupeError('TROUPE_ACTOR_FAILED', `${placeOf(event)}: ${what}`, { cause, details: factsOf(event) });
}

function missing(event: RecordedEvent, from: number, to: number): TroupeError {
  return new TroupeError(
    'TROUPE_UPCAST_MISSING',
    `${placeOf(event)}: event ${event.type} has schema version ${event.schemaVersion}, the code has ${to}, ` +
      `and no upcaster leads from ${from} to ${from + 1}; ` +
      `add upcast: { ${from}: (data) => … } to the event`,
    { details: { ...factsOf(event), from, to } },
  );
}

function placeOf(event: RecordedEvent): string {
  return `${event.aggregate}/${event.aggregateId}, version ${event.version}, position ${event.position}`;
}

function factsOf(event: RecordedEvent): Record<string, unknown> {
  const { aggregate, aggregateId, version, position, type, schemaVersion } = event;
  return { aggregate, id: aggregateId, version, position, type, schemaVersion };
}
