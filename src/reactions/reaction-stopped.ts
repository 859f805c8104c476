/** Why handlers of a reaction should end, and what waits for it fails. */
import { TroupeError } from '../core/troupe-error.js';

export function reactionStopped(name: string): TroupeError {
  return new TroupeError(
    'TROUPE_SYSTEM_STOPPED',
    `reaction ${name} has stopped with the system; it goes on at the next start`,
  );
}
