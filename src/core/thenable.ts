/** Promises where none is expected: seen, and not left to end the process with a rejection that nobody handles. */

/** Whether a value can be waited for. Reading `then` may throw, like any code of a user. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Whether a value is a promise where there must be none; if so, nobody will hear of its rejection. */
export function isStrayPromise(value: unknown): boolean {
  if (!isThenable(value)) return false;
  Promise.resolve(value).catch(() => undefined);
  return true;
}
