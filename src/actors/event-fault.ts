/** What is said of an event that today's code can't read or apply: the code of the error, and a text with the place. */
import type { RecordedEvent } from '../core/recorded-event.js';
import { showCause } from '../core/show-value.js';
import { isTroupeError, type TroupeErrorCode } from '../core/troupe-error.js';

export interface EventFault {
  readonly code: TroupeErrorCode;
  readonly message: string;
}

/** @param error what replaying the event threw: one of the runtime, or whatever a function of the user's did */
export function eventFault(error: unknown, event: RecordedEvent): EventFault {
  const { aggregate, aggregateId, version, position, type } = event;
  const place = `${aggregate}/${aggregateId}, version ${version}, position ${position}`;
  if (isTroupeError(error)) {
    const { code, message } = error;
    return { code, message: message.startsWith(place) ? message : `${place}: ${message}` };
  }
  return { code: 'TROUPE_ACTOR_FAILED', message: `${place}: reading event ${type} threw ${showCause(error)}` };
}
