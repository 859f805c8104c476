/**
 * What waits for its commit, and how each item is told what became of it: once, whatever happens.
 *
 * An entry that fails takes along everything queued on top of its aggregate, because that was decided on events
 * which are not there; what is queued of other aggregates stays. A callback that throws stops nobody else.
 */
import { TroupeError } from '../core/troupe-error.js';
import type { CommitGroup, QueuedEntry, QueuedItem } from './commit-group.js';
import { RecordWrite } from './record-write.js';
import type { StreamHandle, StreamTable } from './stream-handle.js';

/** Makes the error of an item from what failed and why. */
export type ErrorOf = (what: string, cause?: unknown) => TroupeError;

export class EntryQueue {
  readonly #streams: StreamTable;
  readonly #warn: (message: string, cause?: unknown) => void;
  #items: QueuedItem[] = [];
  #entriesWaiting = 0;

  constructor(streams: StreamTable, warn: (message: string, cause?: unknown) => void) {
    this.#streams = streams;
    this.#warn = warn;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Entries neither committed nor failed, those in a commit under way included. */
  get entriesWaiting(): number {
    return this.#entriesWaiting;
  }

  pushEntry(entry: QueuedEntry): void {
    entry.stream.head += entry.eventCount;
    entry.stream.pending += 1;
    this.#entriesWaiting += 1;
    this.#items.push(entry);
  }

  pushRecords(write: RecordWrite): void {
    this.#items.push(write);
  }

  /** Moves items from the front into a group, until it is full. */
  moveInto(group: CommitGroup): void {
    const items = this.#items;
    let taken = 0;
    for (const item of items) {
      if (!group.tryAdd(item)) break;
      taken += 1;
    }
    this.#items = taken === items.length ? [] : items.slice(taken);
  }

  /** Tells each entry of a durable group, in order. */
  tellCommitted(group: CommitGroup): void {
    let position = group.start.position;
    for (const item of group.items) {
      if (item instanceof RecordWrite) {
        item.committed();
        continue;
      }
      const before = position;
      position += item.eventCount;
      try {
        item.committed(item.eventCount > 0 ? before + 1 : before, group.recordedAt);
      } catch (error) {
        this.#callbackThrew(error);
      }
      this.#settle(item);
    }
  }

  /** Fails a group, and everything queued on top of its aggregates; what is queued of others goes on. */
  failGroup(group: CommitGroup, errorOf: ErrorOf, cause: unknown): void {
    const streams = new Set<StreamHandle>();
    for (const item of group.items) if (!(item instanceof RecordWrite)) streams.add(item.stream);
    for (const stream of streams) this.#streams.kill(stream);
    const isOnTop = (item: QueuedItem): boolean => !(item instanceof RecordWrite) && streams.has(item.stream);
    const onTop = this.#items.filter(isOnTop);
    if (onTop.length > 0) this.#items = this.#items.filter((item) => !isOnTop(item));
    for (const item of group.items) this.#fail(item, errorOf(whatFailed(item), cause));
    for (const item of onTop) this.#fail(item, errorOf(`${whatFailed(item)}, for one that it rests on failed`, cause));
  }

  /** Fails what is queued of these aggregates. */
  failOn(keys: ReadonlySet<string>, errorOf: ErrorOf, cause: unknown): void {
    const isTouched = (item: QueuedItem): boolean => !(item instanceof RecordWrite) && keys.has(item.stream.key);
    const touched = this.#items.filter(isTouched);
    if (touched.length === 0) return;
    this.#items = this.#items.filter((item) => !isTouched(item));
    for (const item of touched)
      this.#fail(item, errorOf(`${whatFailed(item)}, for one that it rests on was in doubt`, cause));
  }

  /** Fails everything queued. */
  failAll(errorOf: ErrorOf, cause: unknown): void {
    const items = this.#items;
    this.#items = [];
    for (const item of items) if (!(item instanceof RecordWrite)) this.#streams.kill(item.stream);
    for (const item of items) this.#fail(item, errorOf(whatFailed(item), cause));
  }

  /** Calls back into the runtime; what it throws is a defect of its own. */
  guarded(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#callbackThrew(error);
    }
  }

  #fail(item: QueuedItem, error: TroupeError): void {
    this.guarded(() => {
      item.failed(error);
    });
    if (!(item instanceof RecordWrite)) this.#settle(item);
  }

  #settle(entry: QueuedEntry): void {
    this.#entriesWaiting -= 1;
    this.#streams.settleOne(entry.stream);
  }

  #callbackThrew(error: unknown): void {
    this.#warn('a callback of the journal threw; this is a defect of the runtime', error);
  }
}

function whatFailed(item: QueuedItem): string {
  if (item instanceof RecordWrite) return 'records were not written';
  return `${item.stream.key}: command ${item.commandId} was not written`;
}

/** The error of what is not durable, or not known to be. */
export function notWritten(what: string, cause?: unknown): TroupeError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new TroupeError(
    'TROUPE_JOURNAL_WRITE_FAILED',
    `${what}${why}; it is not acknowledged: retry with the same command id`,
    { cause },
  );
}

/** The error of what was decided on versions that somebody else has moved past. */
export function overtaken(what: string, cause?: unknown): TroupeError {
  return new TroupeError(
    'TROUPE_VERSION_CONFLICT',
    `${what}: somebody else has written to the journal in the meantime; read again and retry`,
    { cause },
  );
}
