/**
 * What a thread has in hand, in memory that others can read after its death: its pulse, the size of its heap, the
 * message whose handler is on the stack, and the messages whose handlers wait for a promise.
 *
 * A message is named by the thread it came from and its number on that link. Written by one thread without locks;
 * read when that thread is dead or stands still. Hot path: three stores for each message.
 */
import type { Envelope } from './envelope.js';

const PULSE = 0;
/** Memory that the thread's heap took at its last beat, in MiB. */
const HEAP = 1;
/** Sending thread + 1 of the message on the stack; 0: none is; `LOCAL`: one that no other thread has sent. */
const THREAD = 2;
const SEQ = 3;
/** How-manieth command of that message (a reaction's attempt) is being handled; 0: the message itself. */
const NTH = 4;
/** Number of the fold whose handler is on the stack, and the position of its event in two words; 0: none is. */
const FOLD = 5;
const POSITION = 6;
/** Triples like `THREAD`, `SEQ` and `NTH`, of asynchronous handlers under way. */
const ASYNC = 8;
const PLACES = 3;
/** Asynchronous handlers that are remembered; more at once stay unnamed. Attempts of many reactions wait at once. */
const SLOTS = 4_096;
const WORDS = ASYNC + PLACES * SLOTS;
const LOCAL = -1;
/** More than one command of a message. */
const BOTH = -1;
const BITS_32 = 2 ** 32;

export class HandlingMark {
  readonly #words: Int32Array;
  /** Free slots; made when the first asynchronous handler needs one. */
  #free: number[] | undefined;

  /** @param memory default: memory of its own, which nobody reads */
  constructor(memory?: SharedArrayBuffer) {
    this.#words = memory === undefined ? new Int32Array(WORDS) : new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * WORDS);
  }

  /** The loop turns, and its heap takes so much. */
  beat(heapMb: number): void {
    Atomics.store(this.#words, HEAP, heapMb);
    Atomics.add(this.#words, PULSE, 1);
  }

  /** The handler of this message is called. */
  enter(envelope: Envelope): void {
    this.#words[SEQ] = envelope.fromSeq;
    this.#words[NTH] = envelope.fromNth;
    this.#words[THREAD] = envelope.fromThread + 1;
  }

  /** The same for one by where it came from. */
  enterFrom(thread: number, seq: number): void {
    this.#words[SEQ] = seq;
    this.#words[NTH] = 0;
    this.#words[THREAD] = thread + 1;
  }

  /** The same for one that no other thread has sent. */
  enterLocal(): void {
    this.#words[THREAD] = LOCAL;
  }

  /** It has returned. */
  leave(): void {
    this.#words[THREAD] = 0;
  }

  /** A projection's handler is called with the event at this position; no message is suspect of what it does. */
  enterFold(fold: number, position: number): void {
    this.#words[POSITION] = position | 0;
    this.#words[POSITION + 1] = Math.floor(position / BITS_32);
    this.#words[FOLD] = fold;
    this.#words[THREAD] = LOCAL;
  }

  leaveFold(): void {
    this.#words[THREAD] = 0;
    this.#words[FOLD] = 0;
  }

  /** It has returned a promise; the number is for `release`. */
  hold(envelope: Envelope): number {
    this.#free ??= Array.from({ length: SLOTS }, (_, i) => ASYNC + PLACES * i);
    const slot = this.#free.pop();
    if (slot === undefined) return 0;
    this.#words[slot + 1] = envelope.fromSeq;
    this.#words[slot + 2] = envelope.fromNth;
    this.#words[slot] = envelope.fromThread + 1;
    return slot;
  }

  release(slot: number): void {
    if (slot === 0) return;
    this.#words[slot] = 0;
    this.#free?.push(slot);
  }
}

/** Messages that may have killed a thread. */
export interface Suspects {
  /**
   * By the thread that sent them: their numbers, and which of their commands it was; 0: the message itself, or not just
   * one of its commands.
   */
  readonly byThread: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Whether there is just one. */
  readonly alone: boolean;
}

export const NO_SUSPECTS: Suspects = { byThread: new Map(), alone: false };

/** The thread's pulse: as long as its loop turns, it changes. */
export function pulseOf(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory), PULSE);
}

/** MiB of the thread's heap at its last beat. */
export function heapMbOf(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory), HEAP);
}

/** Whether a handler is on the stack. */
export function isHandling(memory: SharedArrayBuffer): boolean {
  return new Int32Array(memory)[THREAD] !== 0;
}

/** The fold whose handler is on the stack, and its event. */
export function foldOn(memory: SharedArrayBuffer): { readonly fold: number; readonly position: number } | undefined {
  const words = new Int32Array(memory);
  const fold = words[FOLD] ?? 0;
  if (fold === 0) return undefined;
  return { fold, position: ((words[POSITION] ?? 0) >>> 0) + (words[POSITION + 1] ?? 0) * BITS_32 };
}

/** The message on the stack; if there is none, those whose handlers wait. */
export function suspectsOf(memory: SharedArrayBuffer): Suspects {
  const words = new Int32Array(memory);
  const onStack = words[THREAD] !== 0;
  const places = onStack ? [THREAD] : Array.from({ length: SLOTS }, (_, i) => ASYNC + PLACES * i);
  const byThread = new Map<number, Map<number, number>>();
  let count = 0;
  for (const place of places) {
    const thread = words[place] ?? 0;
    if (thread === 0) continue;
    if (thread === LOCAL) {
      count += 1;
      continue;
    }
    const seqs = byThread.get(thread - 1) ?? new Map<number, number>();
    byThread.set(thread - 1, seqs);
    const seq = words[place + 1] ?? 0;
    const nth = words[place + 2] ?? 0;
    const known = seqs.get(seq);
    // A handler that waits for its command, and the command, are one suspect: the command. Two commands are both.
    if (known === undefined) count += 1;
    seqs.set(seq, known === undefined || known === 0 ? nth : nth === 0 || nth === known ? known : BOTH);
  }
  for (const seqs of byThread.values()) for (const [seq, nth] of seqs) if (nth === BOTH) seqs.set(seq, 0);
  return { byThread, alone: count === 1 };
}
