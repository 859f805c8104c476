/**
 * Group commit: one commit under way at a time, the next one gathers meanwhile.
 *
 * When idle, a commit starts as soon as the current microtasks are done, without a timer; when one ends, the next
 * starts before the callbacks of the first are called, so that disk and JavaScript work side by side. Entries
 * commit in the order appended. A failed commit is judged by reading the head again: what landed is committed,
 * what did not fails together with everything queued on top of it, and other aggregates go on. While the head
 * can't be read nothing is written; each later append tries again. Hot path; watched by `bench journal`.
 *
 * @see DeWitt et al., Implementation Techniques for Main Memory Database Systems, 1984 (group commit)
 */
import { strict as assert } from 'node:assert';
import type { Clock } from '../core/clock.js';
import { TroupeError } from '../core/troupe-error.js';
import { CommitGroup } from './commit-group.js';
import type { QueuedEntry, QueuedItem } from './commit-group.js';
import type { CommittedEvents, JournalEntry, JournalMetrics } from './journal.js';
import type { JournalFault, JournalStore, StoreHead } from './journal-store.js';
import { RecordWrite } from './record-write.js';
import { StreamHandle } from './stream-handle.js';
import type { StreamTable } from './stream-handle.js';

export interface GroupCommitOptions {
  readonly store: JournalStore;
  readonly streams: StreamTable;
  readonly head: StoreHead;
  readonly clock: Clock;
  /** Told what must not pass in silence and has nobody to be thrown at. */
  readonly warn: (message: string, cause?: unknown) => void;
  readonly fault?: JournalFault | undefined;
  /** Called when nothing is left to commit. */
  readonly idle?: () => void;
}

