/**
 * Where a reaction goes on after a start: from its records to a position and the lanes that know something.
 *
 * Pure. A reaction without records starts where `from` says, and that is recorded at once. A held key whose letter
 * is gone was discarded while nobody was looking. When `orderedBy` has changed, the old keys find nothing any
 * more: the reaction goes back to the first event that might wait and delivers again from there, which changes
 * nothing that is finished.
 */
import type { RecordChange } from '../journal/journal.js';
import { KeyLane } from './key-lane.js';
import { checkpointRecord, keyErasure, type KeyRecord } from './reaction-records.js';

/** What was found in the journal. */
export interface ReactionRecords {
  /** Undefined: the reaction is new. */
  readonly checkpoint: number | undefined;
  readonly keys: readonly KeyRecord[];
  /** Positions of its parked events, by letter. */
  readonly letters: ReadonlyMap<string, number>;
}

export interface RecoverySettings {
  readonly name: string;
  readonly from: 'beginning' | 'now';
  readonly holds: boolean;
  readonly ordering: number;
  /** Position of the last committed event. */
  readonly head: number;
}

export interface Recovered {
  /** Events behind it come through the feed. */
  readonly position: number;
  readonly lanes: readonly KeyLane[];
  /** To be written before the first event is handled. */
  readonly changes: readonly RecordChange[];
  /** Letters of events that will be delivered again. */
  readonly redelivered: readonly string[];
  readonly warnings: readonly string[];
}

export function recoverReaction(found: ReactionRecords, settings: RecoverySettings): Recovered {
  const { name, from, head, ordering } = settings;
  if (found.checkpoint === undefined && found.keys.length === 0) {
    const position = from === 'now' ? head : 0;
    return { position, lanes: [], changes: [checkpointRecord(name, position)], redelivered: [], warnings: [] };
  }
  const warnings: string[] = [];
  const checkpoint = Math.min(found.checkpoint ?? 0, head);
  if (checkpoint !== found.checkpoint) {
    warnings.push(
      `reaction ${name}: its checkpoint ${found.checkpoint ?? 'is missing'} does not fit the journal, which ends at ${head}`,
    );
  }
  if (found.keys.some((record) => record.ordering !== ordering))
    return reordered(found, settings, checkpoint, warnings);
  const lanes = found.keys.map((record) => laneOf(record, found, settings, checkpoint));
  return { position: checkpoint, lanes, changes: [], redelivered: [], warnings };
}

function laneOf(record: KeyRecord, found: ReactionRecords, settings: RecoverySettings, checkpoint: number): KeyLane {
  const lane = new KeyLane(record.key);
  lane.recordedAfter = record.after;
  lane.finishedTo = record.after;
  if (record.after < checkpoint) lane.behind = record.after;
  const { letter } = record;
  if (letter !== undefined && settings.holds && found.letters.has(letter)) lane.parked = letter;
  return lane;
}

function reordered(
  found: ReactionRecords,
  { name }: RecoverySettings,
  checkpoint: number,
  warnings: readonly string[],
): Recovered {
  let position = checkpoint;
  const changes: RecordChange[] = [];
  const redelivered: string[] = [];
  for (const { key, after, letter } of found.keys) {
    const parkedAt = letter === undefined ? undefined : found.letters.get(letter);
    position = Math.min(position, parkedAt === undefined ? after : parkedAt - 1);
    changes.push(keyErasure(name, key));
    if (letter !== undefined && parkedAt !== undefined) redelivered.push(letter);
  }
  changes.push(checkpointRecord(name, position));
  const warning = `reaction ${name}: orderedBy has changed while events of ${found.keys.length} keys were waiting; delivering again from position ${position + 1}`;
  return { position, lanes: [], changes, redelivered, warnings: [...warnings, warning] };
}
