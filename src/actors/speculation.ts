/**
 * What one instance has decided and is not durable yet, and the answers that wait for it (promise 2).
 *
 * Entries commit in the order decided, so whatever rests on the state rests on the last of them. Bounded: what waits
 * counts like what is being committed, so that a slow disk fills the mailbox, which has a policy, and not the heap.
 */
import type { Envelope } from '../core/envelope.js';
import { LIMITS } from '../core/limits.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { Answers } from './answers.js';
import type { CommandEntry } from './command-entry.js';

export class Speculation {
  readonly #answers: Answers;
  #pending = 0;
  #held = 0;
  #last: CommandEntry | undefined;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** Whether nothing is being committed. */
  get isEmpty(): boolean {
    return this.#pending === 0;
  }

  /** Whether nothing more may be decided for now. */
  get isFull(): boolean {
    return this.#pending + this.#held >= LIMITS.speculativeCommands;
  }

  add(entry: CommandEntry): void {
    this.#pending += 1;
    this.#last = entry;
  }

  /** Answers once everything decided so far is durable; when that fails, the message fails with it. */
  hold(envelope: Envelope, answer: () => void): void {
    if (this.#last === undefined) answer();
    else this.follow(this.#last, envelope, answer);
  }

  /** The same for one entry that has been decided. */
  follow(entry: CommandEntry, envelope: Envelope, answer: () => void): void {
    this.#held += 1;
    entry.follow((error) => {
      if (error === undefined) answer();
      else this.#answers.fail(envelope, error);
    });
  }

  /** The entry is durable, or with an error failed, and its own sender knows: now those who wait for it. */
  settle(entry: CommandEntry, error: TroupeError | undefined): void {
    this.#pending -= 1;
    this.#held -= entry.followers;
    if (this.#last === entry) this.#last = undefined;
    entry.release(error);
  }
}
