/**
 * Mail as it crosses: one flat row of values for all messages of a frame, in which each says only what is different
 * from the one before.
 *
 * Bursts go to few targets, so that most messages are their flags and their payload. An array, a target, an id and a
 * type for each message cost the encoder three times as much. Numbers of messages count up within a frame; only the
 * first is written. Hot path: bench suite `threads`.
 */
import { Envelope, type EnvelopeFacts, type ReplySink } from '../core/envelope.js';
import { exactValue } from './exact-value.js';

/** The number of the first message, then for each one its flags, what they announce, and its payload. */
export type WireMail = readonly unknown[];

/** Somebody hears how it ended … */
const WANTS_OUTCOME = 1;
const WAITS = 2;
const WANTS_TAKEN = 4;
const REDELIVERED = 8;
/** Target and id follow; without it they are those of the message before. So it is with the next two. */
const ADDRESSED = 16;
const TYPED = 32;
const SENT = 64;
/** These follow when the message has them. */
const COMMANDED = 128;
const CORRELATED = 256;
const CAUSED = 512;
const DESCRIBED = 1_024;
const PRIORITISED = 2_048;
const ASSIGNED = 4_096;
/** … and what the reply was. */
const WANTS_REPLY = 8_192;
/** What a message can say and yet be plain. */
const PLAIN = ADDRESSED | TYPED | SENT;
/** Facts of this one message; few have any. */
const OWN_FACTS = WAITS | REDELIVERED | COMMANDED | CORRELATED | CAUSED | DESCRIBED | PRIORITISED | ASSIGNED;

/** Gathers the mail of one frame. */
export class MailWriter {
  #items: unknown[] = [];
  #count = 0;
  #previous: Envelope | undefined;

  /** Messages gathered. */
  get count(): number {
    return this.#count;
  }

  /** @param seq one more than that of the message before */
  add(seq: number, envelope: Envelope, redelivered: boolean): void {
    if (this.#count === 0) this.#items.push(seq);
    this.#count += 1;
    const { target, targetId, type, sink, sender, priority } = envelope;
    const { commandId, correlationId, causationId, metadata, assignedId } = envelope;
    const previous = this.#previous;
    this.#previous = envelope;
    const isAddressed = previous === undefined || target !== previous.target || targetId !== previous.targetId;
    const isTyped = previous === undefined || type !== previous.type;
    const isSent = sender !== previous?.sender;
    const flags =
      (sink === undefined ? 0 : sink.wantsReply ? WANTS_OUTCOME | WANTS_REPLY : WANTS_OUTCOME) |
      (envelope.waits ? WAITS : 0) |
      (sink?.taken === undefined ? 0 : WANTS_TAKEN) |
      (redelivered ? REDELIVERED : 0) |
      (isAddressed ? ADDRESSED : 0) |
      (isTyped ? TYPED : 0) |
      (isSent ? SENT : 0) |
      (commandId === undefined ? 0 : COMMANDED) |
      (correlationId === undefined ? 0 : CORRELATED) |
      (causationId === null ? 0 : CAUSED) |
      (metadata === undefined ? 0 : DESCRIBED) |
      (priority === 0 ? 0 : PRIORITISED) |
      (assignedId === undefined ? 0 : ASSIGNED);
    const items = this.#items;
    items.push(flags);
    if (isAddressed) items.push(target, targetId);
    if (isTyped) items.push(type);
    if (isSent) items.push(sender);
    // The rest is rare, but for the ids of commands.
    if ((flags & ~WANTS_REPLY) >= COMMANDED) {
      if (commandId !== undefined) items.push(commandId);
      if (correlationId !== undefined) items.push(correlationId);
      if (causationId !== null) items.push(causationId);
      if (metadata !== undefined) items.push(exactValue(metadata));
      if (priority !== 0) items.push(priority);
      if (assignedId !== undefined) items.push(assignedId);
    }
    items.push(exactValue(envelope.payload));
  }

  /** What has gathered; the next message says everything of itself again. */
  take(): WireMail {
    const items = this.#items;
    if (items.length > 0) this.clear();
    return items;
  }

  /** Forgets what has gathered. */
  clear(): void {
    this.#items = [];
    this.#count = 0;
    this.#previous = undefined;
  }
}

/** Takes the mail of a frame, in its order. */
export interface MailTaker {
  /** For whom the messages are that follow. */
  addressed(target: string, targetId: string): void;
  /** What messages of this sender have in common that say nothing of their own. */
  factsOf(sender: unknown): EnvelopeFacts;
  /** One that nobody waits for. False: it needs an envelope. */
  plain(seq: number, type: string, payload: unknown, facts: EnvelopeFacts): boolean;
  sinkOf(seq: number, wantsOutcome: boolean, wantsReply: boolean, wantsTaken: boolean): ReplySink;
  arrived(seq: number, envelope: Envelope): void;
}

/** Reads mail written by `MailWriter`. */
export class MailReader {
  readonly #taker: MailTaker;
  /** Each name and type as the same object every time: to tell equal texts that are two, costs more than the rest of a tell. */
  readonly #known = new Map<string, string>();

