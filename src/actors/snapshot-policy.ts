/** When a snapshot is due, and what goes into it. It is written in the same commit as the events it rests on. */
import { encodeJson } from '../core/json-value.js';
import type { Logger } from '../core/logger.js';
import type { JournalEntry } from '../journal/journal.js';
import type { RuntimeAggregate } from './aggregate-definition.js';

/** The snapshot after a decision, or undefined when none is due or the state is no JSON value. */
export function snapshotOf(
  cell: { readonly definition: RuntimeAggregate; readonly id: string; readonly log: Logger },
  after: { readonly state: unknown; readonly version: number },
  lastSnapshotVersion: number,
): JournalEntry['snapshot'] {
  const policy = cell.definition.options.snapshot;
  if (policy === undefined || after.version - lastSnapshotVersion < policy.every) return undefined;
  try {
    const state = encodeJson(after.state, `${cell.definition.name}/${cell.id}: the state`);
    if (state !== undefined) return { state, schemaVersion: policy.version, keep: policy.keep };
  } catch (error) {
    cell.log.warn(`${cell.definition.name}/${cell.id}: no snapshot, because the state is no JSON value`, { error });
  }
  return undefined;
}
