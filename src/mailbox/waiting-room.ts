/**
 * The messages that wait for room in a full mailbox, in the order of arrival; any of them may leave early.
 *
 * Who leaves is only struck off; the place in the queue goes when it comes to the front, or when more have left than
 * are still there. So leaving costs the same whether one waits or many thousands do.
 */
import type { Envelope } from '../core/envelope.js';
import { RingBuffer } from '../core/ring-buffer.js';

/** Places of those who have left beyond which the queue is not worth sweeping. */
const FEW = 16;

export class WaitingRoom {
  readonly #queue = new RingBuffer<Envelope>();
  readonly #present = new Set<Envelope>();

  get size(): number {
    return this.#present.size;
  }

  add(envelope: Envelope): void {
    this.#queue.push(envelope);
    this.#present.add(envelope);
  }

  /** Takes out who has waited longest. */
  next(): Envelope | undefined {
    for (let first = this.#queue.shift(); first !== undefined; first = this.#queue.shift()) {
      if (this.#present.delete(first)) return first;
    }
    return undefined;
  }

  /** Takes out one of them; false if it doesn't wait here. */
  leave(envelope: Envelope): boolean {
    if (!this.#present.delete(envelope)) return false;
    if (this.#queue.size > 2 * this.#present.size + FEW) {
      for (const one of this.#queue.drain()) if (this.#present.has(one)) this.#queue.push(one);
    }
    return true;
  }

  /** Takes everybody out, in order. */
  drain(): Envelope[] {
    const all = this.#queue.drain().filter((one) => this.#present.has(one));
    this.#present.clear();
    return all;
  }
}
