/**
 * Dead letters: whatever was refused, dropped, parked or could not be delivered, with the reason.
 *
 * Nothing disappears in silence (promise 7). What the sender was told of, such as a refused ask, is none.
 */

/** Why a message became a dead letter. */
export type DeadLetterReason =
  | 'rejected'
  | 'mailbox-full'
  | 'worker-lost'
  | 'stopped'
  | 'unknown-message'
  | 'invalid-message'
  | 'parked'
  | 'quarantined'
  | 'dropped-oldest'
  | 'dropped-newest'
  | 'failed';

/** The error of a dead letter as plain data. */
export interface DeadLetterError {
  readonly code: string;
  readonly message: string;
  /** The business reason of a rejection. */
  readonly reason?: string;
  readonly cause?: string;
}

/** A message that found no receiver, or an event that a reaction could not handle. */
export interface DeadLetter {
  readonly id: string;
  readonly reason: DeadLetterReason;
  /** The actor or aggregate it was meant for; for a parked event the reaction, with its key as id. */
  readonly target: { readonly name: string; readonly id: string };
  readonly type: string;
  readonly payload: unknown;
  readonly error: DeadLetterError | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Position of the parked event. */
  readonly position?: number;
}

/** Facts of a message that a retry needs to send it as it was. */
export interface DeadLetterTrace {
  readonly commandId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Takes dead letters; implemented by `system/dead-letters.ts`. */
export interface DeadLetterSink {
  /** Keeps the letter and tells the observers; the id is random unless given. */
  add(letter: Omit<DeadLetter, 'id' | 'at'> & { readonly id?: string }, trace?: DeadLetterTrace): DeadLetter;
  /** Removes it, for instance because a parked key was released. */
  remove(id: string): void;
}
