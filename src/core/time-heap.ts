/**
 * Things that wait for their times: a binary heap, from which the first one is taken.
 *
 * Those with the same time come in any order. What was given up is not looked for; `keepOnly` takes it away when there is
 * too much of it.
 */
export class TimeHeap<T> {
  readonly #timeOf: (item: T) => number;
  #items: T[] = [];

  /** @param timeOf must not change for an item in the heap */
  constructor(timeOf: (item: T) => number) {
    this.#timeOf = timeOf;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The first one. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    const time = this.#timeOf(item);
    let place = items.push(item) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || this.#timeOf(parent) <= time) break;
      items[place] = parent;
      place = above;
    }
    items[place] = item;
  }

  /** Takes the first one away. */
  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const moved = items.pop();
    if (moved === undefined || items.length === 0) return first;
    const time = this.#timeOf(moved);
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const a = items[left];
      if (a === undefined) break;
      const b = items[left + 1];
      const smaller = b !== undefined && this.#timeOf(b) < this.#timeOf(a) ? b : a;
      if (time <= this.#timeOf(smaller)) break;
      items[place] = smaller;
      place = smaller === a ? left : left + 1;
    }
    items[place] = moved;
    return first;
  }

  keepOnly(keep: (item: T) => boolean): void {
    // A sorted array is a heap.
    this.#items = this.#items.filter(keep).sort((one, other) => this.#timeOf(one) - this.#timeOf(other));
  }

  /** Keeps the first ones, at most so many: the last of these, and those that go. */
  cutTo(room: number): { readonly last: T | undefined; readonly beyond: readonly T[] } {
    this.keepOnly(() => true);
    const beyond = this.#items.splice(room);
    return { last: this.#items.at(-1), beyond };
  }

  clear(): void {
    this.#items = [];
  }
}
