/**
 * What a checkpoint has to write: pure, so that every interleaving can be looked at in a test.
 *
 * A lane that keeps up holds the checkpoint in front of its first unfinished event. One that lags (attempts that
 * fail, events that wait in the journal, a handler that takes long) gets a record of its own, in the same write,
 * and holds up nothing. The record goes when the lane keeps up again and the checkpoint has passed what it says.
 * Parked lanes have theirs from the parking, and lanes that are just being written are left alone.
 */
import type { KeyLane } from './key-lane.js';

/** Rounds after which an event that is still being handled counts as slow. A round is `LIMITS.checkpointEveryMs`. */
const SLOW_ROUNDS = 5;

/** A change of one key's record; `after` is undefined for a record that goes. */
export interface KeyChange {
  readonly lane: KeyLane;
  readonly after: number | undefined;
}

export interface CheckpointPlan {
  readonly position: number;
  readonly keys: readonly KeyChange[];
}

/**
 * @param taken every event up to here has come to its lane
 * @param written position of the durable checkpoint
 * @param round number of this checkpoint
 */
export function planCheckpoint(
  lanes: Iterable<KeyLane>,
  taken: number,
  written: number,
  round: number,
): CheckpointPlan {
  let position = taken;
  const keys: KeyChange[] = [];
  const recorded: KeyLane[] = [];
  for (const lane of lanes) {
    if (lane.parked !== undefined) continue;
    const from = lane.unfinishedFrom;
    if (lane.phase === 'writing') {
      if (from - 1 < position) position = from - 1;
    } else if (from !== Infinity && isLagging(lane, from, written, round)) {
      if (lane.recordInDoubt || lane.recordedAfter !== from - 1) keys.push({ lane, after: from - 1 });
    } else {
      if (from - 1 < position) position = from - 1;
      if (lane.recordedAfter !== undefined || lane.recordInDoubt) recorded.push(lane);
    }
  }
  for (const lane of recorded) {
    if ((lane.recordedAfter ?? 0) <= position) keys.push({ lane, after: undefined });
  }
  return { position, keys };
}

function isLagging(lane: KeyLane, from: number, written: number, round: number): boolean {
  if (from <= written || lane.behind !== undefined || lane.phase === 'backing-off') return true;
  return lane.current !== undefined && (lane.attempts > 1 || round - lane.sinceRound >= SLOW_ROUNDS);
}
