/**
 * The options of `actor()`, typed so that one object infers everything.
 *
 * The state is what `initialState` returns; payloads and replies are taken from the handlers as they are written:
 * annotate a payload to have senders checked, leave it away when there is none. Inference goes from top to bottom:
 * write `initialState` before `receive`.
 */
import type { ActorContext } from './actor-context.js';
import type { ActorRef } from './actor-ref.js';
import type { ActorMailboxOptions } from './mailbox-options.js';
import type { SupervisionOptions } from './supervision-options.js';

/**
 * Options of `actor()`. The type parameters are inferred; nobody writes them.
 *
 * @typeParam Args what `initialState` takes, and `spawn` has to give.
 * @typeParam Handlers the functions of `receive` by type of message.
 */
export interface ActorOptions<Name extends string, State, Args, Handlers> {
  /** Unique within a system: 1 to 100 letters, digits, `_`, `.` or `-`, a letter first. */
  readonly name: Name;
  /** The state at the start and after a restart; synchronous. Handlers may change it in place. */
  readonly initialState: (args: Args, ctx: ActorContext) => State;
  /** Handlers by type of message; sync or async, one message at a time. What they return is the reply to an ask. */
  readonly receive: { readonly [Type in keyof Handlers]: Handlers[Type] & Handler<State> };
  /** Before the first message, and after each restart. */
  readonly started?: (state: State, ctx: ActorContext<State>) => unknown;
  /** After the last message; `ctx.signal` has aborted. */
  readonly stopped?: (state: State, ctx: ActorContext<State>) => unknown;
  /** A watched actor has ended. A restart, also after a lost worker, is no end. */
  readonly terminated?: (state: State, ref: ActorRef, ctx: ActorContext<State>) => unknown;
  readonly mailbox?: ActorMailboxOptions;
  /** How this actor supervises those it spawns. */
  readonly children?: SupervisionOptions;
}

/**
 * Handles one type of message. The payload is unknown unless annotated.
 *
 * Taken from a method, because parameters of methods are compared bivariantly: an unknown one may be annotated.
 */
export type Handler<State> = {
  handle(state: NoInfer<State>, payload: unknown, ctx: ActorContext<NoInfer<State>>): unknown;
}['handle'];

/** Handlers by type of message, as `become` takes them. */
export type Receive<State> = Readonly<Record<string, Handler<State>>>;

/** Payload and reply by type, as the handlers have them; without a payload parameter there is none. */
export type ReceivedMessages<Handlers> = {
  readonly [Type in keyof Handlers]: Handlers[Type] extends (...args: infer P) => infer Reply
    ? { readonly payload: '1' extends keyof P ? P['1'] : undefined; readonly reply: Awaited<Reply> }
    : never;
};
