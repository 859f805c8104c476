/**
 * The least a mailbox can be: a ring of messages, drained by one microtask into one synchronous handler.
 *
 * No types looked up, no checks, no bound, no references: what is left of the time is JavaScript's own.
 */

/** What is put into the ring: one object per message, as any mailbox has it. */
export interface RingMessage {
  readonly type: string;
  readonly payload: number;
}

export class MessageRing {
  readonly #handle: (message: RingMessage) => void;
  readonly #slots: (RingMessage | undefined)[];
  readonly #mask: number;
  #head = 0;
  #tail = 0;
  #scheduled = false;

  /** @param slots a power of two, and more than ever wait. */
  constructor(slots: number, handle: (message: RingMessage) => void) {
    this.#handle = handle;
    this.#slots = new Array<RingMessage | undefined>(slots).fill(undefined);
    this.#mask = slots - 1;
  }

  tell(type: string, payload: number): void {
    this.#slots[this.#tail & this.#mask] = { type, payload };
    this.#tail += 1;
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#drain);
    }
  }

  readonly #drain = (): void => {
    while (this.#head < this.#tail) {
      const place = this.#head & this.#mask;
      const message = this.#slots[place];
      this.#slots[place] = undefined;
      this.#head += 1;
      if (message !== undefined) this.#handle(message);
    }
    this.#scheduled = false;
  };
}
