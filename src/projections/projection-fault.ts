/** Why a projection stands still: the event that it can't take, or a file that it can't write. */
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { showValue } from '../core/show-value.js';
import type { FoldFault } from './projection-fold.js';

export interface ProjectionFault {
  /** Of the event that can't be taken; without one, of the last event that is in the rows. */
  readonly position: number;
  /** What whoever waits for the projection gets; its message says what to do. */
  readonly error: TroupeError;
}

/** A fault by an event: the handler threw, or returned what is no row. */
export function faultOfEvent(projection: string, { event, error }: FoldFault): ProjectionFault {
  const { position, type, aggregate, aggregateId } = event;
  return {
    position,
    error: faultError(projection, error, `at position ${position} (${type} of ${aggregate}/${aggregateId})`, {
      position,
      type,
    }),
  };
}

/** Why an event was passed over, for its dead letter and the log. */
export function parkedError(projection: string, { event, error }: FoldFault): TroupeError {
  const { position, type, aggregate, aggregateId } = event;
  return new TroupeError(
    isTroupeError(error) ? error.code : 'TROUPE_ACTOR_FAILED',
    `projection ${projection} does without the event at position ${position} (${type} of ${aggregate}/${aggregateId}): ${textOf(error)}; it is parked. Fix the cause, then retry its dead letter, which builds the rows anew, or discard it`,
    { cause: error, details: { projection, position, type } },
  );
}

/** A fault of the views file: a table is gone, or damaged. */
export function faultOfFile(projection: string, position: number, error: unknown): ProjectionFault {
  return { position, error: faultError(projection, error, `behind position ${position}`, { position }) };
}

function faultError(
  projection: string,
  cause: unknown,
  where: string,
  facts: Readonly<Record<string, unknown>>,
): TroupeError {
  const code = isTroupeError(cause) ? cause.code : 'TROUPE_ACTOR_FAILED';
  return new TroupeError(
    code,
    `projection ${projection} stopped ${where}: ${textOf(cause)}; later events wait in the journal. Fix the cause, then start the system again, or call resume() or rebuild()`,
    { cause, details: { projection, ...facts } },
  );
}

/** What was thrown, in words. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : showValue(thrown);
}
