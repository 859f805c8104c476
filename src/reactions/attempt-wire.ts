/**
 * An attempt as it crosses between threads: what is asked for, and what came of it.
 *
 * It travels as a message for the reaction, with the key as the instance's id, so that links deliver it again when its
 * worker dies, and find out the one that kills workers. Events go as flat rows: as objects they take the encoder twice
 * as long.
 */
import type { DeadLetterTrace } from '../core/dead-letter.js';
import { deepFreeze } from '../core/json-value.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { type AttemptLetter, type AttemptResult, GOOD } from './reaction-attempt.js';

/** The payload of an attempt; `poisoned`: its how-manieth command has cost two workers their life. */
export type AttemptRequest = readonly [
  attempt: number,
  refusedId: string | undefined,
  poisoned: number,
  position: number,
  aggregate: string,
  aggregateId: string,
  version: number,
  type: string,
  schemaVersion: number,
  data: unknown,
  id: string,
  commandId: string,
  correlationId: string,
  causationId: string | null,
  metadata: Readonly<Record<string, unknown>>,
  recordedAt: number,
];

/** A letter that has to be durable before the event counts as finished. */
export type WireLetter = readonly [letter: AttemptLetter, trace: DeadLetterTrace];

/** The reply to an attempt; undefined: it was good, and left no letters. */
export type AttemptReply =
  | undefined
  | readonly [failed: boolean, error: unknown, refusedId: string | undefined, letters: readonly WireLetter[]];

export function attemptRequest(event: RecordedEvent, attempt: number, refusedId: string | undefined): AttemptRequest {
  const { position, aggregate, aggregateId, version, type, schemaVersion, data, id } = event;
  const { commandId, correlationId, causationId, metadata, recordedAt } = event;
  return [
    attempt,
    refusedId,
    0,
    position,
    aggregate,
    aggregateId,
    version,
    type,
    schemaVersion,
    data,
    id,
    commandId,
    correlationId,
    causationId,
    metadata,
    recordedAt,
  ];
}

/** The event of a request, frozen like every event that readers get. */
export function eventOf(request: AttemptRequest): RecordedEvent {
  const [, , , position, aggregate, aggregateId, version, type, schemaVersion, data, id] = request;
  deepFreeze(data);
  deepFreeze(request[14]);
  return Object.freeze({
    position,
    aggregate,
    aggregateId,
    version,
    type,
    schemaVersion,
    data,
    id,
    commandId: request[11],
    correlationId: request[12],
    causationId: request[13],
    metadata: request[14],
    recordedAt: request[15],
  });
}

export function attemptReply(result: AttemptResult, letters: readonly WireLetter[]): AttemptReply {
  const { failed, error, refusedId } = result;
  if (!failed && letters.length === 0) return undefined;
  return [failed, failed ? carried(error) : undefined, refusedId, letters];
}

export function resultOf(reply: AttemptReply): AttemptResult {
  if (reply === undefined || !reply[0]) return GOOD;
  return { failed: true, error: reply[1], refusedId: reply[2] };
}

/** Handlers may throw anything, also what can't cross. */
function carried(error: unknown): Error {
  if (error instanceof Error) return error;
  try {
    return new Error(String(error));
  } catch {
    return new Error('something was thrown that can not be shown');
  }
}
