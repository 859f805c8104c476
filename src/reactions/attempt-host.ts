/**
 * A worker's host of attempts: runs the handlers of reactions for the lanes of the main thread.
 *
 * While a handler is on the stack, or waits for a promise, the thread's mark names its attempt, and so does each
 * command that goes to an instance of the same thread: what kills the worker is found out by the attempt that it came
 * from. Handlers run in rounds of a few milliseconds, so that a frame full of attempts doesn't keep the loop.
 */
import type { Clock } from '../core/clock.js';
import type { DeadLetterSink } from '../core/dead-letter.js';
import type { Deadlines } from '../core/deadlines.js';
import type { Envelope, Post } from '../core/envelope.js';
import type { HandlingMark } from '../core/handling-mark.js';
import { LIMITS } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { type AttemptRequest, attemptReply, eventOf, type WireLetter } from './attempt-wire.js';
import { handlerOf } from './handler-of.js';
import { type AttemptResult, type AttemptSurroundings, ReactionAttempt } from './reaction-attempt.js';
import type { RuntimeReaction } from './reaction-definition.js';
import { reactionStopped } from './reaction-stopped.js';

/** What the host needs of its thread. */
export interface AttemptHostSurroundings {
  readonly definitions: Iterable<RuntimeReaction>;
  readonly post: Post;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly log: Logger;
  readonly askTimeoutMs: number;
  readonly mark: HandlingMark;
  /** Where letters go that come when their attempt is over. */
  readonly letters: DeadLetterSink;
  readonly present: (event: RecordedEvent) => RecordedEvent;
  /** A command has cost two workers their life: it is not delivered any more. */
  readonly quarantined: (envelope: Envelope) => void;
}

/** An attempt under way. */
interface Begun {
  readonly envelope: Envelope;
  readonly poisoned: number;
  letters: WireLetter[] | undefined;
  /** Its slot in the mark, while its handler waits. */
  slot: number;
  over: boolean;
}

interface Hosted {
  readonly definition: RuntimeReaction;
  readonly attempts: AttemptSurroundings<Begun>;
  readonly abort: AbortController;
}

export class AttemptHost {
  readonly #around: AttemptHostSurroundings;
  readonly #hosted = new Map<string, Hosted>();
  readonly #waiting = new RingBuffer<Envelope>();
  #pumping = false;
  #open = 0;
  #stopped = false;

  constructor(around: AttemptHostSurroundings) {
    this.#around = around;
    for (const definition of around.definitions) this.#host(definition);
  }

  /** Attempts that wait or are under way here. */
  get open(): number {
    return this.#open;
  }

  /** Takes an attempt, which gets one answer. */
  deliver(envelope: Envelope): void {
    this.#open += 1;
    envelope.sink?.taken?.();
    this.#waiting.push(envelope);
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(this.#pump);
  }

  /** `ending`: handlers shall come to their end; `over`: what they still send is not sent any more. */
  stop(stage: 'ending' | 'over'): void {
    if (stage === 'over') this.#stopped = true;
    for (const { definition, abort } of this.#hosted.values()) abort.abort(reactionStopped(definition.name));
  }

  #host(definition: RuntimeReaction): void {
    const { letters, post, quarantined } = this.#around;
    const { name } = definition;
    const abort = new AbortController();
    const isStopped = (): boolean => this.#stopped;
    const attempts: AttemptSurroundings<Begun> = {
      ...this.#around,
      name: definition.options.durableName,
      signal: abort.signal,
      get stopped() {
        return isStopped();
      },
      letter: (begun, letter, trace) => {
        if (begun.over) letters.add(letter, trace);
        else (begun.letters ??= []).push([letter, trace]);
      },
      deliver: ({ envelope, poisoned }, command, nth) => {
        if (nth === poisoned) return quarantined(command);
        command.fromThread = envelope.fromThread;
        command.fromSeq = envelope.fromSeq;
        command.fromNth = nth;
        post.deliver(command);
      },
      attemptEnded: (begun, result) => this.#ended(begun, result),
    };
    this.#hosted.set(name, { definition, attempts, abort });
  }

  readonly #pump = (): void => {
    const { clock } = this.#around;
    const endsMs = clock.monotonic() + LIMITS.dispatcherTurnMs;
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) {
      this.#begin(one);
      if (clock.monotonic() > endsMs && this.#waiting.size > 0) {
        setImmediate(this.#pump);
        return;
      }
    }
    this.#pumping = false;
  };

  #begin(envelope: Envelope): void {
    const { mark, present } = this.#around;
    // Only the lanes of the main thread send attempts, to reactions of the same cast.
    const { definition, attempts } = this.#hosted.get(envelope.target) as Hosted;
    const request = envelope.payload as AttemptRequest;
    const [number, refusedId, poisoned] = request;
    const begun: Begun = { envelope, poisoned, letters: undefined, slot: 0, over: false };
    mark.enter(envelope);
    try {
      const event = present(eventOf(request));
      const handler = handlerOf(definition.options, event);
      const attempt = new ReactionAttempt(attempts, begun, refusedId);
      attempt.run(handler, event, number);
      mark.leave();
      if (!attempt.returned) begun.slot = mark.hold(envelope);
    } catch (error) {
      // Attempts don't throw; what does is the way to the event's shape of today.
      mark.leave();
      this.#ended(begun, { failed: true, error, refusedId: undefined });
    }
  }

  #ended(begun: Begun, result: AttemptResult): void {
    begun.over = true;
    this.#open -= 1;
    this.#around.mark.release(begun.slot);
    begun.envelope.sink?.reply(attemptReply(result, begun.letters ?? []), 0, 0);
  }
}
