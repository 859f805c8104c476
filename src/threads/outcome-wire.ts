/**
 * Outcomes as they cross: one flat row of values for all of a frame, in which each says only what is different from the
 * one before.
 *
 * Messages are mostly handled in their order, so an outcome has the number after that of the one before, and a reply is
 * its kind and its value; of messages without a reply a run is told as one. An array for each outcome cost
 * both sides together four times as much. Hot path: bench suite `threads`.
 */
import type { WireError } from '../core/wire-error.js';

/** For each outcome its kind with flags, then what they announce. */
export type WireOutcomes = readonly unknown[];

/** Takes the outcomes of a frame, in their order. */
export interface OutcomeReader {
  /** Handled, with nothing to say. */
  done(seq: number): void;
  /** The mailbox has taken it. */
  taken(seq: number): void;
  reply(seq: number, value: unknown, position: number, version: number): void;
  fail(seq: number, error: WireError): void;
}

/** A run of them; its length follows. */
const DONE = 0;
const TAKEN = 1;
const REPLY = 2;
const FAIL = 3;
const KIND = 3;
/** The number of its message follows; without it, it is the next one. */
const NUMBERED = 4;
/** Where a reply's events stand follows: position and version. */
const PLACED = 8;

/** Gathers the outcomes of one frame. */
export class OutcomeWriter {
  #items: unknown[] = [];
  /** The number that needs not be written. */
  #next = 0;
  /** Messages of the run that the row ends with. */
  #run = 0;

  /** Values gathered; 0: there is no outcome. */
  get length(): number {
    return this.#items.length;
  }

  done(seq: number): void {
    if (this.#run > 0 && seq === this.#next) {
      this.#next += 1;
      this.#run += 1;
      this.#items[this.#items.length - 1] = this.#run;
      return;
    }
    this.#begin(DONE, seq);
    this.#run = 1;
    this.#items.push(1);
  }

  taken(seq: number): void {
    this.#begin(TAKEN, seq);
  }

  reply(seq: number, value: unknown, position: number, version: number): void {
    if (position === 0 && version === 0) this.#begin(REPLY, seq);
    else {
      this.#begin(REPLY | PLACED, seq);
      this.#items.push(position, version);
    }
    this.#items.push(value);
  }

  fail(seq: number, error: WireError): void {
    this.#begin(FAIL, seq);
    this.#items.push(error);
  }

  /** What has gathered; the next outcome says its number again. */
  take(): WireOutcomes {
    const items = this.#items;
    if (items.length > 0) this.clear();
    return items;
  }

  /** Forgets what has gathered. */
  clear(): void {
    this.#items = [];
    this.#next = 0;
    this.#run = 0;
  }

  #begin(kind: number, seq: number): void {
    if (seq === this.#next) this.#items.push(kind);
    else this.#items.push(kind | NUMBERED, seq);
    this.#next = seq + 1;
    this.#run = 0;
  }
}

/** Reads the outcomes of a frame, written by `OutcomeWriter`. */
export function readOutcomes(items: WireOutcomes, reader: OutcomeReader): void {
  let seq = 0;
  let at = 0;
  while (at < items.length) {
    const kind = items[at++] as number;
    if ((kind & NUMBERED) !== 0) seq = items[at++] as number;
    switch (kind & KIND) {
      case DONE:
        for (const end = seq + (items[at++] as number); seq < end; seq += 1) reader.done(seq);
        continue;
      case TAKEN:
        reader.taken(seq);
        break;
      case REPLY: {
        const isPlaced = (kind & PLACED) !== 0;
        const position = isPlaced ? (items[at++] as number) : 0;
        const version = isPlaced ? (items[at++] as number) : 0;
        reader.reply(seq, items[at++], position, version);
        break;
      }
      default:
        reader.fail(seq, items[at++] as WireError);
    }
    seq += 1;
  }
}
