/**
 * Attempts on other threads, as the thread of the lanes sees them: a message out, one answer back.
 *
 * What the attempt had to tell (rejected commands) comes with its result, and is kept before the result is heard, so
 * that no checkpoint can pass an event whose letters are still on their way.
 */
import { Envelope, type ReplySink } from '../core/envelope.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { AttemptRunner, AttemptsOwner } from './attempt-runner.js';
import { type AttemptReply, type AttemptRequest, attemptRequest, resultOf } from './attempt-wire.js';
import type { KeyLane } from './key-lane.js';
import type { LetterFence } from './letter-fence.js';
import type { ParkedLetters } from './parked-letters.js';

/** The way to the threads that carry out attempts. */
export interface AttemptsElsewhere {
  /** Brings the attempt to where the event was made. Its sink gets one answer, whatever threads die meanwhile. */
  deliver(envelope: Envelope, event: RecordedEvent): void;
  /** `ending`: handlers shall come to their end; `over`: what they still send is not sent any more. */
  stop(stage: 'ending' | 'over'): void;
}

export interface DistantAttemptsSurroundings {
  readonly name: string;
  readonly elsewhere: AttemptsElsewhere;
  readonly letters: ParkedLetters;
  readonly fence: LetterFence;
}

export class DistantAttempts implements AttemptRunner {
  readonly #around: DistantAttemptsSurroundings;
  readonly #owner: AttemptsOwner;

  constructor(around: DistantAttemptsSurroundings, owner: AttemptsOwner) {
    this.#around = around;
    this.#owner = owner;
  }

  begin(lane: KeyLane, event: RecordedEvent): void {
    const { name, elsewhere } = this.#around;
    const request = attemptRequest(event, lane.attempts, lane.job?.trace.commandId);
    const facts = { waits: true, sink: new AttemptSink(this.#around, this.#owner, lane) };
    elsewhere.deliver(new Envelope(name, lane.key, event.type, request, facts), event);
  }
}

/**
 * The attempt has cost two workers their life, by its handler (0) or by its `nth` command. That command is left out at
 * the next delivery, which then fails; undefined when there is nothing to leave out any more.
 */
export function withoutCommand(envelope: Envelope, nth: number): Envelope | undefined {
  // Attempts have such payloads.
  const request = envelope.payload as AttemptRequest;
  if (nth === 0 || request[2] !== 0) return undefined;
  const [attempt, refusedId, , ...event] = request;
  const { target, targetId, type, sink } = envelope;
  return new Envelope(target, targetId, type, [attempt, refusedId, nth, ...event], { waits: true, sink });
}

class AttemptSink implements ReplySink {
  readonly wantsReply = true;
  readonly #around: DistantAttemptsSurroundings;
  readonly #owner: AttemptsOwner;
  readonly #lane: KeyLane;

  constructor(around: DistantAttemptsSurroundings, owner: AttemptsOwner, lane: KeyLane) {
    this.#around = around;
    this.#owner = owner;
    this.#lane = lane;
  }

  reply(value: unknown): void {
    // Only an attempt host answers attempts.
    const reply = value as AttemptReply;
    if (this.#owner.stopped) return;
    for (const [letter, trace] of reply?.[3] ?? []) {
      this.#around.letters.add(letter, trace);
      this.#around.fence.added();
    }
    this.#owner.attemptEnded(this.#lane, resultOf(reply));
  }

  fail(error: TroupeError): void {
    this.#owner.attemptEnded(this.#lane, { failed: true, error, refusedId: undefined });
  }
}
