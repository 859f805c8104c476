/**
 * Between reactions and dead letters: parked events are dead letters whose record is written together with the
 * records of the reaction, all or none.
 *
 * `draft` makes the letter and its record without keeping it; once the record is durable, `keep` shows it. In the
 * other direction the office of dead letters hands retries and discards of parked events to their owner.
 */
import type { DeadLetter, DeadLetterSink, DeadLetterTrace } from '../core/dead-letter.js';
import type { RecordChange } from '../journal/journal.js';

/** A letter that isn't kept yet, and the record that makes it durable. */
export interface LetterDraft {
  readonly letter: DeadLetter;
  readonly trace: DeadLetterTrace;
  readonly record: RecordChange;
}

/** What a parked letter has to say; its id makes a second parking of one event the same letter. */
export type ParkedFacts = Omit<DeadLetter, 'at' | 'reason'>;

/** The dead letters as reactions need them. */
export interface ParkedLetters extends DeadLetterSink {
  draft(facts: ParkedFacts, trace: DeadLetterTrace): LetterDraft;
  /** Shows a drafted letter whose record is durable. */
  keep(draft: LetterDraft): void;
  /** The change that deletes the record of a letter. */
  erasure(id: string): RecordChange;
  /** Drops a letter whose record has been deleted. */
  forget(id: string): void;
  /** The parked letters of one reaction, as found at the start and added since. */
  parkedOf(name: string): readonly { readonly letter: DeadLetter; readonly trace: DeadLetterTrace }[];
  /** Resolves when every letter added so far is durable. */
  flushed(): Promise<void>;
}

/** Who parked an event, and can handle it again. */
export interface ParkedOwner {
  /**
   * Handles the event again, with fresh attempts. Resolves when that is over: the letter is gone, or parked again.
   *
   * @throws TROUPE_INVALID_OPTIONS when nobody handles such events any more; TROUPE_SYSTEM_STOPPED.
   */
  retry(letter: DeadLetter, trace: DeadLetterTrace): Promise<void>;
  /** Gives the event up and releases its key; durable when the promise resolves. */
  discard(letter: DeadLetter): Promise<void>;
}
