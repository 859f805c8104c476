/** Gathers what one turn produces and hands it over once, when the microtasks before it are done. */
import { atMicrotask } from '../core/microtask.js';

export class TurnBatch<T> {
  readonly #send: (items: readonly T[]) => void;
  #items: T[] = [];
  readonly #flush = (): void => this.flush();

  constructor(send: (items: readonly T[]) => void) {
    this.#send = send;
  }

  add(item: T): void {
    if (this.#items.length === 0) atMicrotask(this.#flush);
    this.#items.push(item);
  }

  flush(): void {
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#send(items);
  }
}
