/**
 * Keeps order between dead letters and the records that pass their events.
 *
 * A rejected command makes its event finished, and leaves a letter. Were the letter lost in a crash after the
 * checkpoint (or the record of the key) has passed the event, nobody would ever hear of the rejection.
 */
import type { ParkedLetters } from './parked-letters.js';

export class LetterFence {
  readonly #letters: Pick<ParkedLetters, 'flushed'>;
  #added = 0;
  #durable = 0;

  constructor(letters: Pick<ParkedLetters, 'flushed'>) {
    this.#letters = letters;
  }

  /** A letter was added for an event that is about to be finished. */
  added(): void {
    this.#added += 1;
  }

  /** Whether every letter so far is durable. To be asked right before the write, with no wait in between. */
  get clear(): boolean {
    return this.#durable === this.#added;
  }

  /** Brings the letters so far to the journal; rejects when they can't be written now. */
  async clearing(): Promise<void> {
    const added = this.#added;
    await this.#letters.flushed();
    this.#durable = Math.max(this.#durable, added);
  }
}
