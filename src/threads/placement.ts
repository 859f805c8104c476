/**
 * Placement: which thread an instance lives on.
 *
 * Names and ids hash to slots, slots belong to workers; an instance is always in one place, so that the order of its
 * messages and events needs no lock. When a worker dies, its successor takes its slots: only what it held moves.
 * Children live with their parents, of which the threads tell one another (`births.ts`). Hot path: `threadOf`, once
 * for each message; bench suite `threads`.
 */
import { hashText } from '../core/fingerprint.js';
import { type Births, isLater } from './births.js';

/** Slots: many more than workers, so that they share them evenly. */
const SLOTS = 4_096;

/** A thread: 0 is the main thread, workers count from 1. */
export type ThreadIndex = number;

/** Where an instance lives that is not at home, and since which birth. */
interface Elsewhere {
  readonly thread: ThreadIndex;
  readonly birth: number;
}

export class Placement {
  readonly #workers: number;
  readonly #births: Births | undefined;
  /** Instances that don't live where their id hashes to: children live with their parents. */
  readonly #elsewhere = new Map<string, Elsewhere>();
  /** What was looked for last: bursts go to few instances. */
  #lastName = '';
  #lastId = '';
  #lastThread: ThreadIndex = 0;

  /**
   * @param workers number of workers; 0: everything lives on the main thread
   * @param births what other threads tell of children. Default: nobody tells anything
   */
  constructor(workers: number, births?: Births) {
    this.#workers = workers;
    this.#births = births;
  }

  get workers(): number {
    return this.#workers;
  }

  /** The thread of an instance. */
  threadOf(name: string, id: string): ThreadIndex {
    this.#births?.catchUp();
    if (id === this.#lastId && name === this.#lastName) return this.#lastThread;
    const thread = this.#placed(name, id) ?? this.homeOf(name, id);
    this.#lastName = name;
    this.#lastId = id;
    this.#lastThread = thread;
    return thread;
  }

  /** The thread of an instance that is known to live elsewhere than at home. */
  placedOf(name: string, id: string): ThreadIndex | undefined {
    this.#births?.catchUp();
    return this.#placed(name, id);
  }

  /** The thread that an id hashes to. */
  homeOf(name: string, id: string): ThreadIndex {
    if (this.#workers === 0) return 0;
    const slot = (hashText(id) ^ Math.imul(hashText(name), 31)) & (SLOTS - 1);
    return (slot % this.#workers) + 1;
  }

  /** An instance was born on another thread than its home. News of an earlier one of that id, which come late, change nothing. */
  place(name: string, id: string, thread: ThreadIndex, birth: number): void {
    const key = `${name}/${id}`;
    const known = this.#elsewhere.get(key);
    if (known === undefined || isLater(birth, known.birth)) this.#elsewhere.set(key, { thread, birth });
    this.#lastName = '';
  }

  /** The instance of that birth has ended. */
  remove(name: string, id: string, birth: number): void {
    const key = `${name}/${id}`;
    if (this.#elsewhere.get(key)?.birth === birth) this.#elsewhere.delete(key);
    this.#lastName = '';
  }

  /** A thread is gone, and with it what had been placed there. */
  forget(thread: ThreadIndex): void {
    for (const [key, one] of this.#elsewhere) if (one.thread === thread) this.#elsewhere.delete(key);
    this.#lastName = '';
  }

  #placed(name: string, id: string): ThreadIndex | undefined {
    return this.#elsewhere.size === 0 ? undefined : this.#elsewhere.get(`${name}/${id}`)?.thread;
  }
}
