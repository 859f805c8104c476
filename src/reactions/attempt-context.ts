/**
 * The context of a reaction's handler: sends commands whose ids are derived from the event.
 *
 * What comes after the handler has resolved (from a promise that nobody awaited) would escape the judgement of the
 * event: it is not sent, but becomes a dead letter that says so and can be retried. The typed interface is
 * `ReactionContext`; types are erased here. Hot path: one object for each command (`reaction-command.ts`).
 */
import type { Addressable } from '../actors/actor-ref.js';
import type { AskOptions, MessageOptions } from '../actors/message-options.js';
import type { Clock } from '../core/clock.js';
import type { Deadlines } from '../core/deadlines.js';
import { parseDuration } from '../core/duration.js';
import type { Envelope, Post } from '../core/envelope.js';
import { eventId } from '../core/ids.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import type { Logger } from '../core/logger.js';
import { readMetadata } from '../core/metadata.js';
import { OptionReader } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { CommandIds } from './command-ids.js';
import { asTroupeError } from './letter-error.js';
import {
  AskedCommand,
  type CommandFacts,
  type CommandOwner,
  ReactionCommand,
  SentCommand,
} from './reaction-command.js';
import { firstId, nextRetryId } from './retried-command-id.js';

/** What may be said about one command. */
const OPTIONS = ['id', 'timeout', 'priority', 'correlationId', 'metadata', 'receipt'];

/** What contexts take from their reaction. */
export interface ContextSurroundings {
  readonly name: string;
  readonly post: Post;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly askTimeoutMs: number;
  /** Whether the time that `stop()` gave is over: nothing is sent any more. */
  readonly stopped: boolean;
}

/** What contexts tell their attempt. */
export interface ContextOwner extends CommandOwner {
  /** Whether the handler has returned or resolved. */
  readonly returned: boolean;
  /** The command that was rejected in the try that parked the event; it gets a second chance. */
  readonly refusedId: string | undefined;
  /** A command can't be sent, and is about to fail. */
  opened(): void;
  /** Takes a command to its target. */
  deliver(envelope: Envelope): void;
  /** A command came too late. */
  refused(message: LateMessage, error: TroupeError): void;
}

/** A command that came after the handler had resolved. */
export interface LateMessage {
  readonly target: string;
  readonly targetId: string;
  readonly type: string;
  readonly payload: unknown;
  readonly facts: CommandFacts;
}

export class AttemptContext {
  readonly event: RecordedEvent;
  readonly attempt: number;
  readonly #around: ContextSurroundings;
  readonly #owner: ContextOwner;
  readonly #ids: CommandIds;

  constructor(around: ContextSurroundings, owner: ContextOwner, event: RecordedEvent, attempt: number) {
    this.#around = around;
    this.#owner = owner;
    this.event = event;
    this.attempt = attempt;
    // The id that an event was given by `append` may be that of another one; where it stands it stands alone.
    this.#ids = new CommandIds(around.name, eventId(event.aggregate, event.aggregateId, event.version));
  }

  get log(): Logger {
    return this.#around.log;
  }

  get signal(): AbortSignal {
    return this.#around.signal;
  }

  now(): number {
    return this.#around.clock.now();
  }

  /** The same in each delivery of the event. */
  newId(): string {
    return this.#ids.newId();
  }

  tell(definition: Addressable, id: string, type: string, payload?: unknown, options?: MessageOptions): void {
    this.#refuseQuery(definition, id, type, 'tell');
    const facts = this.#facts(definition, id, type, options);
    if (this.#isLate(definition, id, type, payload, facts) === undefined) {
      this.#deliver(new ReactionCommand(this.#owner, facts), definition, id, type, payload);
    }
  }

