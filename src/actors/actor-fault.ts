/** The errors of plain actors: what happened, to whom, and what to do. */
import { TroupeError } from '../core/troupe-error.js';
import { printable, thrownText } from '../supervision/thrown.js';
import type { InstanceAddress } from './signal.js';

/** A message for an instance that isn't there. */
export function notRunning({ name, id }: InstanceAddress): TroupeError {
  return new TroupeError(
    'TROUPE_ACTOR_STOPPED',
    `${name}/${id} is not running: it was never spawned, or has stopped; spawn it first, or watch it to know when it ends`,
    { details: { target: name, id } },
  );
}

/** What an instance that stops has not handled. */
export function stopped({ name, id }: InstanceAddress): TroupeError {
  return new TroupeError('TROUPE_ACTOR_STOPPED', `${name}/${id} has stopped before it came to this message`, {
    details: { target: name, id },
  });
}

/** What was not finished when the system stopped. */
export function systemStopped({ name, id }: InstanceAddress): TroupeError {
  return new TroupeError(
    'TROUPE_SYSTEM_STOPPED',
    `${name}/${id} has not come to the end of this message before the system stopped; give stop() a longer timeout`,
    { details: { target: name, id } },
  );
}

/** A handler that goes on although its actor has to end, for good or to begin again. */
export function abandoned({ name, id }: InstanceAddress, timeoutMs: number, forGood: boolean): TroupeError {
  return new TroupeError(
    forGood ? 'TROUPE_ACTOR_STOPPED' : 'TROUPE_ACTOR_FAILED',
    `${name}/${id} was still handling this message ${timeoutMs} ms after it was told to ${forGood ? 'stop' : 'begin again'}; ` +
      'let handlers watch ctx.signal',
    { details: { target: name, id, timeoutMs } },
  );
}

/** A throw in a handler. */
export function failedHandling({ name, id }: InstanceAddress, type: string, cause: unknown): TroupeError {
  return new TroupeError('TROUPE_ACTOR_FAILED', `${name}/${id} failed while it handled ${type}: ${thrownText(cause)}`, {
    cause: printable(cause),
    details: { target: name, id, type },
  });
}

/** A message that found the mailbox, or the stash, full. */
export function full(
  { name, id }: InstanceAddress,
  type: string,
  capacity: number,
  what: string,
  dropped?: 'oldest' | 'newest',
): TroupeError {
  return new TroupeError(
    'TROUPE_MAILBOX_FULL',
    `${name}/${id}: ${what} (${capacity} messages), and ${type} had to give way; ` +
      'use send() to wait for room, or a larger mailbox.capacity',
    { details: { target: name, id, type, capacity, ...(dropped === undefined ? {} : { dropped }) } },
  );
}

/** A message that the behaviour of the moment has no handler for. */
export function notAnsweredNow({ name, id }: InstanceAddress, type: string): TroupeError {
  return new TroupeError(
    'TROUPE_UNKNOWN_MESSAGE',
    `${name}/${id} doesn't answer ${type} at present: the handlers given to become() leave it out; stash() it there, or add it`,
    { details: { target: name, id, type } },
  );
}

/** An ask that could only be answered after the message that waits for it. */
export function ownAsk({ name, id }: InstanceAddress, type: string): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_MESSAGE',
    `${name}/${id} asks itself for ${type} while it handles a message, and would wait for itself; tell it, or call the function`,
    { details: { target: name, id, type } },
  );
}

/** A second living instance of one id. */
export function idInUse({ name, id }: InstanceAddress): TroupeError {
  return new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${name}/${id} is running already; ids are unique for each definition, so choose another one, stop it first, or use ref()`,
    { details: { target: name, id } },
  );
}
