/**
 * Turns of the event loop: what is handed over runs in the next one, when all promises of this one are through.
 *
 * A run hears of one outcome in a turn. What follows from it has then been asked for before the next outcome comes,
 * when it happens as in a replay; that is what makes the two alike. One `setImmediate` serves all runs.
 */
export class Turns {
  #waiting: (() => void)[] = [];

  /** Calls `begin` in the next turn; it must not throw. */
  next(begin: () => void): void {
    this.#waiting.push(begin);
    if (this.#waiting.length === 1) setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const begin of waiting) begin();
  };
}
