/**
 * The stash: messages that an actor has set aside, and those that it has asked back.
 *
 * What is asked back goes before everything in the mailbox, in the order in which it first came. It is not put
 * into the mailbox, which may be full by then: stash and mailbox keep to their own bounds.
 */
import type { Envelope } from '../core/envelope.js';
import { RingBuffer } from '../core/ring-buffer.js';

export class Stash {
  readonly #capacity: number;
  readonly #aside = new RingBuffer<Envelope>();
  readonly #asked = new RingBuffer<Envelope>();

  /** @param capacity messages set aside or asked back, and not handled yet */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Messages that have been asked back. */
  get asked(): number {
    return this.#asked.size;
  }

  /** Sets a message aside; false when there is no room. */
  put(envelope: Envelope): boolean {
    if (this.#aside.size + this.#asked.size >= this.#capacity) return false;
    this.#aside.push(envelope);
    return true;
  }

  /** Asks everything back. What was set aside before goes before what had been asked back already. */
  unstashAll(): void {
    const aside = this.#aside.drain();
    for (let i = aside.length - 1; i >= 0; i -= 1) {
      // The loop keeps the index within the array.
      this.#asked.unshift(aside[i] as Envelope);
    }
  }

  /** The next message that was asked back. */
  take(): Envelope | undefined {
    return this.#asked.shift();
  }

  /** Removes one message, wherever it stands; for one that failed after it had been set aside. */
  remove(envelope: Envelope): void {
    for (const queue of [this.#aside, this.#asked]) {
      for (const one of queue.drain()) if (one !== envelope) queue.push(one);
    }
  }

  /** Takes everything out: what was asked back first, then what was set aside. */
  drain(): Envelope[] {
    return [...this.#asked.drain(), ...this.#aside.drain()];
  }
}
