/**
 * How a dead letter stands in the journal: one record of kind `dead-letter`, its key the letter's id.
 *
 * Only JSON is kept. A payload that is none (messages to plain actors may hold a Map) stays in memory with its
 * letter; the record says what it was, and after a restart the letter can be looked at and discarded, not retried.
 */
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import { checkJson } from '../core/json-value.js';
import type { RecordChange } from '../journal/journal.js';

/** Kind of the records of dead letters. */
export const DEAD_LETTER = 'dead-letter';

/** A letter, and what a retry needs to send its message as it was. */
export interface KeptLetter {
  readonly letter: DeadLetter;
  readonly trace: DeadLetterTrace;
  /** False when only a description of the payload has survived. */
  readonly payloadKept: boolean;
}

/** The record of a letter. */
export function letterRecord({ letter, trace }: KeptLetter): RecordChange {
  const { id, payload, ...facts } = letter;
  const fault = faultOf(payload);
  const value = fault === undefined ? { ...facts, payload, trace } : { ...facts, payload: fault, lost: true, trace };
  return { kind: DEAD_LETTER, key: id, value };
}

/** The change that deletes the record of a letter. */
export function letterErasure(id: string): RecordChange {
  return { kind: DEAD_LETTER, key: id, value: undefined };
}

/** The letter that a record holds. */
export function readLetter(id: string, value: unknown): KeptLetter {
  // Only `letterRecord` writes records of this kind.
  const { trace, lost, ...facts } = value as Omit<DeadLetter, 'id'> & {
    readonly trace?: DeadLetterTrace;
    readonly lost?: boolean;
  };
  return { letter: Object.freeze({ id, ...facts }), trace: trace ?? {}, payloadKept: lost !== true };
}

/** What keeps a payload from being stored, as the text that is stored in its place. */
function faultOf(payload: unknown): string | undefined {
  try {
    checkJson(payload, 'the payload');
    return undefined;
  } catch (error) {
    return `[${error instanceof Error ? error.message : String(error)}]`;
  }
}
