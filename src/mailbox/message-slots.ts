/**
 * The messages of a mailbox in the order of arrival, most of them without an object of their own.
 *
 * A plain message is a type, a payload, facts that many share and a number, in four slots side by side; any other is an
 * envelope in the first of them. So a tell allocates nothing, and a burst goes through memory that is still in the
 * processor's cache. Capacity is a power of two and doubles when full; how much may wait is the mailbox's business.
 * Slots are cleared when taken, so that a quiet mailbox retains nothing. Hot path; bench suite `mailbox`.
 */
import type { Envelope, EnvelopeFacts } from '../core/envelope.js';

/** A plain message by its type, or an envelope. */
export type Slotted = string | Envelope;

/** Makes envelopes of plain messages. */
export interface Sealer {
  seal(type: string, payload: unknown, facts: EnvelopeFacts | undefined, seq: number): Envelope;
}

const WIDTH = 4;
const PAYLOAD = 1;
const FACTS = 2;
const SEQ = 3;

export class MessageSlots {
  /** Of each message a type or an envelope, and of a plain one its payload, facts and number; nothing else is ever put there. */
  #slots = new Array<unknown>(4 * WIDTH);
  #mask = 3;
  #head = 0;
  #size = 0;
  /** Of the plain message that was taken last, until it is released. */
  payload: unknown;
  facts: EnvelopeFacts | undefined;
  seq = 0;

  get size(): number {
    return this.#size;
  }

  push(envelope: Envelope): void {
    if (this.#size > this.#mask) this.#grow();
    this.#slots[((this.#head + this.#size) & this.#mask) * WIDTH] = envelope;
    this.#size += 1;
  }

  /** @param seq its number among those that come from where `facts.from` says */
  pushPlain(type: string, payload: unknown, facts: EnvelopeFacts | undefined, seq: number): void {
    if (this.#size > this.#mask) this.#grow();
    const slots = this.#slots;
    const place = ((this.#head + this.#size) & this.#mask) * WIDTH;
    slots[place] = type;
    slots[place + PAYLOAD] = payload;
    slots[place + FACTS] = facts;
    slots[place + SEQ] = seq;
    this.#size += 1;
  }

  /** Takes the first message; what is left of a plain one stands in `payload`, `facts` and `seq`. */
  shift(): Slotted | undefined {
    if (this.#size === 0) return undefined;
    const slots = this.#slots;
    const place = this.#head * WIDTH;
    const first = slots[place] as Slotted;
    if (typeof first === 'string') {
      this.payload = slots[place + PAYLOAD];
      this.facts = slots[place + FACTS] as EnvelopeFacts | undefined;
      this.seq = slots[place + SEQ] as number;
    }
    this.#clear(place);
    return first;
  }

  /** The plain message that was taken last has been handled: nothing of it is retained. */
  release(): void {
    this.payload = undefined;
    this.facts = undefined;
  }

  /** The message that `index` others go before; undefined beyond the last. */
  at(index: number, sealer: Sealer): Envelope | undefined {
    if (index >= this.#size) return undefined;
    const place = ((this.#head + index) & this.#mask) * WIDTH;
    const found = this.#slots[place] as Slotted;
    if (typeof found !== 'string') return found;
    const facts = this.#slots[place + FACTS] as EnvelopeFacts | undefined;
    return sealer.seal(found, this.#slots[place + PAYLOAD], facts, this.#slots[place + SEQ] as number);
  }

  /** Takes the first message as an envelope; what stands apart stays that of the one being handled. */
  take(sealer: Sealer): Envelope | undefined {
    const first = this.at(0, sealer);
    if (first !== undefined) this.#clear(this.#head * WIDTH);
    return first;
  }

  /** Takes everything out, in order. */
  drain(sealer: Sealer): Envelope[] {
    const all: Envelope[] = [];
    for (let next = this.take(sealer); next !== undefined; next = this.take(sealer)) all.push(next);
    return all;
  }

  /** The first one has left its slots. */
  #clear(place: number): void {
    const slots = this.#slots;
    slots[place] = undefined;
    slots[place + PAYLOAD] = undefined;
    slots[place + FACTS] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size -= 1;
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const slots = new Array<unknown>(capacity * WIDTH);
    for (let i = 0; i < this.#size; i += 1) {
      const from = ((this.#head + i) & this.#mask) * WIDTH;
      for (let slot = 0; slot < WIDTH; slot += 1) slots[i * WIDTH + slot] = this.#slots[from + slot];
    }
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
