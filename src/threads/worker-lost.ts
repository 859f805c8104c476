/** The error of everything that a lost worker could not finish. */
import { TroupeError } from '../core/troupe-error.js';
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
