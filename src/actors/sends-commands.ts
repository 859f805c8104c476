/** What reactions and sagas send commands with: typed by the definition that is named, as `ActorRef` is. */
import type { Addressable, AskType, MessageArgs, MessageType, PayloadOf, ReceiptArgs, ReplyOf } from './actor-ref.js';
import type { AskOptions, MessageOptions, Receipt } from './message-options.js';

/**
 * Sends commands whose ids are derived from what leads to them, so that sending one again changes nothing. They are
 * never dropped: whatever the overflow policy of a mailbox, they wait for room.
 *
 * @typeParam Told options of `tell` and `send`.
 * @typeParam Asked options of `ask`.
 */
export interface SendsCommands<Told extends MessageOptions, Asked extends AskOptions> {
  /**
   * Sends a command and returns at once. What sends it is not done before the command has a durable outcome; a
   * rejection is one, and becomes a dead letter.
   *
   * @throws TROUPE_UNKNOWN_ACTOR, TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE, TROUPE_NOT_SERIALIZABLE, in a saga
   * TROUPE_SAGA_CANCELLED.
   */
  tell<D extends Addressable, Type extends MessageType<D>>(
    definition: D,
    id: string,
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, Told>
  ): void;
  /** As `tell`; resolves when the mailbox has taken the command. */
  send<D extends Addressable, Type extends MessageType<D>>(
    definition: D,
    id: string,
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, Told>
  ): Promise<void>;
  /**
   * Sends a command, and resolves with its reply once that is durable. In a saga the outcome, also a rejection, is
   * journaled.
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
    ...args: MessageArgs<PayloadOf<D, Type>, Asked & { readonly receipt?: false }>
  ): Promise<ReplyOf<D, Type>>;
}
