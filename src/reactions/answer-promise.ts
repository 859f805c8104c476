/**
 * The promise of an ask in a reaction: it knows whether anybody has looked at it.
 *
 * A handler that starts an ask and never awaits it would lose a failure in silence, or, as an unhandled rejection,
 * end the process. So an ask that nobody has looked at counts as told.
 */
export class AnswerPromise<T> extends Promise<T> {
  /** Whether somebody has awaited it, or called `then`, `catch` or `finally`. */
  observed = false;

  /** What is derived from it is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  override then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.observed = true;
    return super.then(onfulfilled, onrejected);
  }

  /** Keeps a rejection from being unhandled, without having looked at it. */
  quieten(): void {
    void super.then(undefined, ignore);
  }
}

function ignore(): void {
  // The attempt knows of it.
}
