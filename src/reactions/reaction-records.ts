/**
 * What a reaction keeps in the journal, beside its dead letters.
 *
 * The checkpoint: every event up to it is finished, or belongs to a key that has a record of its own. The record of
 * a key: its events up to `after` are finished or parked, those behind it are not, wherever the checkpoint is. A
 * key has one while it is parked, while it lags, and until the checkpoint has passed what it finished ahead.
 */
import type { RecordChange } from '../journal/journal.js';

/** Kind of the records of checkpoints; their key is the reaction's name. */
export const CHECKPOINT = 'reaction';
/** Kind of the records of keys. */
export const REACTION_KEY = 'reaction-key';

/** Where one key of a reaction stands. */
export interface KeyRecord {
  readonly reaction: string;
  readonly key: string;
  /** Position up to which its events are finished or parked. */
  readonly after: number;
  /** Fingerprint of the `orderedBy` that made the key. */
  readonly ordering: number;
  /** Id of the dead letter that holds the key. */
  readonly letter?: string | undefined;
}

export function checkpointRecord(reaction: string, position: number): RecordChange {
  return { kind: CHECKPOINT, key: reaction, value: { position } };
}

export function keyRecord(record: KeyRecord): RecordChange {
  return { kind: REACTION_KEY, key: recordKey(record.reaction, record.key), value: record };
}

export function keyErasure(reaction: string, key: string): RecordChange {
  return { kind: REACTION_KEY, key: recordKey(reaction, key), value: undefined };
}

/** The position in a checkpoint's record, which only `checkpointRecord` writes. */
export function readCheckpoint(value: unknown): number {
  return (value as { readonly position: number }).position;
}

/** A key's record, which only `keyRecord` writes. */
export function readKeyRecord(value: unknown): KeyRecord {
  return value as KeyRecord;
}

/** Names of reactions contain no `/`. */
function recordKey(reaction: string, key: string): string {
  return `${reaction}/${key}`;
}
