/**
 * A mailbox: the bounded queue of one instance, in the order of arrival.
 *
 * When it is full, a message that may wait (`send`, commands of reactions) queues behind it and moves up as room
 * comes; while one waits, the mailbox counts as full for all others, so nobody overtakes. Everything else meets
 * the overflow policy. What was taken and might have waited is never dropped again: in front of such a message
 * `drop-oldest` refuses the newcomer. Nothing vanishes: what is refused or dropped is handed back to the caller.
 */
import type { Envelope, EnvelopeFacts } from '../core/envelope.js';
import { MessageSlots, type Sealer, type Slotted } from './message-slots.js';
import { WaitingRoom } from './waiting-room.js';

export type Overflow = 'reject' | 'drop-oldest' | 'drop-newest';

export interface MailboxLimits {
  /** Messages waiting; the one being handled doesn't count. */
  readonly capacity: number;
  readonly overflow: Overflow;
}

/** What became of an offered message: taken, waiting for room, refused, or the one that was dropped instead. */
export type Offer = 'taken' | 'waiting' | 'refused' | 'dropped-newest' | { readonly droppedOldest: Envelope };

export class Mailbox {
  readonly #limits: MailboxLimits;
  readonly #sealer: Sealer;
  readonly #messages: MessageSlots;
  #waiting: WaitingRoom | undefined;

  /**
   * @param messages empty slots
   * @param sealer for plain messages. Default: there are none.
   */
  constructor(limits: MailboxLimits, messages = new MessageSlots(), sealer: Sealer = ENVELOPES_ONLY) {
    this.#limits = limits;
    this.#messages = messages;
    this.#sealer = sealer;
  }

  /** Messages that wait to be handled, those still waiting for room included. */
  get size(): number {
    return this.#messages.size + (this.#waiting?.size ?? 0);
  }

  /** The short way of `offer`: how many wait when it is taken, 0 when it isn't that simple and nothing has happened. */
  push(envelope: Envelope): number {
    const { size } = this.#messages;
    if (size >= this.#limits.capacity || (this.#waiting !== undefined && this.#waiting.size > 0)) return 0;
    this.#messages.push(envelope);
    return size + 1;
  }

  /** The same for a message that is no more than its type, its payload, shared facts and its number. */
  pushPlain(type: string, payload: unknown, facts: EnvelopeFacts | undefined, seq: number): number {
    const { size } = this.#messages;
    if (size >= this.#limits.capacity || (this.#waiting !== undefined && this.#waiting.size > 0)) return 0;
    this.#messages.pushPlain(type, payload, facts, seq);
    return size + 1;
  }

  offer(envelope: Envelope): Offer {
    if (this.#messages.size < this.#limits.capacity && (this.#waiting === undefined || this.#waiting.size === 0)) {
      this.#messages.push(envelope);
      return 'taken';
    }
    return this.#overflow(envelope);
  }

  /** The next message; whoever waits for room moves up. */
  take(): Envelope | undefined {
    const next = this.#messages.take(this.#sealer);
    if (this.#waiting !== undefined && this.#waiting.size > 0) this.#moveUp();
    return next;
  }

  /** The same, as it stands there: of a plain one the type, while the rest stands with the slots. */
  shift(): Slotted | undefined {
    const next = this.#messages.shift();
    if (this.#waiting !== undefined && this.#waiting.size > 0) this.#moveUp();
    return next;
  }

  /** The message that will be taken after `index` others; undefined when there is none yet. */
  upcoming(index: number): Envelope | undefined {
    return this.#messages.at(index, this.#sealer);
  }

  /** Withdraws a message that still waits for room; false if it has been taken already. */
  withdraw(envelope: Envelope): boolean {
    return this.#waiting?.leave(envelope) ?? false;
  }

  /** Takes everything out, in order. */
  drain(): Envelope[] {
    const all = this.#messages.drain(this.#sealer);
    return this.#waiting === undefined ? all : all.concat(this.#waiting.drain());
  }

  #overflow(envelope: Envelope): Offer {
    if (envelope.waits) {
      this.#waiting ??= new WaitingRoom();
      this.#waiting.add(envelope);
      return 'waiting';
    }
    if (this.#limits.overflow === 'drop-newest') return 'dropped-newest';
    if (this.#limits.overflow === 'reject' || (this.#waiting?.size ?? 0) > 0) return 'refused';
    const oldest = this.upcoming(0);
    // The mailbox is full and its capacity is at least 1, so there is an oldest message.
    if (oldest === undefined || oldest.waits) return 'refused';
    this.#messages.take(this.#sealer);
    this.#messages.push(envelope);
    return { droppedOldest: oldest };
  }

  #moveUp(): void {
    const waiting = this.#waiting;
    while (waiting !== undefined && waiting.size > 0 && this.#messages.size < this.#limits.capacity) {
      const next = waiting.next();
      if (next === undefined) return;
      this.#messages.push(next);
      next.sink?.taken?.();
    }
  }
}

const ENVELOPES_ONLY: Sealer = {
  seal(type): never {
    throw new Error(`a plain message, ${type}, in a mailbox of envelopes`);
  },
};
