/**
 * The envelope: one message on its way to one instance, with the facts of routing and tracing.
 *
 * Always built by the same constructor, so that mailboxes and cells see a single shape. What the sender wants to
 * hear (the reply, that there is room) goes through the sink; without one, nobody waits, and what can't be
 * handled becomes a dead letter.
 */
import type { TroupeError } from './troupe-error.js';

/** Where the answer goes. Exactly one of `reply` and `fail` is called, once; `taken` at most once, before it. */
export interface ReplySink {
  /** Whether anybody looks at the reply; else it is only told that the message was handled. */
  readonly wantsReply: boolean;
  /** The mailbox has taken the message (what `send` waits for). */
  taken?(): void;
  /** The reply, once everything that it rests on is durable. `position` and `version` are 0 for plain actors. */
  reply(value: unknown, position: number, version: number): void;
  fail(error: TroupeError): void;
}

/** Facts beyond target, type and payload. */
export interface EnvelopeFacts {
  /** The command's id, given by the caller or derived from a cause; undefined: the receiver makes one up. */
  readonly commandId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly priority?: number | undefined;
  /** Waits for room in a full mailbox, whatever the overflow policy. */
  readonly waits?: boolean | undefined;
  readonly sink?: ReplySink | undefined;
  /** Reference of the sending actor, if one sent it. */
  readonly sender?: unknown;
  /** Where a plain message has come from. Default: from this thread, and nobody has to be told how it ended. */
  readonly from?: Origin | undefined;
}

/** Another thread, of whose messages it wants to know how they ended. */
export interface Origin {
  readonly thread: number;
  /** A plain message was handled. */
  done(seq: number): void;
  /** Whom to tell of one that has got an envelope. */
  sinkOf(seq: number): ReplySink;
}

export class Envelope {
  /** Name of the target's definition. */
  readonly target: string;
  readonly targetId: string;
  readonly type: string;
  /** Set anew only where it arrives, when references in it have to become the receiver's. */
  payload: unknown;
  readonly commandId: string | undefined;
  readonly correlationId: string | undefined;
  readonly causationId: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly priority: number;
  readonly waits: boolean;
  readonly sink: ReplySink | undefined;
  readonly sender: unknown;
  /**
   * The id that the command gets because its sender gave none. Set where it leaves for another thread: should it be
   * delivered there twice, the second time is recognised by it.
   */
  assignedId: string | undefined = undefined;
  /**
   * The thread that it came from, and its number on the link; -2: from this thread. Set where it arrives; a command of
   * a reaction's attempt has those of the attempt, and how-manieth command of it it is, from 1.
   */
  fromThread = -2;
  fromSeq = 0;
  fromNth = 0;

  /** @param sink instead of the one in `facts`, which many messages may share */
  constructor(
    target: string,
    targetId: string,
    type: string,
    payload: unknown,
    facts: EnvelopeFacts | undefined,
    sink: ReplySink | undefined = facts?.sink,
  ) {
    this.sink = sink;
    this.target = target;
    this.targetId = targetId;
    this.type = type;
    this.payload = payload;
    if (facts === undefined) {
      this.commandId = undefined;
      this.correlationId = undefined;
      this.causationId = null;
      this.metadata = undefined;
      this.priority = 0;
      this.waits = false;
      this.sender = undefined;
    } else {
      this.commandId = facts.commandId;
      this.correlationId = facts.correlationId;
      this.causationId = facts.causationId ?? null;
      this.metadata = facts.metadata;
      this.priority = facts.priority ?? 0;
      this.waits = facts.waits ?? false;
      this.sender = facts.sender;
    }
  }
}

/** The envelope of a plain message, which has been without one so far. */
export function sealed(
  { name, id }: { readonly name: string; readonly id: string },
  type: string,
  payload: unknown,
  facts: EnvelopeFacts | undefined,
  seq: number,
): Envelope {
  const from = facts?.from;
  if (from === undefined) return new Envelope(name, id, type, payload, facts);
  const envelope = new Envelope(name, id, type, payload, facts, from.sinkOf(seq));
  envelope.fromThread = from.thread;
  envelope.fromSeq = seq | 0;
  return envelope;
}

/** Takes messages to their targets; the router of a thread. */
export interface Post {
  /** Whether every message is refused. */
  readonly closed: boolean;
  /**
   * The message as its receiver gets it: type known, payload valid by the schema and serialisable.
   *
   * @param sink instead of the one in `facts`
   * @throws TROUPE_UNKNOWN_ACTOR, TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE, TROUPE_NOT_SERIALIZABLE
   */
  address(
    target: string,
    targetId: string,
    type: string,
    payload: unknown,
    facts: EnvelopeFacts | undefined,
    sink?: ReplySink,
  ): Envelope;
  /** Never throws: a failure goes to the sink, or without one to the dead letters. */
  deliver(envelope: Envelope): void;
}
