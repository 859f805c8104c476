/**
 * The mail of one actor: its mailbox, its stash, and what becomes of messages that can't be kept.
 *
 * A sender that waits for an answer is told; whatever nobody waits for is a dead letter with its reason. Until the
 * first message that has a priority the mailbox is a plain queue. Hot path: bench suite `mailbox`.
 */
import type { DeadLetterSink } from '../core/dead-letter.js';
import { type Envelope, type EnvelopeFacts, sealed } from '../core/envelope.js';
import type { FactSink } from '../core/runtime-fact.js';
import type { TroupeError } from '../core/troupe-error.js';
import { nextHighWater } from '../mailbox/high-water.js';
import { Mailbox, type MailboxLimits, type Offer } from '../mailbox/mailbox.js';
import { MessageSlots, type Sealer, type Slotted } from '../mailbox/message-slots.js';
import { PriorityMailbox } from '../mailbox/priority-mailbox.js';
import { Stash } from '../mailbox/stash.js';
import type { RuntimeActor } from './actor-definition.js';
import { full } from './actor-fault.js';
import { failEnvelope } from './undeliverable.js';

/** Whose mail it is. */
export interface MailOwner {
  readonly name: string;
  readonly id: string;
  readonly definition: RuntimeActor;
}

/** What mail needs of its thread. */
export interface MailSurroundings {
  readonly deadLetters: DeadLetterSink;
  readonly facts: FactSink;
}

export class ActorMail implements Sealer {
  readonly #owner: MailOwner;
  readonly #around: MailSurroundings;
  /** Made by the first message: most of a million actors wait for theirs. */
  #mailbox: Mailbox | PriorityMailbox | undefined;
  /** The same, as long as no message has had a priority; and the slots of it. */
  #plain: Mailbox | undefined;
  #slots: MessageSlots | undefined;
  #stash: Stash | undefined;
  /** As many messages waiting are news. */
  #highWater: number;

  constructor(owner: MailOwner, around: MailSurroundings) {
    this.#owner = owner;
    this.#around = around;
    this.#highWater = nextHighWater(this.#limits.capacity, 0);
  }

