/**
 * What a thread has in hand, in memory that others can read after its death: its pulse, the message whose handler is
 * on the stack, and the messages whose handlers wait for a promise.
 *
 * A message is named by the thread it came from and its number on that link. Written by one thread without locks;
 * read when that thread is dead or stands still. Hot path: three stores for each message.
 */
import type { Envelope } from './envelope.js';

const PULSE = 0;
/** Sending thread + 1 of the message on the stack; 0: none is; `LOCAL`: one that no other thread has sent. */
const THREAD = 1;
const SEQ = 2;
/** Pairs like those two, of asynchronous handlers under way. */
const ASYNC = 3;
/** Asynchronous handlers that are remembered; more at once stay unnamed. */
const SLOTS = 512;
const LOCAL = -1;

export class HandlingMark {
  readonly #words: Int32Array;
  /** Free slots; made when the first asynchronous handler needs one. */
  #free: number[] | undefined;

  /** @param memory default: memory of its own, which nobody reads */
  constructor(memory?: SharedArrayBuffer) {
    this.#words = memory === undefined ? new Int32Array(ASYNC + 2 * SLOTS) : new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (ASYNC + 2 * SLOTS));
  }

  /** The loop turns. */
  beat(): void {
    Atomics.add(this.#words, PULSE, 1);
  }

  /** The handler of this message is called. */
  enter(envelope: Envelope): void {
    this.#words[SEQ] = envelope.fromSeq;
    this.#words[THREAD] = envelope.fromThread + 1;
  }

  /** It has returned. */
  leave(): void {
    this.#words[THREAD] = 0;
  }

  /** It has returned a promise; the number is for `release`. */
  hold(envelope: Envelope): number {
    this.#free ??= Array.from({ length: SLOTS }, (_, i) => ASYNC + 2 * i);
    const slot = this.#free.pop();
    if (slot === undefined) return 0;
    this.#words[slot + 1] = envelope.fromSeq;
    this.#words[slot] = envelope.fromThread + 1;
    return slot;
  }

  release(slot: number): void {
    if (slot === 0) return;
    this.#words[slot] = 0;
    this.#free?.push(slot);
  }
}

/** Messages that may have killed a thread: numbers by the thread that sent them. */
export interface Suspects {
  readonly byThread: ReadonlyMap<number, ReadonlySet<number>>;
  /** Whether there is just one. */
  readonly alone: boolean;
}

export const NO_SUSPECTS: Suspects = { byThread: new Map(), alone: false };

/** The thread's pulse: as long as its loop turns, it changes. */
export function pulseOf(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory), PULSE);
}

/** Whether a handler is on the stack. */
export function isHandling(memory: SharedArrayBuffer): boolean {
  return new Int32Array(memory)[THREAD] !== 0;
}

/** The message on the stack; if there is none, those whose handlers wait. */
export function suspectsOf(memory: SharedArrayBuffer): Suspects {
  const words = new Int32Array(memory);
  const onStack = words[THREAD] !== 0;
  const places = onStack ? [THREAD] : Array.from({ length: SLOTS }, (_, i) => ASYNC + 2 * i);
  const byThread = new Map<number, Set<number>>();
  let count = 0;
  for (const place of places) {
    const thread = words[place] ?? 0;
    if (thread === 0) continue;
    count += 1;
    if (thread === LOCAL) continue;
    const seqs = byThread.get(thread - 1) ?? new Set();
    byThread.set(thread - 1, seqs.add(words[place + 1] ?? 0));
  }
  return { byThread, alone: count === 1 };
}
