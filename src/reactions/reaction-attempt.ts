/**
 * One try to handle one event, and the judgement of what came of its commands.
 *
 * It ends when the handler has resolved and every command has an outcome; not before, so that nothing of it is
 * under way when the next try, or the next event of the key, begins. Told and sent: a rejection is an outcome (and
 * a dead letter), a failure makes the try fail. Asked: the error is the handler's matter, unless it never looked
 * at the answer (then as told) or had resolved before the failure came. Hot path: no promise for a sync handler.
 */
import { describeError, reasonOf } from '../actors/undeliverable.js';
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import type { Envelope } from '../core/envelope.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import { AttemptContext, type ContextOwner, type ContextSurroundings, type LateMessage } from './attempt-context.js';
import type { AskedCommand, ReactionCommand } from './reaction-command.js';
import type { ReactionContext } from './reaction-context.js';

/** A command without effect, as its attempt knows it. */
export type AttemptLetter = Omit<DeadLetter, 'at'>;

/**
 * What attempts take from their reaction.
 *
 * @typeParam Place what the attempt was begun for: its lane, or on another thread the message that asked for it.
 */
export interface AttemptSurroundings<Place> extends ContextSurroundings {
  /** A command was rejected, or came too late; its letter has to be durable before the event counts as finished. */
  letter(place: Place, letter: AttemptLetter, trace: DeadLetterTrace): void;
  /** Takes a command of the attempt to its target, its `nth` from 1. */
  deliver(place: Place, envelope: Envelope, nth: number): void;
  /** The attempt is over; called once, within the last call that it waited for. */
  attemptEnded(place: Place, result: AttemptResult): void;
}

/** What became of an attempt. */
export interface AttemptResult {
  readonly failed: boolean;
  readonly error: unknown;
  /** Id of the command whose rejection the handler let escape. */
  readonly refusedId: string | undefined;
}

/** A handler, its types erased. */
export type Handler = (event: RecordedEvent, ctx: ReactionContext) => unknown;

interface FailedAsk {
  readonly command: AskedCommand;
  readonly error: TroupeError;
}

/** The result of an attempt that was good. */
export const GOOD: AttemptResult = Object.freeze({ failed: false, error: undefined, refusedId: undefined });

export class ReactionAttempt<Place> implements ContextOwner {
  readonly refusedId: string | undefined;
  returned = false;
  readonly #around: AttemptSurroundings<Place>;
  readonly #place: Place;
  #open = 0;
  #commands = 0;
  #failed = false;
  #error: unknown;
  /** Asks that failed before the handler had resolved. */
  #failedAsks: FailedAsk[] | undefined;

  /** @param refusedId the command that was rejected in the try that parked the event, if this one was asked for by hand */
  constructor(around: AttemptSurroundings<Place>, place: Place, refusedId: string | undefined) {
    this.#around = around;
    this.#place = place;
    this.refusedId = refusedId;
  }

  run(handler: Handler, event: RecordedEvent, number: number): void {
    const context = new AttemptContext(this.#around, this, event, number);
    let result: unknown;
    try {
      // The context has the members of the typed interface; which types there are, the definitions say.
      result = handler(event, context as unknown as ReactionContext);
    } catch (error) {
      this.#return(true, error);
      return;
    }
    if (!isPromiseLike(result)) {
      this.#return(false, undefined);
      return;
    }
    Promise.resolve(result).then(
      () => this.#return(false, undefined),
      (error: unknown) => this.#return(true, error),
    );
  }

  opened(): void {
    this.#open += 1;
  }

  deliver(envelope: Envelope): void {
    this.#open += 1;
    this.#commands += 1;
    this.#around.deliver(this.#place, envelope, this.#commands);
  }

  succeeded(): void {
    this.#open -= 1;
    if (this.returned && this.#open === 0) this.#end();
  }

  failed(command: ReactionCommand, error: TroupeError): void {
    this.#judge(command, error);
    this.succeeded();
  }

  askFailed(command: AskedCommand, error: TroupeError): void {
    if (!this.returned) (this.#failedAsks ??= []).push({ command, error });
    else if (!command.promise.observed) this.#judge(command, error);
    else if (error.code !== 'TROUPE_REJECTED') this.#fail(error);
    this.succeeded();
  }

  refused({ target, targetId, type, payload, facts }: LateMessage, error: TroupeError): void {
    const { commandId, correlationId, causationId, metadata } = facts;
    this.#around.letter(
      this.#place,
      {
        id: `late>${commandId}`,
        reason: reasonOf(error),
        target: { name: target, id: targetId },
        type,
        payload,
        error: describeError(error),
      },
      { commandId, correlationId, causationId, metadata },
    );
  }

  #return(failed: boolean, error: unknown): void {
    this.returned = true;
    if (failed) this.#fail(error);
    for (const failure of this.#failedAsks ?? []) {
      if (!failure.command.promise.observed) this.#judge(failure.command, failure.error);
    }
    if (this.#open === 0) this.#end();
  }

  #end(): void {
    const result = this.#failed ? { failed: true, error: this.#error, refusedId: this.#escapedRejection() } : GOOD;
    this.#around.attemptEnded(this.#place, result);
  }

  /** The first failure is the one that is told. */
  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#error = error;
  }

  /** The outcome of a command that nobody waits for. */
  #judge(command: ReactionCommand, error: TroupeError): void {
    if (error.code !== 'TROUPE_REJECTED') return this.#fail(error);
    const { envelope, commandId, correlationId, causationId, metadata } = command;
    if (envelope === undefined) return;
    const { target, targetId, type, payload } = envelope;
    this.#around.letter(
      this.#place,
      {
        // A redelivery is rejected again: that is the same letter.
        id: `rejected>${commandId}`,
        reason: 'rejected',
        target: { name: target, id: targetId },
        type,
        payload,
        error: describeError(error),
      },
      { commandId, correlationId, causationId, metadata },
    );
  }

  #escapedRejection(): string | undefined {
    for (const { command, error } of this.#failedAsks ?? []) {
      if (error.code === 'TROUPE_REJECTED' && isCausedBy(this.#error, error)) return command.commandId;
    }
    return undefined;
  }
}

function isCausedBy(error: unknown, cause: unknown): boolean {
  for (let one: unknown = error, depth = 0; depth < 10; depth += 1) {
    if (one === cause) return true;
    if (!(one instanceof Error)) return false;
    one = one.cause;
  }
  return false;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
