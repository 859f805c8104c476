/**
 * What a reaction's handler gets beside the event: to send commands, whose ids are derived from the event.
 *
 * Because of these ids a redelivery changes nothing: the first outcome answers. The event is finished only when
 * the handler has resolved and every command it told has a durable outcome.
 */
import type {
  Addressable,
  AskType,
  MessageArgs,
  MessageType,
  PayloadOf,
  ReceiptArgs,
  ReplyOf,
} from '../actors/actor-ref.js';
import type { AskOptions, MessageOptions, Receipt } from '../actors/message-options.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';

/**
 * The context of a reaction's handler.
 *
 * @typeParam Event the event being handled.
 */
export interface ReactionContext<Event = RecordedEvent> {
  readonly event: Event;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /**
   * Sends a command and returns at once; the event isn't finished before the command has a durable outcome. A
   * rejection counts as one, and becomes a dead letter; a failure makes this attempt fail.
   *
   * @throws TROUPE_UNKNOWN_ACTOR, TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE, TROUPE_NOT_SERIALIZABLE
   */
  tell<D extends Addressable, Type extends MessageType<D>>(
    definition: D,
    id: string,
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, MessageOptions>
  ): void;
  /** As `tell`; resolves when the mailbox has taken the command. Commands of reactions wait for room. */
  send<D extends Addressable, Type extends MessageType<D>>(
    definition: D,
    id: string,
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, MessageOptions>
  ): Promise<void>;
  /**
   * Sends a command, and resolves with its reply once that is durable.
   *
   * @throws TROUPE_REJECTED, TROUPE_ACTOR_FAILED, TROUPE_ASK_TIMEOUT, and what `tell` throws.
   */
  ask<D extends Addressable, Type extends AskType<D>>(
    definition: D,
    id: string,
    type: Type,
    ...args: ReceiptArgs<PayloadOf<D, Type>>
  ): Promise<Receipt<ReplyOf<D, Type>>>;
  ask<D extends Addressable, Type extends AskType<D>>(
    definition: D,
    id: string,
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, AskOptions & { readonly receipt?: false }>
  ): Promise<ReplyOf<D, Type>>;
  /** Wall time of the system's clock, epoch milliseconds. */
  now(): number;
  /** A new id, unique within the journal; the same in each attempt at this event. */
  newId(): string;
  readonly log: Logger;
  /** Aborts when the system stops. */
  readonly signal: AbortSignal;
}
