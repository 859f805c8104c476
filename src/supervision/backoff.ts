/**
 * Exponential backoff with jitter: how long to wait before a restart.
 *
 * The wait doubles from `minMs` to `maxMs`; up to the share `jitter` of it is added at random, so that what failed
 * together doesn't come back in one moment. The jitter comes on top, as in Pekko: at the cap it would else be lost.
 *
 * @see https://pekko.apache.org/docs/pekko/current/general/supervision.html
 */

/** Bounds of a wait. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
  /** From 0 to 1. */
  readonly jitter: number;
}

/**
 * Milliseconds before the n-th restart in a row: at least `minMs`, at most `maxMs * (1 + jitter)`.
 *
 * @param nth from 1.
 * @param random from 0 (inclusive) to 1 (exclusive).
 */
export function backoffMs(backoff: Backoff, nth: number, random: number): number {
  // 2 ** 1024 is Infinity, and 0 * Infinity is no number.
  const doubled = backoff.minMs * 2 ** Math.min(nth - 1, 1_000);
  return Math.min(backoff.maxMs, doubled) * (1 + backoff.jitter * random);
}
