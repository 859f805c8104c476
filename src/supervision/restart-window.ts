/**
 * The sliding window of restarts: how often in a while, and how often in a row.
 *
 * The first number decides whether a supervisor gives up, the second how long it waits. They differ: with long
 * waits few restarts lie within the window, and the waits must not become short again because of that. A row ends
 * when nothing has failed for a whole window after the wait before the last restart.
 */

/** Restarts so far of one child, or of a group that restarts together; never changed in place. */
export interface RestartHistory {
  /** Monotonic times of the restarts that may still count, oldest first; at most `maxRestarts`. */
  readonly restartsMs: readonly number[];
  /** Restarts in a row. */
  readonly row: number;
  /** Monotonic time when the last wait was over; -Infinity before the first restart. */
  readonly upSinceMs: number;
}

/** How many restarts are allowed within which time. */
export interface RestartLimit {
  /** Infinity: any number. */
  readonly maxRestarts: number;
  /** Infinity: ever. */
  readonly withinMs: number;
}

export const NO_RESTARTS: RestartHistory = { restartsMs: [], row: 0, upSinceMs: Number.NEGATIVE_INFINITY };

/** Whether one more restart is within the limit. A restart leaves the window `withinMs` after it happened. */
export function mayRestart(history: RestartHistory, limit: RestartLimit, nowMs: number): boolean {
  return within(history, limit, nowMs).length < limit.maxRestarts;
}

/** Restarts in a row, counting the one to come: 1 for the first. */
export function nextInRow(history: RestartHistory, limit: RestartLimit, nowMs: number): number {
  return nowMs - history.upSinceMs >= limit.withinMs ? 1 : history.row + 1;
}

/** The history after a restart that was decided now and happens after `delayMs`. */
export function withRestart(
  history: RestartHistory,
  limit: RestartLimit,
  nowMs: number,
  delayMs: number,
): RestartHistory {
  return {
    // Without a limit nobody asks how many there were.
    restartsMs: limit.maxRestarts === Infinity ? [] : [...within(history, limit, nowMs), nowMs],
    row: nextInRow(history, limit, nowMs),
    upSinceMs: nowMs + delayMs,
  };
}

function within(history: RestartHistory, limit: RestartLimit, nowMs: number): readonly number[] {
  const { restartsMs } = history;
  const first = restartsMs.findIndex((atMs) => nowMs - atMs < limit.withinMs);
  return first === -1 ? [] : restartsMs.slice(first);
}
