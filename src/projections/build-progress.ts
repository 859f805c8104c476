/** How far a build has come, how fast it goes, and how long it will take; for metrics, and for whoever watches. */

/** Progress of a table that is built anew. */
export interface BuildProgress {
  /** Position that the build has come to, and the one it has to come to: the head, which may go on. */
  readonly position: number;
  readonly head: number;
  /** From 0 to 1. */
  readonly share: number;
  /** Events passed in a second, since the build began or was resumed. */
  readonly eventsPerSecond: number;
  /** Milliseconds that are left at this rate; null as long as nothing is known of it. */
  readonly remainingMs: number | null;
}

export interface BuildBegin {
  readonly position: number;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export function progressOf(begin: BuildBegin, position: number, head: number, nowMs: number): BuildProgress {
  const seconds = Math.max(0, nowMs - begin.atMs) / 1_000;
  const eventsPerSecond = seconds === 0 ? 0 : (position - begin.position) / seconds;
  const left = Math.max(0, head - position);
  return {
    position,
    head,
    share: head === 0 ? 1 : Math.min(1, position / head),
    eventsPerSecond: Math.round(eventsPerSecond),
    remainingMs: left === 0 ? 0 : eventsPerSecond > 0 ? Math.ceil((left / eventsPerSecond) * 1_000) : null,
  };
}
