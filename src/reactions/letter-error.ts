/** Whatever a handler may throw, as an error of Troupe. It is looked at with care: looking may throw, too. */
import { showThrown } from '../core/show-value.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';

/** The error itself if it is one of Troupe, else TROUPE_ACTOR_FAILED with it as cause. */
export function asTroupeError(error: unknown, where: string): TroupeError {
  if (isTroupeError(error)) return error;
  return new TroupeError('TROUPE_ACTOR_FAILED', `${where}: ${showThrown(error)}`, { cause: error });
}

/** Whether an error says that the command has cost workers their life: another attempt would cost more. */
export function isQuarantine(error: unknown): boolean {
  return hasCause(error, (one) => isTroupeError(one, 'TROUPE_WORKER_LOST') && one.details['quarantined'] === true);
}

/**
 * Whether an error says that the runtime itself could not work (a disk that fails, a system that stops), not that
 * this event can't be handled. Such attempts are repeated without parking the event, until the fault is over.
 */
export function isOutage(error: unknown): boolean {
  return hasCause(
    error,
    (one) => isTroupeError(one, 'TROUPE_JOURNAL_WRITE_FAILED') || isTroupeError(one, 'TROUPE_SYSTEM_STOPPED'),
  );
}

/** Whether this holds of an error or of what caused it. */
function hasCause(error: unknown, holds: (one: Error) => boolean): boolean {
  try {
    for (let one: unknown = error, depth = 0; one instanceof Error && depth < 10; one = one.cause, depth += 1) {
      if (holds(one)) return true;
    }
  } catch {
    // One that throws when it is looked at is none of ours.
  }
  return false;
}
