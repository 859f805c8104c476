/**
 * Going back: what has to be written so that a reaction handles its events again from a position on.
 *
 * Pure. Keys that stand before the position stay as they are, parked ones too; what stands at it or behind it is
 * forgotten, and parked events from there on are delivered again. One write, so that a crash leaves the old place or the
 * new one.
 */
import type { RecordChange } from '../journal/journal.js';
import { checkpointRecord, keyErasure } from './reaction-records.js';
import type { ReactionRecords } from './reaction-recovery.js';

/** What a replay writes. */
export interface ReplayPlan {
  readonly changes: readonly RecordChange[];
  /** Letters of events that will be delivered again. */
  readonly redelivered: readonly string[];
}

/** @param from position of the first event to be handled again */
export function planReplay(name: string, found: ReactionRecords, from: number): ReplayPlan {
  const changes: RecordChange[] = [checkpointRecord(name, from - 1)];
  for (const { key, after } of found.keys) if (after >= from) changes.push(keyErasure(name, key));
  const redelivered = Array.from(found.letters).flatMap(([id, position]) => (position >= from ? id : []));
  return { changes, redelivered };
}