export class GroupCommit {
  onCommit: ((events: CommittedEvents) => void) | undefined;
  readonly #options: GroupCommitOptions;
  #head: StoreHead;
  #queue: QueuedItem[] = [];
  #running = false;
  #closed = false;
  /** After a failure, until the head could be read again: the group of which nobody knows whether it landed. */
  #doubt: { readonly group: CommitGroup | undefined } | undefined;
  #commits = 0;
  #failedCommits = 0;
  #bytesWritten = 0;
  #entriesWaiting = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#head = options.head;
  }

  get position(): number {
    return this.#head.position;
  }

  metrics(): JournalMetrics {
    return {
      position: this.#head.position,
      commits: this.#commits,
      entriesWaiting: this.#entriesWaiting,
      failedCommits: this.#failedCommits,
      bytesWritten: this.#bytesWritten,
    };
  }

  append(entry: JournalEntry): void {
    const { stream } = entry;
    assert(stream instanceof StreamHandle, 'the stream of an entry has to come from load() of this journal');
    if (!stream.alive || this.#closed) {
      const why = this.#closed ? 'the journal is closed' : 'an earlier entry failed, or the instance was loaded again';
      const error = notWritten(`${stream.key}: not written, because ${why}`);
      queueMicrotask(() => {
        this.#guarded(() => {
          entry.failed(error);
        });
      });
      return;
    }
    assert.equal(entry.baseVersion, stream.head, `${stream.key}: the entry does not start at the head of its stream`);
    stream.head += entry.eventCount;
    stream.pending += 1;
    this.#entriesWaiting += 1;
    // The stream was checked to be one of this journal's handles.
    this.#enqueue(entry as QueuedEntry);
  }

  /** Queues changes of records; without any, a marker that resolves when everything before it has settled. */
  writeRecords(write: RecordWrite): Promise<void> {
    if (this.#closed) write.failed(notWritten('records not written, because the journal is closed'));
    else this.#enqueue(write);
    return write.settled;
  }

  /** Commits what is queued and takes nothing more. */
  async close(): Promise<void> {
    const flushed = this.writeRecords(new RecordWrite([]));
    this.#closed = true;
    await flushed;
  }

  #enqueue(item: QueuedItem): void {
    this.#queue.push(item);
    if (this.#running) return;
    this.#running = true;
    // A tick queued by a microtask runs when the microtasks are used up, those that they add included.
    queueMicrotask(() => {
      process.nextTick(() => {
        this.#run().catch((error: unknown) => {
          this.#options.warn('the journal writer failed; this is a defect of the runtime', error);
        });
      });
    });
  }

  async #run(): Promise<void> {
    let done: CommitGroup | undefined;
    try {
      for (;;) {
        if (this.#doubt !== undefined && !(await this.#resolveDoubt())) return;
        const group = this.#take();
        const committing = group === undefined ? undefined : this.#commit(group);
        if (done !== undefined) this.#tellCommitted(done);
        if (committing === undefined) {
          if (this.#queue.length === 0) return;
          done = undefined;
        } else done = await committing;
      }
    } finally {
      this.#running = false;
      if (this.#queue.length === 0) this.#options.idle?.();
    }
  }

  /** The next group, taken from the front of the queue. */
  #take(): CommitGroup | undefined {
    if (this.#queue.length === 0) return undefined;
    const group = this.#newGroup();
    let taken = 0;
    for (const item of this.#queue) {
      if (!group.tryAdd(item)) break;
      taken += 1;
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    return group.seal();
  }

  #newGroup(): CommitGroup {
    const { position, streams, recordedAt } = this.#head;
    return new CommitGroup({ position, streams, recordedAt: Math.max(recordedAt, this.#options.clock.now()) });
  }

  /** Commits a group; resolves with what of it was committed, undefined when nothing was. Everything else has failed by then. */
  async #commit(group: CommitGroup): Promise<CommitGroup | undefined> {
    if (group.isEmpty) return group;
    const { store, fault } = this.#options;
    const number = (this.#commits += 1);
    try {
      throwIfAny(fault?.(number, 'before'));
      this.#bytesWritten += await store.commit(group);
      throwIfAny(fault?.(number, 'after'));
    } catch (error) {
      this.#failedCommits += 1;
      return this.#judge(group, error, number);
    }
    return this.#landed(group);
  }

  /** The head moves, and handles that were new have their numbers in the store. */
  #landed(group: CommitGroup): CommitGroup {
    const recordedAt = group.eventCount > 0 ? group.recordedAt : this.#head.recordedAt;
    this.#head = { position: group.position, streams: group.streams, recordedAt };
    for (const stream of group.newStreams) stream.stored = true;
    return group;
  }

  async #judge(group: CommitGroup, error: unknown, number: number): Promise<CommitGroup | undefined> {
    const { store, fault } = this.#options;
    // The commit before this one is told first.
    await Promise.resolve();
    try {
      throwIfAny(fault?.(number, 'head'));
      const head = await store.readHead();
      if (group.eventCount > 0 && head.position === group.position) return this.#landed(group);
      const conflicts = await store.findConflicts(group, error);
      this.#head = { ...head, recordedAt: Math.max(head.recordedAt, this.#head.recordedAt) };
      if (conflicts.length > 0) {
        return await this.#commitWithout(
          group,
          new Map(conflicts.map(({ stream, version }) => [stream, conflictOf(stream, group, version, error)])),
        );
      }
      this.#failGroup(group, error);
    } catch (unreadable) {
      this.#doubt = { group: group.eventCount > 0 ? group : undefined };
      this.#failGroup(group, error);
      this.#failQueue(unreadable);
    }
    return undefined;
  }

  /** The rest of a group in which some aggregates conflict. */
  #commitWithout(group: CommitGroup, conflicts: Map<StreamHandle, TroupeError>): Promise<CommitGroup | undefined> {
    const isOut = (item: QueuedItem): TroupeError | undefined =>
      item instanceof RecordWrite ? undefined : conflicts.get(item.stream);
    this.#failStreams(new Set(conflicts.keys()), group.items, (item) => isOut(item));
    const rest = this.#newGroup();
    const left = group.items.filter((item) => isOut(item) === undefined);
    let taken = 0;
    for (const item of left) {
      if (!rest.tryAdd(item)) break;
      taken += 1;
    }
    this.#queue.unshift(...left.slice(taken));
    return this.#commit(rest.seal());
  }

  #failGroup(group: CommitGroup, cause: unknown): void {
    const streams = new Set<StreamHandle>();
    for (const item of group.items) if (!(item instanceof RecordWrite)) streams.add(item.stream);
    this.#failStreams(streams, group.items, (item) => notWritten(whatFailed(item), cause));
  }

  /** Fails items of a group, and everything queued on top of the streams that have died. */
  #failStreams(
    streams: ReadonlySet<StreamHandle>,
    items: readonly QueuedItem[],
    errorOf: (item: QueuedItem) => TroupeError | undefined,
  ): void {
    for (const stream of streams) this.#options.streams.kill(stream);
    const onTop = this.#queue.filter((item) => !(item instanceof RecordWrite) && streams.has(item.stream));
    if (onTop.length > 0) {
      this.#queue = this.#queue.filter((item) => item instanceof RecordWrite || !streams.has(item.stream));
    }
    for (const item of items) {
      const error = errorOf(item);
      if (error !== undefined) this.#fail(item, error);
    }
    for (const item of onTop) {
      this.#fail(item, errorOf(item) ?? notWritten(`${whatFailed(item)}: decided on top of an entry that failed`));
    }
  }

  #failQueue(cause: unknown): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const item of queue) if (!(item instanceof RecordWrite)) this.#options.streams.kill(item.stream);
    for (const item of queue) this.#fail(item, notWritten(whatFailed(item), cause));
  }

  #fail(item: QueuedItem, error: TroupeError): void {
    this.#guarded(() => {
      item.failed(error);
    });
    if (!(item instanceof RecordWrite)) this.#settle(item);
  }

  /** Reads the head after a failure that left it unknown; false when it still can't be read: everything queued has failed then. */
  async #resolveDoubt(): Promise<boolean> {
    const { store, fault } = this.#options;
    const group = this.#doubt?.group;
    try {
      throwIfAny(fault?.(this.#commits, 'head'));
      const head = await store.readHead();
      this.#doubt = undefined;
      this.#head = { ...head, recordedAt: Math.max(head.recordedAt, this.#head.recordedAt) };
      // Its entries were told that they failed; that its events are there nobody was told.
      if (group !== undefined && head.position === group.position) this.#publish(group);
      return true;
    } catch (error) {
      this.#failQueue(error);
      return false;
    }
  }

  #tellCommitted(group: CommitGroup): void {
    this.#publish(group);
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

  #publish(group: CommitGroup): void {
    if (group.eventCount === 0 || this.onCommit === undefined) return;
    const { onCommit } = this;
    this.#guarded(() => {
      onCommit({
        firstPosition: group.start.position + 1,
        lastPosition: group.position,
        recordedAt: group.recordedAt,
        pages: group.pages.map((page) => page.body),
      });
    });
  }

  #settle(entry: QueuedEntry): void {
    this.#entriesWaiting -= 1;
    this.#options.streams.settleOne(entry.stream);
  }

  #guarded(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#callbackThrew(error);
    }
  }

  #callbackThrew(error: unknown): void {
    this.#options.warn('a callback of the journal threw; this is a defect of the runtime', error);
  }
}

function throwIfAny(error: Error | undefined): void {
  if (error !== undefined) throw error;
}

function whatFailed(item: QueuedItem): string {
  if (item instanceof RecordWrite) return 'records were not written';
  return `${item.stream.key}: command ${item.commandId} was not written`;
}

function notWritten(what: string, cause?: unknown): TroupeError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new TroupeError(
    'TROUPE_JOURNAL_WRITE_FAILED',
    `${what}${why}; it is not acknowledged: retry with the same command id`,
    { cause },
  );
}

function conflictOf(stream: StreamHandle, group: CommitGroup, version: number, cause: unknown): TroupeError {
  const expected = group.rows.find((row) => row.stream === stream)?.firstVersion ?? 1;
  return new TroupeError(
    'TROUPE_VERSION_CONFLICT',
    `${stream.key}: expected version ${expected - 1}, the journal has ${version}; read again and retry`,
    { cause, details: { aggregate: stream.aggregate, id: stream.id, expected: expected - 1, actual: version } },
  );
}
