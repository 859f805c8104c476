/**
 * Recovery of an aggregate: the newest usable snapshot, then the events behind it, page by page.
 *
 * Nothing is published, because these events were when they were committed. A snapshot that can't be used is
 * skipped with a warning: it only costs time. An event that is missing is no such matter: a state that is behind its
 * journal would decide wrongly, so the instance doesn't come to life.
 */
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { CellJournal, HashesNear, LoadedStream, Stream } from '../journal/journal.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { isSkipped, replay } from './replay.js';

/** An instance as the journal has it. */
export interface RecoveredAggregate {
  readonly stream: Stream;
  readonly state: unknown;
  readonly version: number;
  /** Version of the snapshot that it was recovered from; 0 without. */
  readonly snapshotVersion: number;
  /** Bytes of the events replayed, if the snapshot policy counts them; else 0. */
  readonly replayedBytes: number;
  readonly commandHashes: readonly HashesNear[];
}

/** What a recovery tells of on its way. */
export interface RecoveryReport {
  readonly log: Logger;
  /** Told of each event that is passed over, because the code doesn't know its type. */
  skipped(event: RecordedEvent): void;
}

/**
 * @throws what `journal.load` and `readStream` throw, what `apply` and upcasters throw, TROUPE_UPCAST_MISSING,
 * TROUPE_INVALID_EVENT, TROUPE_JOURNAL_CORRUPT when events are missing.
 */
export async function recoverAggregate(
  journal: CellJournal,
  definition: RuntimeAggregate,
  id: string,
  report: RecoveryReport,
): Promise<RecoveredAggregate> {
  const loaded = await journal.load(definition.name, id, definition.options.snapshot?.version);
  try {
    return await replayed(journal, definition, id, loaded, startOf(loaded, definition, id, report.log), report);
  } catch (error) {
    journal.release(loaded.stream);
    throw error;
  }
}

async function replayed(
  journal: CellJournal,
  definition: RuntimeAggregate,
  id: string,
  loaded: LoadedStream,
  start: { readonly state: unknown; readonly version: number },
  report: RecoveryReport,
): Promise<RecoveredAggregate> {
  let { state, version } = start;
  let replayedBytes = 0;
  const counted = definition.options.snapshot?.bytes !== undefined;
  while (version < loaded.version) {
    const page = await journal.readStream(definition.name, id, version, loaded.version);
    for (const event of page) {
      if (event.version !== version + 1) throw missing(definition, id, version + 1, event.version);
      if (isSkipped(definition, event)) report.skipped(event);
      state = replay(definition, state, event);
      version = event.version;
      if (counted) replayedBytes += Buffer.byteLength(JSON.stringify(event.data));
    }
    if (page.length === 0) throw missing(definition, id, version + 1, undefined);
  }
  return {
    stream: loaded.stream,
    state,
    version,
    snapshotVersion: start.version,
    replayedBytes,
    commandHashes: loaded.commandHashes,
  };
}

function missing(definition: RuntimeAggregate, id: string, version: number, found: number | undefined): TroupeError {
  return new TroupeError(
    'TROUPE_JOURNAL_CORRUPT',
    `${definition.name}/${id}: the event of version ${version} is missing` +
      `${found === undefined ? '' : `, the next one has version ${found}`}; restore a backup of the journal`,
    { details: { aggregate: definition.name, id, version, found } },
  );
}

function startOf(
  loaded: LoadedStream,
  definition: RuntimeAggregate,
  id: string,
  log: Logger,
): { readonly state: unknown; readonly version: number } {
  const { snapshot, version } = loaded;
  if (snapshot !== undefined) {
    try {
      if (snapshot.version > version) throw new Error(`the aggregate has no event beyond version ${version}`);
      // Written by the cell as JSON text of the state.
      return { state: JSON.parse(snapshot.state) as unknown, version: snapshot.version };
    } catch (error) {
      log.warn(`${definition.name}/${id}: the snapshot of version ${snapshot.version} is skipped`, { error });
    }
  }
  return { state: definition.options.initialState(id), version: 0 };
}
