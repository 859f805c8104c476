/**
 * Which events concern a reaction, and who handles them.
 *
 * Events of types without a handler are none of its business, unless it was told to fail at types that its aggregates
 * don't know: those were written by newer code, or their definition is gone.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { ReactionContext } from './reaction-context.js';
import type { ReactionSettings } from './reaction-definition.js';

/** Whether an event is brought to the reaction. */
export function concerns(options: ReactionSettings, event: RecordedEvent): boolean {
  if (options.of !== undefined && !options.of.some(({ name }) => name === event.aggregate)) return false;
  return options.on.has(event.type) || isUnknown(options, event);
}

/** The handler of an event that concerns the reaction. */
export function handlerOf(
  options: ReactionSettings,
  event: RecordedEvent,
): (event: RecordedEvent, ctx: ReactionContext) => unknown {
  return options.on.get(event.type) ?? (isUnknown(options, event) ? refuse : pass);
}

/** Whether the reaction fails at it. */
function isUnknown({ of = [], unknownEvents }: ReactionSettings, { aggregate, type }: RecordedEvent): boolean {
  if (unknownEvents === 'skip') return false;
  return of.some((source) => source.name === aggregate && !source.options.events.has(type));
}

function refuse(event: RecordedEvent): never {
  const { aggregate, aggregateId: id, version, position, type } = event;
  throw new TroupeError(
    'TROUPE_INVALID_EVENT',
    `${aggregate}/${id}, version ${version}, position ${position}: event ${type} is not defined; run the newer code, ` +
      "or let the reaction pass over such events with unknownEvents: 'skip'",
    { details: { aggregate, id, version, position, type } },
  );
}

function pass(): void {
  // A parked event whose type is known by now, and of no concern.
}
