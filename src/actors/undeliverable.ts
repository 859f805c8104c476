/** Where a message ends that nobody will handle: with its sender, or with the dead letters. */
import type { DeadLetterError, DeadLetterReason, DeadLetterSink } from '../core/dead-letter.js';
import { showCause } from '../core/show-value.js';
import type { Envelope } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';

/** The reason under which an error stands among the dead letters. */
export function reasonOf(error: TroupeError): DeadLetterReason {
  switch (error.code) {
    case 'TROUPE_REJECTED':
      return 'rejected';
    case 'TROUPE_MAILBOX_FULL':
      return error.details['dropped'] === 'oldest'
        ? 'dropped-oldest'
        : error.details['dropped'] === 'newest'
          ? 'dropped-newest'
          : 'mailbox-full';
    case 'TROUPE_WORKER_LOST':
      return error.details['quarantined'] === true ? 'quarantined' : 'worker-lost';
    case 'TROUPE_ACTOR_STOPPED':
    case 'TROUPE_SYSTEM_STOPPED':
      return 'stopped';
    case 'TROUPE_UNKNOWN_MESSAGE':
    case 'TROUPE_UNKNOWN_ACTOR':
      return 'unknown-message';
    case 'TROUPE_INVALID_MESSAGE':
      return 'invalid-message';
    default:
      return 'failed';
  }
}

/** An error as a dead letter keeps it. */
export function describeError(error: TroupeError): DeadLetterError {
  const cause = error.cause;
  return {
    code: error.code,
    message: error.message,
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    ...(cause === undefined ? {} : { cause: showCause(cause) }),
  };
}

/** Makes a dead letter of a message. */
export function toDeadLetters(
  deadLetters: DeadLetterSink,
  envelope: Envelope,
  error: TroupeError,
  reason: DeadLetterReason = reasonOf(error),
): void {
  const { target, targetId, type, payload, commandId, correlationId, causationId, metadata } = envelope;
  deadLetters.add(
    { reason, target: { name: target, id: targetId }, type, payload, error: describeError(error) },
    { commandId, correlationId, causationId, metadata },
  );
}

/** Tells the sender, if it waits for an answer; else the message becomes a dead letter. */
export function failEnvelope(deadLetters: DeadLetterSink, envelope: Envelope, error: TroupeError): void {
  if (envelope.sink !== undefined) envelope.sink.fail(error);
  else toDeadLetters(deadLetters, envelope, error);
}

/** A command id came again with another type or payload. */
export function idReused(envelope: Envelope): TroupeError {
  const { target, targetId, commandId, type } = envelope;
  return new TroupeError(
    'TROUPE_COMMAND_ID_REUSED',
    `${target}/${targetId}: the command id ${String(commandId)} has been used with another type or payload; ` +
      'use a new id for a new command',
    { details: { commandId, type } },
  );
}
