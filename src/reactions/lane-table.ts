/** The lanes of one reaction by key, and how many are in which phase. */
import type { KeyLane, LanePhase } from './key-lane.js';

export class LaneTable {
  readonly #lanes = new Map<string, KeyLane>();
  readonly #counts: Record<LanePhase, number> = {
    idle: 0,
    ready: 0,
    running: 0,
    'backing-off': 0,
    writing: 0,
    reading: 0,
  };

  get(key: string): KeyLane | undefined {
    return this.#lanes.get(key);
  }

  /** Adds an idle lane. */
  add(lane: KeyLane): KeyLane {
    this.#lanes.set(lane.key, lane);
    this.#counts.idle += 1;
    return lane;
  }

  /** Forgets an idle lane. */
  delete(lane: KeyLane): void {
    if (this.#lanes.delete(lane.key)) this.#counts.idle -= 1;
  }

  enter(lane: KeyLane, phase: LanePhase): void {
    this.#counts[lane.phase] -= 1;
    this.#counts[phase] += 1;
    lane.phase = phase;
  }

  count(phase: LanePhase): number {
    return this.#counts[phase];
  }

  /** Lanes with something to do. */
  get active(): number {
    return this.#lanes.size - this.#counts.idle;
  }

  /** Position of the first event that is not finished or parked; Infinity if there is none. */
  get unfinishedFrom(): number {
    let first = Infinity;
    if (this.active === 0) return first;
    for (const lane of this.#lanes.values()) {
      if (lane.phase !== 'idle' && lane.parked === undefined) first = Math.min(first, lane.unfinishedFrom);
    }
    return first;
  }

  values(): IterableIterator<KeyLane> {
    return this.#lanes.values();
  }
}
