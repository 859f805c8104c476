/**
 * Recovery of an aggregate: the newest usable snapshot, then the events behind it, page by page.
 *
 * Nothing is published, because these events were when they were committed. A snapshot that can't be read is
 * skipped with a warning: it only costs time.
 */
import type { Logger } from '../core/logger.js';
import type { Journal, LoadedStream, Stream } from '../journal/journal.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { replay } from './replay.js';

/** An instance as the journal has it. */
export interface RecoveredAggregate {
  readonly stream: Stream;
  readonly state: unknown;
  readonly version: number;
  /** Version of the snapshot that it was recovered from; 0 without. */
  readonly snapshotVersion: number;
  readonly commandHashes: readonly number[];
}

/**
 * @throws what `journal.load` and `readStream` throw, what `apply` and upcasters throw, TROUPE_UPCAST_MISSING,
 * TROUPE_INVALID_EVENT.
 */
export async function recoverAggregate(
  journal: Journal,
  definition: RuntimeAggregate,
  id: string,
  log: Logger,
): Promise<RecoveredAggregate> {
  const loaded = await journal.load(definition.name, id, definition.options.snapshot?.version);
  const start = startOf(loaded, definition, id, log);
  let { state, version } = start;
  while (version < loaded.version) {
    const page = await journal.readStream(definition.name, id, version, loaded.version);
    for (const event of page) {
      state = replay(definition, state, event);
      version = event.version;
    }
    if (page.length === 0) break;
  }
  return {
    stream: loaded.stream,
    state,
    version,
    snapshotVersion: start.version,
    commandHashes: loaded.commandHashes,
  };
}

function startOf(
  loaded: LoadedStream,
  definition: RuntimeAggregate,
  id: string,
  log: Logger,
): { readonly state: unknown; readonly version: number } {
  if (loaded.snapshot !== undefined) {
    try {
      // Written by the cell as JSON text of the state.
      return { state: JSON.parse(loaded.snapshot.state) as unknown, version: loaded.snapshot.version };
    } catch (error) {
      log.warn(`${definition.name}/${id}: the snapshot of version ${loaded.snapshot.version} is skipped`, { error });
    }
  }
  return { state: definition.options.initialState(id), version: 0 };
}