  send(definition: Addressable, id: string, type: string, payload?: unknown, options?: MessageOptions): Promise<void> {
    this.#refuseQuery(definition, id, type, 'send');
    const facts = this.#facts(definition, id, type, options);
    const late = this.#isLate(definition, id, type, payload, facts);
    if (late !== undefined) return quietRejection(late);
    const command = new SentCommand(this.#owner, facts);
    this.#deliver(command, definition, id, type, payload);
    return command.promise;
  }

  ask(definition: Addressable, id: string, type: string, payload?: unknown, options?: AskOptions): Promise<unknown> {
    const facts = this.#facts(definition, id, type, options);
    const late = this.#isLate(definition, id, type, payload, facts);
    if (late !== undefined) return quietRejection(late);
    const command = new AskedCommand(this.#owner, facts, this.#timeoutMs(options), options?.receipt === true);
    try {
      this.#deliver(command, definition, id, type, payload);
    } catch (error) {
      // A mistake that the sender can see goes the way of every answer, so that nobody misses it.
      this.#owner.opened();
      command.fail(asTroupeError(error, `reaction ${this.#around.name}`));
    }
    if (!command.settled) this.#around.deadlines.add(command, command.timeoutMs);
    return command.promise;
  }

  #deliver(command: ReactionCommand, definition: Addressable, id: string, type: string, payload: unknown): void {
    const envelope = this.#around.post.address(definition.name, id, type, payload, command);
    command.envelope = envelope;
    this.#owner.deliver(envelope);
  }

  #facts(definition: Addressable, id: string, type: string, options: MessageOptions | undefined): CommandFacts {
    const derived = this.#ids.commandId(this.#nameOf(definition), id, type);
    if (options !== undefined) this.#check(options);
    const commandId = options?.id ?? derived;
    const { refusedId } = this.#owner;
    return {
      commandId: refusedId !== undefined && firstId(refusedId) === commandId ? nextRetryId(refusedId) : commandId,
      correlationId: options?.correlationId ?? this.event.correlationId,
      causationId: this.event.id,
      metadata: this.#metadata(options?.metadata),
      priority: options?.priority,
    };
  }

  #metadata(given: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> | undefined {
    const inherited = this.event.metadata;
    if (given !== undefined) {
      return { ...inherited, ...readMetadata(given, `reaction ${this.#around.name}: options.metadata`) };
    }
    for (const _key in inherited) return inherited;
    return undefined;
  }

  #timeoutMs(options: AskOptions | undefined): number {
    if (options?.timeout === undefined) return this.#around.askTimeoutMs;
    return parseDuration(options.timeout, `reaction ${this.#around.name}: option "timeout"`, { infinite: true });
  }

  #nameOf(definition: Addressable): string {
    // Without types a handler may pass anything.
    const name: unknown = (definition as { readonly name?: unknown } | undefined)?.name;
    if (typeof name === 'string') return name;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `reaction ${this.#around.name}: the target is ${showValue(definition)}; give a definition made by aggregate() or actor()`,
    );
  }

  /** Without types a handler may pass anything, and nothing of it is to be ignored in silence. */
  #check(options: unknown): void {
    const given = new OptionReader(`reaction ${this.#around.name}`, options, OPTIONS);
    for (const key of ['id', 'correlationId'] as const) {
      const text = given.value(key);
      if (text !== undefined && !isGivenText(text)) throw given.refusal(key, GIVEN_TEXT);
    }
    if (given.value('priority') !== undefined) given.number('priority', { min: -Infinity, infinite: true });
    given.durationMs('timeout', 0, { infinite: true });
  }

  #refuseQuery(definition: Addressable, id: string, type: string, how: string): void {
    if (definition?.kind !== 'aggregate' || !definition.options.queries.has(type)) return;
    throw new TroupeError(
      'TROUPE_UNKNOWN_MESSAGE',
      `${definition.name}/${id}: ${type} is a query, which only makes sense with ask(), not with ${how}()`,
      { details: { target: definition.name, id, type } },
    );
  }

  /**
   * Whether it is too late to send; the refused command is a dead letter then.
   *
   * @throws TROUPE_SYSTEM_STOPPED when the system has stopped: the event will be delivered again.
   */
  #isLate(
    definition: Addressable,
    targetId: string,
    type: string,
    payload: unknown,
    facts: CommandFacts,
  ): TroupeError | undefined {
    const { name, stopped } = this.#around;
    if (!stopped && !this.#owner.returned) return undefined;
    const what = `reaction ${name}: ${type} for ${definition.name}/${targetId} is not sent`;
    if (stopped) {
      throw new TroupeError(
        'TROUPE_SYSTEM_STOPPED',
        `${what}, because the system has stopped; the event will be handled again`,
      );
    }
    const error = new TroupeError(
      'TROUPE_INVALID_MESSAGE',
      `${what}, because the handler of ${this.event.type} (position ${this.event.position}) had resolved before; await ` +
        'what the handler starts',
      { details: { reaction: name, position: this.event.position, type } },
    );
    this.#owner.refused({ target: definition.name, targetId, type, payload, facts }, error);
    return error;
  }
}

/** Whoever awaits it gets the error; when nobody does, it is no unhandled rejection. */
function quietRejection(error: TroupeError): Promise<never> {
  const rejected = Promise.reject(error);
  rejected.catch(() => undefined);
  return rejected;
}
