/**
 * The hashes of all ids that an instance knows, each with the versions near which the journal has it.
 *
 * What the journal told stays a text until the first id is asked for, for most instances that is never. Several ids may
 * have one hash, so a hash may stand near several versions.
 */
import type { HashesNear } from '../journal/journal.js';

/** So many hashes are searched one by one faster than a map is made. */
const FEW = 8;

export class KnownHashes {
  #untold: readonly HashesNear[];
  /** A hash and its version, one after the other, as long as they are few. */
  #few: number[] = [];
  #many: Map<number, number | readonly number[]> | undefined;

  constructor(told: readonly HashesNear[]) {
    this.#untold = told;
  }

  add(hash: number, near: number): void {
    if (this.#many !== undefined) return addTo(this.#many, hash, near);
    this.#few.push(hash, near);
    if (this.#few.length <= 2 * FEW) return;
    this.#many = new Map();
    for (let i = 0; i < this.#few.length; i += 2) addTo(this.#many, this.#few[i] ?? 0, this.#few[i + 1] ?? 0);
    this.#few = [];
  }

  /** Empty when no id of this hash is known. */
  near(hash: number): readonly number[] {
    if (this.#untold.length > 0) this.#read();
    if (this.#many === undefined) return amongFew(this.#few, hash);
    const known = this.#many.get(hash);
    if (known === undefined) return NOWHERE;
    return typeof known === 'number' ? [known] : known;
  }

  #read(): void {
    const told = this.#untold;
    this.#untold = [];
    for (const [near, text] of told) {
      for (let from = 0; from < text.length; ) {
        let hash = 0;
        let to = from;
        const isNegative = text.charCodeAt(from) === MINUS;
        if (isNegative) to += 1;
        for (; to < text.length; to += 1) {
          const digit = text.charCodeAt(to) - ZERO;
          if (digit < 0 || digit > 9) break;
          hash = hash * 10 + digit;
        }
        // Pages without a command leave one separator beside the other.
        if (to > from) this.add(isNegative ? -hash : hash, near);
        from = to + 1;
      }
    }
  }
}

function addTo(many: Map<number, number | readonly number[]>, hash: number, near: number): void {
  const known = many.get(hash);
  if (known === undefined) many.set(hash, near);
  else if (typeof known !== 'number') many.set(hash, [...known, near]);
  else if (known !== near) many.set(hash, [known, near]);
}

function amongFew(few: readonly number[], hash: number): readonly number[] {
  let found: number[] | undefined;
  for (let i = 0; i < few.length; i += 2) if (few[i] === hash) (found ??= []).push(few[i + 1] ?? 0);
  return found ?? NOWHERE;
}

const NOWHERE: readonly number[] = [];
const MINUS = 0x2d;
const ZERO = 0x30;
