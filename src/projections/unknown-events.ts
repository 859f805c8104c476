/**
 * Events of types that nobody knows: newer code wrote them, or their definition was renamed or is gone.
 *
 * A projection names the types that it handles, and others are none of its business. Told to look, it also goes
 * through those that it doesn't handle, for such whose aggregate, as the cast has it, doesn't know the type.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { ProjectionPlan } from './projection-plan.js';

/** `pass`: not looked for. `skip`: passed over and counted. `fail`: can't be taken, as one whose handler throws. */
export type UnknownInProjection = 'pass' | 'skip' | 'fail';

/** The types that a projection has to see; undefined: all of them. */
export function typesToSee(plan: ProjectionPlan): ReadonlySet<string> | undefined {
  return plan.unknownEvents === 'pass' ? plan.types : undefined;
}

/** Which of the events that it sees concern a projection. */
export class Concern {
  readonly #plan: ProjectionPlan;
  readonly #known: (event: RecordedEvent) => boolean;

  /** @param known whether the cast has the event's aggregate, and that its type */
  constructor(plan: ProjectionPlan, known: (event: RecordedEvent) => boolean) {
    this.#plan = plan;
    this.#known = known;
  }

  /** Whether it is handled, or of a type that nobody knows. */
  covers(event: RecordedEvent): boolean {
    return this.#plan.types.has(event.type) || this.isUnknown(event);
  }

  isUnknown(event: RecordedEvent): boolean {
    const { unknownEvents, types } = this.#plan;
    if (unknownEvents === 'pass' || types.has(event.type)) return false;
    return this.#plan.means(event) && !this.#known(event);
  }
}

/** What a projection says that is told to fail. */
export function unknownEvent({ type, aggregate, aggregateId: id, version, position }: RecordedEvent): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_EVENT',
    `${aggregate}/${id}, version ${version}, position ${position}: event ${type} is not defined in the cast; ` +
      "add it to the events of its aggregate, or let the projection pass over such events with unknownEvents: 'skip'",
    { details: { aggregate, id, version, position, type } },
  );
}
