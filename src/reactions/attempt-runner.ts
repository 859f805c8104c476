/**
 * Who carries out the attempts of a reaction: this thread, or the worker where the event's aggregate lives.
 *
 * The lanes decide what is tried when, and what follows from the result; here is only how a handler comes to its
 * event. This file has the runner of one thread; `distant-attempts.ts` has the other.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { handlerOf } from './handler-of.js';
import type { KeyLane } from './key-lane.js';
import type { LetterFence } from './letter-fence.js';
import type { ParkedLetters } from './parked-letters.js';
import { type AttemptResult, type AttemptSurroundings, ReactionAttempt } from './reaction-attempt.js';
import type { ReactionSettings } from './reaction-definition.js';

/** Whose attempts they are. */
export interface AttemptsOwner {
  /** Whether the time that `stop()` gave is over: nothing is sent any more. */
  readonly stopped: boolean;
  /** The attempt of this lane is over; called once. */
  attemptEnded(lane: KeyLane, result: AttemptResult): void;
}

export interface AttemptRunner {
  /** Handles the event, which is the current one of the lane; never throws. */
  begin(lane: KeyLane, event: RecordedEvent): void;
}

/** What attempts on this thread take from their reaction. */
export interface LocalAttemptsSurroundings
  extends Omit<AttemptSurroundings<KeyLane>, 'attemptEnded' | 'deliver' | 'letter' | 'stopped'> {
  readonly options: ReactionSettings;
  readonly letters: ParkedLetters;
  readonly fence: LetterFence;
  /** An event in the shape of today's code; throws when there is no way to it. */
  readonly present: (event: RecordedEvent) => RecordedEvent;
}

export class LocalAttempts implements AttemptRunner {
  readonly #around: LocalAttemptsSurroundings;
  readonly #owner: AttemptsOwner;
  readonly #attempts: AttemptSurroundings<KeyLane>;

  constructor(around: LocalAttemptsSurroundings, owner: AttemptsOwner) {
    this.#around = around;
    this.#owner = owner;
    this.#attempts = {
      ...around,
      get stopped() {
        return owner.stopped;
      },
      deliver: (_lane, envelope) => around.post.deliver(envelope),
      letter: (_lane, letter, trace) => {
        around.letters.add(letter, trace);
        around.fence.added();
      },
      attemptEnded: (lane, result) => owner.attemptEnded(lane, result),
    };
  }

  begin(lane: KeyLane, raw: RecordedEvent): void {
    const { present, options } = this.#around;
    let event: RecordedEvent;
    try {
      event = present(raw);
    } catch (error) {
      this.#owner.attemptEnded(lane, { failed: true, error, refusedId: undefined });
      return;
    }
    const attempt = new ReactionAttempt(this.#attempts, lane, lane.job?.trace.commandId);
    attempt.run(handlerOf(options, event), event, lane.attempts);
  }
}
