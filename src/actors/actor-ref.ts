/**
 * Handle through which messages are sent; typed by the definition it leads to.
 *
 * A reference names an instance, wherever it lives; it never fails by itself and may be part of a message. What
 * types, payloads and replies there are comes from the definition. Without one (`ActorRef` alone) any type is
 * accepted and replies are unknown. The runtime implements `RuntimeRef`.
 */
import type { RuntimeActor } from './actor-definition.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import type { AskOptions, MessageOptions, Receipt } from './message-options.js';

/** Definitions whose instances messages can be sent to. */
export type Addressable = RuntimeActor | RuntimeAggregate;

/** One kind of message: what is sent with it, and what comes back. */
export interface MessageShape {
  readonly payload: unknown;
  readonly reply: unknown;
}

type AnyMessages = Readonly<Record<string, MessageShape>>;
type TypesOf<D extends Addressable> = NonNullable<D['~types']>;

/** Messages of a definition by type: what `tell`, `send` and `ask` accept. */
export type MessagesOf<D extends Addressable> = TypesOf<D> extends { readonly messages: infer M } ? M : AnyMessages;

/** Queries of a definition by type: what only `ask` accepts. */
export type QueriesOf<D extends Addressable> = TypesOf<D> extends { readonly queries: infer Q } ? Q : AnyMessages;

/** Types of message that `tell` and `send` accept. */
export type MessageType<D extends Addressable> = keyof MessagesOf<D> & string;

/** Types of message that `ask` accepts: those of `tell`, and queries. */
export type AskType<D extends Addressable> = (keyof MessagesOf<D> | keyof QueriesOf<D>) & string;

type Shape<D extends Addressable, Type> = Type extends keyof MessagesOf<D>
  ? MessagesOf<D>[Type]
  : Type extends keyof QueriesOf<D>
    ? QueriesOf<D>[Type]
    : never;

/** What is sent with a message of this type, before its schema fills in defaults. */
export type PayloadOf<D extends Addressable, Type> = Shape<D, Type> extends { readonly payload: infer P } ? P : never;

/** What an ask of this type resolves with. */
export type ReplyOf<D extends Addressable, Type> = Shape<D, Type> extends { readonly reply: infer R } ? R : never;

/** Payload and options; the payload may be left out when undefined is one. */
export type MessageArgs<Payload, Options> = undefined extends Payload
  ? [payload?: Payload, options?: Options]
  : [payload: Payload, options?: Options];

/** Payload and options that ask for a receipt. */
export type ReceiptArgs<Payload> = [payload: Payload, options: AskOptions & { readonly receipt: true }];

/** What every reference can do. */
export interface MessageRef<D extends Addressable> {
  /** Name of the definition. */
  readonly name: string;
  readonly id: string;
  /** Whether both lead to the same instance. */
  equals(other: Pick<ActorRef, 'name' | 'id'>): boolean;

  /**
   * Sends and forgets; returns at once. What can't be delivered later becomes a dead letter.
   *
   * @throws TROUPE_UNKNOWN_ACTOR, TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE, TROUPE_NOT_SERIALIZABLE for
   * mistakes that the sender can see.
   */
  tell<Type extends MessageType<D>>(type: Type, ...args: MessageArgs<PayloadOf<D, Type>, MessageOptions>): void;

  /**
   * Sends, and resolves when the mailbox has taken the message: back-pressure, across threads too.
   *
   * @throws TROUPE_MAILBOX_FULL when there was no room within `timeout`, and what `tell` throws.
   */
  send<Type extends MessageType<D>>(
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, MessageOptions>
  ): Promise<void>;

  /**
   * Sends, and resolves with the reply once everything that it rests on is durable.
   *
   * @throws TROUPE_REJECTED with the `reason` of a business refusal, TROUPE_ACTOR_FAILED with the cause,
   * TROUPE_ASK_TIMEOUT, TROUPE_ACTOR_STOPPED, TROUPE_WORKER_LOST, and what `send` throws.
   */
  ask<Type extends AskType<D>>(
    type: Type,
    ...args: ReceiptArgs<PayloadOf<D, Type>>
  ): Promise<Receipt<ReplyOf<D, Type>>>;
  ask<Type extends AskType<D>>(
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, AskOptions & { readonly receipt?: false }>
  ): Promise<ReplyOf<D, Type>>;
}

/** What references to actors can do beyond that. */
export interface StoppableRef {
  /** Stops the actor and its children after the message it is handling; resolves when they have stopped. */
  stop(): Promise<void>;
}

/**
 * Handle of one instance, typed by its definition: wrong types, payloads and replies don't compile.
 *
 * Order holds across `tell`, `send` and `ask` of one sender to one instance (priorities excepted).
 *
 * @typeParam D the definition, as in `ActorRef<typeof order>`; without it anything may be sent.
 * @example
 * const ref: ActorRef<typeof tally> = await system.spawn(tally, { id: 'a', args: { from: 0 } });
 * ref.tell('add', 2);
 * const total = await ref.ask('total'); // number
 */
export type ActorRef<D extends Addressable = Addressable> = MessageRef<D> &
  ([D] extends [RuntimeActor] ? StoppableRef : unknown);

/** A reference as the runtime implements it; seen as `ActorRef<D>` by those who know the definition. */
export interface RuntimeRef {
  readonly name: string;
  readonly id: string;
  equals(other: Pick<ActorRef, 'name' | 'id'>): boolean;
  tell(type: string, payload?: unknown, options?: MessageOptions): void;
  send(type: string, payload?: unknown, options?: MessageOptions): Promise<void>;
  ask(type: string, payload?: unknown, options?: AskOptions): Promise<unknown>;
  stop(): Promise<void>;
}
