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
import type { CellJournal, EventFold, HashesNear, LoadedStream, Stream } from '../journal/journal.js';
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
 * @throws what `journal.load` and `replayStream` throw, what `apply` and upcasters throw, TROUPE_UPCAST_MISSING,
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
  const fold = new StateFold(definition, id, start, report);
  while (fold.version < loaded.version) {
    const before = fold.version;
    await journal.replayStream(definition.name, id, fold, loaded.version);
    if (fold.version === before) throw missing(definition, id, before + 1, undefined);
  }
  return {
    stream: loaded.stream,
    state: fold.state,
    version: fold.version,
    snapshotVersion: start.version,
    replayedBytes: fold.bytes,
    commandHashes: loaded.commandHashes,
  };
}

/** The state of one instance on its way from the snapshot to the newest event. */
class StateFold implements EventFold {
  state: unknown;
  version: number;
  /** Bytes of the events taken, if the snapshot policy counts them; else 0. */
  bytes = 0;
  readonly #definition: RuntimeAggregate;
  readonly #id: string;
  readonly #report: RecoveryReport;
  readonly #isCounted: boolean;

  constructor(
    definition: RuntimeAggregate,
    id: string,
    start: { readonly state: unknown; readonly version: number },
    report: RecoveryReport,
  ) {
    this.#definition = definition;
    this.#id = id;
    this.#report = report;
    this.#isCounted = definition.options.snapshot?.bytes !== undefined;
    this.state = start.state;
    this.version = start.version;
  }

  take(event: RecordedEvent): void {
    const definition = this.#definition;
    if (event.version !== this.version + 1) throw missing(definition, this.#id, this.version + 1, event.version);
    if (isSkipped(definition, event)) this.#report.skipped(event);
    this.state = replay(definition, this.state, event);
    this.version = event.version;
    if (this.#isCounted) this.bytes += Buffer.byteLength(JSON.stringify(event.data));
  }
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
