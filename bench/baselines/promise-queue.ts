/**
 * The least an ask can be: a promise, an array of those who wait, and one microtask that answers them all.
 */

interface Waiting {
  readonly payload: number;
  readonly resolve: (reply: number) => void;
}

export class PromiseQueue {
  readonly #handle: (payload: number) => number;
  #waiting: Waiting[] = [];

  constructor(handle: (payload: number) => number) {
    this.#handle = handle;
  }

  ask(payload: number): Promise<number> {
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) queueMicrotask(this.#answerAll);
      this.#waiting.push({ payload, resolve });
    });
  }

  readonly #answerAll = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { payload, resolve } of waiting) resolve(this.#handle(payload));
  };
}
