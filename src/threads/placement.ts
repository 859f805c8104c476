/**
 * Placement: which thread an instance lives on.
 *
 * Names and ids hash to slots, slots belong to workers; an instance is always in one place, so that the order of its
 * messages and events needs no lock. When a worker dies, its successor takes its slots: only what it held moves.
 */
import { hashText } from '../core/fingerprint.js';

/** Slots: many more than workers, so that they share them evenly. */
const SLOTS = 4_096;

/** A thread: 0 is the main thread, workers count from 1. */
export type ThreadIndex = number;

export class Placement {
  readonly #workers: number;
  /** Instances that don't live where their id hashes to: children live with their parents. */
  readonly #elsewhere = new Map<string, ThreadIndex>();

  /** @param workers number of workers; 0: everything lives on the main thread */
  constructor(workers: number) {
    this.#workers = workers;
  }

  get workers(): number {
    return this.#workers;
  }

  /** The thread of an instance. */
  threadOf(name: string, id: string): ThreadIndex {
    if (this.#elsewhere.size > 0) {
      const known = this.#elsewhere.get(`${name}/${id}`);
      if (known !== undefined) return known;
    }
    return this.homeOf(name, id);
  }

  /** The thread that an id hashes to. */
  homeOf(name: string, id: string): ThreadIndex {
    if (this.#workers === 0) return 0;
    const slot = (hashText(id) ^ Math.imul(hashText(name), 31)) & (SLOTS - 1);
    return (slot % this.#workers) + 1;
  }

  /** An instance lives on another thread than its home; undefined: no longer. */
  place(name: string, id: string, thread: ThreadIndex | undefined): void {
    if (thread === undefined) this.#elsewhere.delete(`${name}/${id}`);
    else this.#elsewhere.set(`${name}/${id}`, thread);
  }

  /** A thread is gone, and with it what had been placed there. */
  forget(thread: ThreadIndex): void {
    for (const [key, one] of this.#elsewhere) if (one === thread) this.#elsewhere.delete(key);
  }
}
