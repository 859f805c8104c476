/** The errors of what a lost worker could not finish, and of what it died of. */
import { TroupeError } from '../core/troupe-error.js';
import type { Envelope } from '../core/envelope.js';
import type { ThreadIndex } from './placement.js';

export function workerLost(index: ThreadIndex, cause?: unknown): TroupeError {
  const text = cause instanceof Error ? `: ${cause.message}` : '';
  return new TroupeError(
    'TROUPE_WORKER_LOST',
    `worker ${index} was lost${text}; it has been replaced. Messages to aggregates are delivered again; send those to ` +
      'plain actors again if that does no harm',
    { details: { worker: index }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Of a message that cost a worker its life, and the successor while it was the only one there. */
export function quarantineError({ target, targetId, type }: Envelope): TroupeError {
  return new TroupeError(
    'TROUPE_WORKER_LOST',
    `${target}/${targetId}: ${type} has cost two workers their life, one after the other, and is quarantined; ` +
      'mend its handler, then retry or discard the dead letter',
    { details: { target, id: targetId, type, quarantined: true } },
  );
}
