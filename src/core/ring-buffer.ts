/**
 * A growing ring buffer: first in, first out, without an allocation per item.
 *
 * Capacity is a power of two and doubles when full; the policy of how much may wait is the mailbox's. Slots are
 * cleared when taken, so that a quiet queue retains nothing. Hot path; watched by the bench suite `mailbox`.
 */
export class RingBuffer<T> {
  #slots: (T | undefined)[];
  #mask: number;
  #head = 0;
  #size = 0;

  constructor(initialCapacity = 4) {
    let capacity = 4;
    while (capacity < initialCapacity) capacity *= 2;
    this.#slots = new Array<T | undefined>(capacity);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#size) & this.#mask] = item;
    this.#size += 1;
  }

  /** Puts an item before all others. */
  unshift(item: T): void {
    if (this.#size > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#slots[this.#head] = item;
    this.#size += 1;
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size -= 1;
    return item;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head];
  }

  /** The item that `index` others go before; undefined beyond the last. */
  at(index: number): T | undefined {
    return index < this.#size ? this.#slots[(this.#head + index) & this.#mask] : undefined;
  }

  /** Takes everything out, in order. */
  drain(): T[] {
    const items: T[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift()) items.push(item);
    return items;
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const slots = new Array<T | undefined>(capacity);
    for (let i = 0; i < this.#size; i += 1) slots[i] = this.#slots[(this.#head + i) & this.#mask];
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