  constructor(taker: MailTaker) {
    this.#taker = taker;
  }

  /** Reads the mail of a frame; returns how many messages there were. */
  read(items: WireMail): number {
    if (items.length === 0) return 0;
    const taker = this.#taker;
    const first = items[0] as number;
    let seq = first;
    let target = '';
    let targetId = '';
    let type = '';
    let sender: unknown;
    let shared = taker.factsOf(undefined);
    let at = 1;
    while (at < items.length) {
      const flags = items[at++] as number;
      if ((flags & ADDRESSED) !== 0) {
        target = this.#same(items[at++] as string);
        targetId = items[at++] as string;
        taker.addressed(target, targetId);
      }
      if ((flags & TYPED) !== 0) type = this.#same(items[at++] as string);
      if ((flags & SENT) !== 0) {
        sender = items[at++];
        shared = taker.factsOf(sender);
      }
      if ((flags & ~PLAIN) === 0 && taker.plain(seq, type, items[at], shared)) {
        at += 1;
        seq += 1;
        continue;
      }
      const sink = taker.sinkOf(
        seq,
        (flags & WANTS_OUTCOME) !== 0,
        (flags & WANTS_REPLY) !== 0,
        (flags & WANTS_TAKEN) !== 0,
      );
      let envelope: Envelope;
      if ((flags & OWN_FACTS) === 0) envelope = new Envelope(target, targetId, type, items[at++], shared, sink);
      else {
        const commandId = (flags & COMMANDED) === 0 ? undefined : (items[at++] as string);
        const correlationId = (flags & CORRELATED) === 0 ? undefined : (items[at++] as string);
        const causationId = (flags & CAUSED) === 0 ? null : (items[at++] as string);
        const metadata = (flags & DESCRIBED) === 0 ? undefined : (items[at++] as Envelope['metadata']);
        const priority = (flags & PRIORITISED) === 0 ? 0 : (items[at++] as number);
        const assignedId = (flags & ASSIGNED) === 0 ? undefined : (items[at++] as string);
        const facts: EnvelopeFacts = {
          // The second time, the id tells whether the first time had an outcome.
          commandId: commandId ?? ((flags & REDELIVERED) === 0 ? undefined : assignedId),
          correlationId,
          causationId,
          metadata,
          priority,
          // What is delivered again had its place in a mailbox before.
          waits: (flags & (WAITS | REDELIVERED)) !== 0,
          sender,
        };
        envelope = new Envelope(target, targetId, type, items[at++], facts, sink);
        envelope.assignedId = assignedId;
      }
      taker.arrived(seq, envelope);
      seq += 1;
    }
    return seq - first;
  }

  #same(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, text);
    return text;
  }
}
