/** When a snapshot is due, and what goes into it. It is written in the same commit as the events it rests on. */
import { encodeJson } from '../core/json-value.js';
import type { Logger } from '../core/logger.js';
import type { JournalEntry } from '../journal/journal.js';
import type { RuntimeAggregate } from './aggregate-definition.js';

/** Whether so many events have come since the last snapshot that the next one is due. */
export function isSnapshotDue(definition: RuntimeAggregate, version: number, lastSnapshotVersion: number): boolean {
  const policy = definition.options.snapshot;
  return policy !== undefined && version - lastSnapshotVersion >= policy.every;
}

/** A snapshot of the state, or undefined when there is no policy or the state is no JSON value. */
export function snapshotOf(
  cell: { readonly definition: RuntimeAggregate; readonly id: string; readonly log: Logger },
  state: unknown,
): JournalEntry['snapshot'] {
  const policy = cell.definition.options.snapshot;
  if (policy === undefined) return undefined;
  try {
    const text = encodeJson(state, `${cell.definition.name}/${cell.id}: the state`);
    if (text !== undefined) return { state: text, schemaVersion: policy.version, keep: policy.keep };
  } catch (error) {
    cell.log.warn(`${cell.definition.name}/${cell.id}: no snapshot, because the state is no JSON value`, { error });
  }
  return undefined;
}