  /** Messages that wait to be handled; those set aside don't. */
  get waiting(): number {
    return (this.#mailbox?.size ?? 0) + (this.#stash?.asked ?? 0);
  }

  /** Takes a message, or does with it what the overflow policy says. */
  offer(envelope: Envelope): void {
    const size = envelope.priority === 0 && this.#plain !== undefined ? this.#plain.push(envelope) : 0;
    if (size === 0) return this.#offer(envelope);
    if (size >= this.#highWater) this.#rise(size);
    if (envelope.sink !== undefined) envelope.sink.taken?.();
  }

  #offer(envelope: Envelope): void {
    const mailbox = this.#mailboxFor(envelope);
    const offer = mailbox.offer(envelope);
    if (offer === 'taken') {
      if (mailbox.size >= this.#highWater) this.#rise(mailbox.size);
      if (envelope.sink !== undefined) envelope.sink.taken?.();
    } else if (offer !== 'waiting') {
      this.#overflowed(envelope, offer);
    }
  }

  /** Takes a message that is no more than that. False, and nothing has happened, when it isn't that simple. */
  offerPlain(type: string, payload: unknown, facts: EnvelopeFacts | undefined, seq: number): boolean {
    const size = this.#plain === undefined ? 0 : this.#plain.pushPlain(type, payload, facts, seq);
    if (size === 0) return false;
    if (size >= this.#highWater) this.#rise(size);
    return true;
  }

  /** The next message to be handled; of a plain one the type, while the rest stands in `payload`, `facts` and `seq`. */
  take(): Slotted | undefined {
    if (this.#stash === undefined && this.#plain !== undefined) return this.#plain.shift();
    return this.#stash?.take() ?? this.#mailbox?.take();
  }

  /** Payload of the plain message that was taken last, until it is released. */
  get payload(): unknown {
    return this.#slots?.payload;
  }

  /** Its facts. */
  get facts(): EnvelopeFacts | undefined {
    return this.#slots?.facts;
  }

  /** Its number. */
  get seq(): number {
    return this.#slots === undefined ? 0 : this.#slots.seq;
  }

  /** The plain message that was taken last has been handled: nothing of it is retained. */
  release(): void {
    this.#slots?.release();
  }

  seal(type: string, payload: unknown, facts: EnvelopeFacts | undefined, seq: number): Envelope {
    return sealed(this.#owner, type, payload, facts, seq);
  }

  /** Takes back a message that still waits for room. */
  withdraw(envelope: Envelope): boolean {
    return this.#mailbox?.withdraw(envelope) ?? false;
  }

  /** Sets a message aside; false when the stash is full. */
  stash(envelope: Envelope): boolean {
    this.#stash ??= new Stash(this.#limits.capacity);
    return this.#stash.put(envelope);
  }

  /** What was set aside is handled next, in its order. */
  unstashAll(): void {
    this.#stash?.unstashAll();
  }

  /** Forgets a message that was set aside. */
  forget(envelope: Envelope): void {
    this.#stash?.remove(envelope);
  }

  /** Nothing that waits will be handled. The error is made only if something waits. */
  dropAll(makeError: () => TroupeError): void {
    const all = [...(this.#stash?.drain() ?? []), ...(this.#mailbox?.drain() ?? [])];
    if (all.length === 0) return;
    const error = makeError();
    for (const envelope of all) this.drop(envelope, error);
  }

  /** The sender is told, if it waits for an answer; else the message is a dead letter. */
  drop(envelope: Envelope, error: TroupeError): void {
    failEnvelope(this.#around.deadLetters, envelope, error);
  }

  /** A message that should have been set aside had no room there. */
  dropStashed(envelope: Envelope): void {
    const { capacity } = this.#limits;
    const { name, id } = this.#owner;
    this.#around.facts.tell({ kind: 'dropped', name, id, type: envelope.type, reason: 'mailbox-full' });
    this.drop(envelope, full(this.#owner, envelope.type, capacity, 'the stash is full'));
  }

  #overflowed(envelope: Envelope, offer: Exclude<Offer, 'taken' | 'waiting'>): void {
    const { capacity } = this.#limits;
    const dropped = typeof offer === 'object' ? offer.droppedOldest : envelope;
    const reason = reasonOf(offer);
    const { name, id } = this.#owner;
    this.#around.facts.tell({ kind: 'dropped', name, id, type: dropped.type, reason });
    // The reason has to be in the error: of a message from another thread, that is all which goes back.
    this.drop(dropped, full(this.#owner, dropped.type, capacity, 'the mailbox is full', DROPPED[reason]));
    if (dropped !== envelope) envelope.sink?.taken?.();
  }

  #rise(waiting: number): void {
    const { name, id } = this.#owner;
    const { capacity } = this.#limits;
    this.#highWater = nextHighWater(capacity, waiting);
    this.#around.facts.tell({ kind: 'mailbox-high-water', name, id, waiting, capacity });
  }

  /** From the first message with a priority on they count. What waits keeps its place among equals. */
  #mailboxFor({ priority }: Envelope): Mailbox | PriorityMailbox {
    const known = this.#mailbox;
    if (known !== undefined && (priority === 0 || known instanceof PriorityMailbox)) return known;
    if (priority === 0) {
      this.#slots = new MessageSlots();
      this.#plain = new Mailbox(this.#limits, this.#slots, this);
      this.#mailbox = this.#plain;
    } else {
      // The slots stay: one of their messages may be the one that is being handled.
      this.#plain = undefined;
      this.#mailbox = new PriorityMailbox(this.#limits);
      for (const envelope of known?.drain() ?? []) this.#mailbox.offer(envelope);
    }
    return this.#mailbox;
  }

  get #limits(): MailboxLimits {
    return this.#owner.definition.options.mailbox;
  }
}

const DROPPED = { 'mailbox-full': undefined, 'dropped-newest': 'newest', 'dropped-oldest': 'oldest' } as const;

function reasonOf(offer: Exclude<Offer, 'taken' | 'waiting'>): keyof typeof DROPPED {
  if (offer === 'refused') return 'mailbox-full';
  return offer === 'dropped-newest' ? 'dropped-newest' : 'dropped-oldest';
}
