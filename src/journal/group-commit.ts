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
import { CommitGroup } from './commit-group.js';
import type { QueuedEntry } from './commit-group.js';
import { EntryQueue, notWritten, overtaken } from './entry-queue.js';
import type { CommittedEvents, JournalEntry, JournalMetrics } from './journal.js';
import type { JournalFault, JournalStore, StoreHead } from './journal-store.js';
import { RecordWrite } from './record-write.js';
import { StreamHandle } from './stream-handle.js';
import type { StreamTable } from './stream-handle.js';
import type { TimerListener } from './timer-change.js';

export interface GroupCommitOptions {
  readonly store: JournalStore;
  readonly streams: StreamTable;
  readonly head: StoreHead;
  readonly clock: Clock;
  /** Told what must not pass in silence and has nobody to be thrown at. */
  readonly warn: (message: string, cause?: unknown) => void;
  readonly fault?: JournalFault | undefined;
  /** Called when commits begin after a pause. */
  readonly busy?: () => void;
  /** Called for each commit with its characters. */
  readonly committed?: (chars: number) => void;
  /** Called when nothing is left to commit. */
  readonly idle?: () => void;
}

export class GroupCommit {
  onCommit: ((events: CommittedEvents) => void) | undefined;
  onTimers: TimerListener | undefined;
  readonly #options: GroupCommitOptions;
  #head: StoreHead;
  readonly #queue: EntryQueue;
  /** What has to run while no commit is under way. */
  #between: (() => Promise<void>)[] = [];
  #running = false;
  #closed = false;
  /** After a failure, until the head could be read again: the group of which nobody knows whether it landed. */
  #doubt: CommitGroup | undefined;
  #commits = 0;
  #failedCommits = 0;
  #bytesWritten = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#head = options.head;
    this.#queue = new EntryQueue(options.streams, options.warn);
  }

  get position(): number {
    return this.#head.position;
  }

  metrics(): JournalMetrics {
    return {
      position: this.#head.position,
      commits: this.#commits,
      entriesWaiting: this.#queue.entriesWaiting,
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
        this.#queue.guarded(() => {
          entry.failed(error);
        });
      });
      return;
    }
    assert.equal(entry.baseVersion, stream.head, `${stream.key}: the entry does not start at the head of its stream`);
    // Its stream was checked just now.
    this.#queue.pushEntry(entry as QueuedEntry);
    this.#wake();
  }

  /** Queues changes of records; without any, a marker that resolves when everything before it has settled. */
  writeRecords(write: RecordWrite): Promise<void> {
    if (this.#closed) write.failed(notWritten('records not written, because the journal is closed'));
    else this.#queue.pushRecords(write);
    this.#wake();
    return write.settled;
  }

  /** Runs a task of the store's while no commit is under way. */
  between(task: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#between.push(() => task().then(resolve, reject));
      this.#wake();
    });
  }

  /** Whether nobody knows what became of the last commit, because the head could not be read. */
  get inDoubt(): boolean {
    return this.#doubt !== undefined;
  }

  /** Resolves when that was looked at again. */
  lookAgain(): Promise<void> {
    return this.between(() => Promise.resolve());
  }

  /** Commits what is queued and takes nothing more. */
  async close(): Promise<void> {
    const flushed = this.writeRecords(new RecordWrite([]));
    this.#closed = true;
    await flushed;
  }

  #wake(): void {
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

  get #isIdle(): boolean {
    return this.#queue.isEmpty && this.#between.length === 0;
  }

  async #run(): Promise<void> {
    const commitsBefore = this.#commits;
    if (!this.#queue.isEmpty) this.#options.busy?.();
    let done: CommitGroup | undefined;
    try {
      for (;;) {
        if (this.#doubt !== undefined && !(await this.#resolveDoubt(this.#doubt))) return;
        const task = this.#between.shift();
        const group = task === undefined ? this.#take() : undefined;
        const committing = group === undefined ? undefined : this.#commit(group);
        if (done !== undefined) this.#tell(done);
        done = await committing;
        await task?.();
        if (group === undefined && this.#isIdle) return;
      }
    } finally {
      this.#running = false;
      // A callback may have appended while everything before it failed.
      if (!this.#isIdle) this.#wake();
      else if (this.#commits > commitsBefore) this.#options.idle?.();
    }
  }

  /** The next group, taken from the front of the queue. */
  #take(): CommitGroup | undefined {
    if (this.#queue.isEmpty) return undefined;
    const { position, streams, recordedAt } = this.#head;
    const now = Math.max(recordedAt, this.#options.clock.now());
    const group = new CommitGroup({ position, streams, recordedAt: now });
    this.#queue.moveInto(group);
    return group.seal();
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
    this.#options.store.landed(group);
    this.#options.committed?.(group.chars);
    return group;
  }

  async #judge(group: CommitGroup, error: unknown, number: number): Promise<CommitGroup | undefined> {
    // The commit before this one is told first.
    await Promise.resolve();
    // Records and timers of a commit without events may be there although nobody can tell.
    if (group.timers.size > 0) this.#queue.guarded(() => this.onTimers?.(undefined));
    let verdict: Verdict;
    try {
      verdict = await this.#verdictOn(group, number);
    } catch (unreadable) {
      this.#doubt = group;
      this.#queue.failGroup(group, notWritten, error);
      this.#queue.failAll(notWritten, unreadable);
      return undefined;
    }
    if (verdict === 'landed') return this.#landed(group);
    if (verdict === 'absent') {
      this.#queue.failGroup(group, notWritten, error);
      return undefined;
    }
    await this.#reload(group, error);
    this.#queue.failGroup(group, overtaken, error);
    this.#queue.failAll(overtaken, error);
    return undefined;
  }

  async #verdictOn(group: CommitGroup, number: number): Promise<Verdict> {
    const { store, fault } = this.#options;
    throwIfAny(fault?.(number, 'head'));
    const head = await store.readHead();
    const landed = group.eventCount > 0 && (await store.holds(group));
    this.#head = { ...head, recordedAt: Math.max(head.recordedAt, this.#head.recordedAt) };
    if (landed) return 'landed';
    return head.position === group.start.position ? 'absent' : 'overtaken';
  }

  /** Somebody has written past the lock. Every version counted here may be wrong, so all instances have to load again. */
  async #reload(group: CommitGroup, cause: unknown): Promise<void> {
    this.#options.warn('the journal was written by somebody else while it was open; all instances load again', cause);
    this.#options.streams.killAll();
    try {
      await this.#options.store.reload();
    } catch {
      this.#doubt = group;
    }
    // Who loaded meanwhile may have read what was remembered before.
    this.#options.streams.killAll();
  }

  /** Tries to read the head after a failure that left it unknown; false when that fails too, and with it everything queued. */
  async #resolveDoubt(group: CommitGroup): Promise<boolean> {
    let verdict: Verdict;
    try {
      verdict = await this.#verdictOn(group, this.#commits);
    } catch (error) {
      this.#queue.failAll(notWritten, error);
      // These fail by themselves, if they do.
      for (const task of this.#between.splice(0)) await task();
      return false;
    }
    this.#doubt = undefined;
    if (verdict === 'landed') this.#landedAfterAll(group);
    else if (verdict === 'overtaken') {
      await this.#reload(group, undefined);
      this.#queue.failAll(overtaken, undefined);
    }
    return this.#doubt === undefined;
  }

  /**
   * Its entries were told that they failed; that its events are there nobody was told. Who has loaded one of its
   * aggregates meanwhile may not know of them either, and what was decided on that is void.
   */
  #landedAfterAll(group: CommitGroup): void {
    const touched = new Set<string>();
    for (const item of group.items) if (!(item instanceof RecordWrite)) touched.add(item.stream.key);
    this.#publish(this.#landed(group));
    this.#options.streams.killSome(touched);
    this.#queue.failOn(touched, notWritten, undefined);
  }

  #tell(group: CommitGroup): void {
    this.#publish(group);
    this.#queue.tellCommitted(group);
  }

  #publish(group: CommitGroup): void {
    if (group.timers.size > 0) this.#queue.guarded(() => this.onTimers?.([...group.timers.values()]));
    if (group.eventCount === 0 || this.onCommit === undefined) return;
    const { onCommit } = this;
    this.#queue.guarded(() => {
      onCommit({
        firstPosition: group.start.position + 1,
        lastPosition: group.position,
        recordedAt: group.recordedAt,
        pages: group.pages,
      });
    });
  }
}

function throwIfAny(error: Error | undefined): void {
  if (error !== undefined) throw error;
}

/** What became of a group whose commit failed. */
type Verdict = 'landed' | 'absent' | 'overtaken';
