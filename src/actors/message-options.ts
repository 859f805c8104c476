/** What a sender may say about one message, beside its type and payload. */
import type { Duration } from '../core/duration.js';

/** Options of `tell`, `send` and `ask`. */
export interface MessageOptions {
  /**
   * Id of the command. A repeat of an id gets the first outcome and changes nothing. Default: a new one, and no
   * deduplication; in reactions and sagas one that is derived from its cause.
   */
  readonly id?: string;
  /** How long an ask waits for its reply, and a send for room in the mailbox. Default `limits.askTimeout`. */
  readonly timeout?: Duration;
  /** Higher first, in order among equals; instead of what `mailbox.priority` gives. Only for actors. Default 0. */
  readonly priority?: number;
  /**
   * Buffers of the message that its receiver gets instead of a copy, on this thread or another: they are empty here
   * afterwards. Only for actors. Default: none.
   */
  readonly transfer?: readonly ArrayBuffer[];
  /** Joins the events of this command to a chain. Default: inherited, else the command's id. */
  readonly correlationId?: string;
  /** JSON that is stored with each event and inherited along the chain: what is given is added to it. Default: inherited, else empty. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Options of `ask`. */
export interface AskOptions extends MessageOptions {
  /** Whether to resolve with `{ reply, position, version }` instead of the reply; for aggregates. Default false. */
  readonly receipt?: boolean;
}

/** A reply, and how far the journal was: what `ask` resolves with when `receipt` is true. */
export interface Receipt<Reply = unknown> {
  readonly reply: Reply;
  /** Position of the last event of the command; for `view(…).caughtUp(position)`. */
  readonly position: number;
  /** Version of the aggregate after the command. */
  readonly version: number;
}
