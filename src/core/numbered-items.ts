/**
 * Items that wait under numbers that count up, each to be taken by its number: a ring, without an allocation per item.
 *
 * Most are taken in about the order they came. One that waits for long while many pass must not make the ring grow with
 * them: when it is full and at most half of it waits, what waits in its older half moves to a map. Slots are cleared when
 * taken, and a ring that has become large is let go of when it is empty. Hot path: bench suite `threads`.
 */
const FEW = 64;
/** Slots that an empty ring keeps. */
const MANY = 16_384;

export class NumberedItems<T extends object> {
  #slots = new Array<T | undefined>(FEW);
  #mask = FEW - 1;
  /** Nothing waits in the ring below this number … */
  #first = 0;
  /** … nor from this one on. */
  #end = 0;
  #inRing = 0;
  /** Those below `#first`. */
  readonly #stragglers = new Map<number, T>();

  get size(): number {
    return this.#inRing + this.#stragglers.size;
  }

  /** @param number greater than all before */
  add(number: number, item: T): void {
    if (this.#inRing === 0) this.#first = number;
    while (number - this.#first > this.#mask) this.#makeRoom(number);
    this.#slots[number & this.#mask] = item;
    this.#end = number + 1;
    this.#inRing += 1;
  }

  get(number: number): T | undefined {
    if (number < this.#first) return this.#stragglers.get(number);
    return number < this.#end ? this.#slots[number & this.#mask] : undefined;
  }

  /** The item, which waits no longer. */
  take(number: number): T | undefined {
    if (number < this.#first) return this.#takeStraggler(number);
    if (number >= this.#end) return undefined;
    const at = number & this.#mask;
    const item = this.#slots[at];
    if (item === undefined) return undefined;
    this.#slots[at] = undefined;
    this.#inRing -= 1;
    if (this.#inRing === 0) this.#emptied();
    else if (number === this.#first) this.#passTaken();
    return item;
  }

  /** All that wait, by number. */
  *[Symbol.iterator](): Generator<readonly [number, T]> {
    yield* this.#stragglers;
    for (let number = this.#first; number < this.#end; number += 1) {
      const item = this.#slots[number & this.#mask];
      if (item !== undefined) yield [number, item];
    }
  }

  clear(): void {
    this.#stragglers.clear();
    if (this.#inRing > 0) this.#slots.fill(undefined);
    this.#inRing = 0;
    this.#emptied();
  }

  #takeStraggler(number: number): T | undefined {
    const item = this.#stragglers.get(number);
    if (item !== undefined) this.#stragglers.delete(number);
    return item;
  }

  #emptied(): void {
    this.#first = this.#end;
    if (this.#mask >= MANY) this.#resize(FEW);
  }

  #passTaken(): void {
    while (this.#slots[this.#first & this.#mask] === undefined) this.#first += 1;
  }

  /** The ring is full, or `number` lies beyond it. */
  #makeRoom(number: number): void {
    const capacity = this.#mask + 1;
    if (this.#inRing > capacity / 2) return this.#resize(2 * capacity);
    const half = this.#first + capacity / 2;
    for (; this.#first < half && this.#first < this.#end; this.#first += 1) {
      const at = this.#first & this.#mask;
      const item = this.#slots[at];
      if (item === undefined) continue;
      this.#stragglers.set(this.#first, item);
      this.#slots[at] = undefined;
      this.#inRing -= 1;
    }
    if (this.#inRing === 0) this.#first = number;
  }

  #resize(capacity: number): void {
    const slots = new Array<T | undefined>(capacity);
    for (let number = this.#first; number < this.#end; number += 1) {
      slots[number & (capacity - 1)] = this.#slots[number & this.#mask];
    }
    this.#slots = slots;
    this.#mask = capacity - 1;
  }
}
