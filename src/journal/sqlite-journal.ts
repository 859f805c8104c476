/**
 * The journal in one SQLite file: one connection commits, one reads, one checkpoints.
 *
 * In a WAL database readers never hold up the writer, so recovery and catch-up run beside commits. The parts:
 * `group-commit.ts` decides what goes into a commit, `sqlite-store.ts` writes it, `sqlite-recovery.ts` reads single
 * aggregates, `sqlite-reading.ts` reads in order of position, `journal-lock.ts` keeps other writers out.
 */
import type { Clock } from '../core/clock.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { Checkpointer } from './checkpointer.js';
import type { StoredPage } from './event-page.js';
import { GroupCommit } from './group-commit.js';
import type {
  CommittedEvents,
  EventPage,
  EventQuery,
  Journal,
  JournalEntry,
  JournalMetrics,
  LoadedStream,
  RecordChange,
  RecordRange,
  StoredOutcome,
  StoredRecord,
  Stream,
} from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { JournalFault } from './journal-store.js';
import { RecordWrite } from './record-write.js';
import type { SqliteConnection } from './sqlite-connection.js';
import { findRecords, readEvents, readIdentity, readRecords } from './sqlite-reading.js';
import { pagesFrom } from './sqlite-pages.js';
import { SqliteRecovery } from './sqlite-recovery.js';
import { SqliteRepeats } from './sqlite-repeats.js';
import { SqliteSnapshots } from './sqlite-snapshots.js';
import { SqliteStore } from './sqlite-store.js';
import { SqliteStreams } from './sqlite-streams.js';
import { readTimers } from './sqlite-timers.js';
import { StreamHandle, StreamTable } from './stream-handle.js';
import type { StoredTimer, TimerChange, TimerListener, TimerQuery } from './timer-change.js';

export interface SqliteJournalParts {
  /** Commits; nobody else writes to the file. */
  readonly writing: SqliteConnection;
  readonly reading: SqliteConnection;
  readonly checkpointing: SqliteConnection;
  /** Gives the lock back. */
  readonly unlock: () => Promise<void>;
  readonly clock: Clock;
  readonly outcomes: number;
  readonly warn: (message: string, cause?: unknown) => void;
  readonly fault: JournalFault | undefined;
}

export class SqliteJournal implements Journal {
  readonly identity: string;
  readonly #parts: SqliteJournalParts;
  readonly #streams = new StreamTable();
  readonly #writer: GroupCommit;
  readonly #recovery: SqliteRecovery;
  readonly #repeats: SqliteRepeats;
  readonly #checkpointer: Checkpointer;
  #closing: Promise<void> | undefined;

  private constructor(
    parts: SqliteJournalParts,
    identity: string,
    store: SqliteStore,
    writer: (journal: SqliteJournal) => GroupCommit,
  ) {
    this.identity = identity;
    this.#parts = parts;
    this.#writer = writer(this);
    const streams = new SqliteStreams(parts.reading, () => store.tail);
    this.#recovery = new SqliteRecovery(parts.reading, streams, new SqliteSnapshots(parts.reading, parts.warn));
    this.#repeats = new SqliteRepeats(streams);
    this.#checkpointer = new Checkpointer({
      connection: parts.checkpointing,
      clock: parts.clock,
      warn: parts.warn,
      between: (task) => this.#writer.between(task),
      inQuiet: () => this.#mergeIndex(store),
    });
  }

  /** The connections are the journal's from here on; the schema has to be there. */
  static async open(parts: SqliteJournalParts): Promise<SqliteJournal> {
    const identity = await readIdentity(parts.writing);
    const store = await SqliteStore.open(parts.writing, parts.outcomes);
    const head = await store.readHead();
    return new SqliteJournal(
      parts,
      identity,
      store,
      (journal) =>
        new GroupCommit({
          store,
          streams: journal.#streams,
          head,
          clock: parts.clock,
          warn: parts.warn,
          fault: parts.fault,
          busy: () => {
            journal.#checkpointer.busy();
          },
          committed: (chars) => {
            journal.#checkpointer.committed(chars);
          },
          idle: () => {
            journal.#checkpointer.quiet();
          },
        }),
    );
  }

  get head(): number {
    return this.#writer.position;
  }

  get onCommit(): ((events: CommittedEvents) => void) | undefined {
    return this.#writer.onCommit;
  }

  set onCommit(told: ((events: CommittedEvents) => void) | undefined) {
    this.#writer.onCommit = told;
  }

  /** Slice by slice, so that no commit has to wait for more than one. */
  async #mergeIndex(store: SqliteStore): Promise<void> {
    for (let goesOn = true; goesOn; ) {
      await this.#writer.between(async () => {
        goesOn = await store.mergeSlice();
      });
    }
  }

  get onTimers(): TimerListener | undefined {
    return this.#writer.onTimers;
  }

  set onTimers(told: TimerListener | undefined) {
    this.#writer.onTimers = told;
  }

  async load(aggregate: string, id: string, snapshotSchemaVersion: number | undefined): Promise<LoadedStream> {
    for (;;) {
      await this.#streams.vacate(aggregate, id);
      if (this.#writer.inDoubt) await this.#writer.lookAgain();
      const { epoch } = this.#streams;
      const { number, outcomeSeq, ...stands } = await this.#recovery.load(aggregate, id, snapshotSchemaVersion);
      // Another call may have been faster; what its handle has appended since is not in this answer.
      if (this.#streams.find(aggregate, id) !== undefined || this.#streams.epoch !== epoch) continue;
      const stream = new StreamHandle(aggregate, id, { number, version: stands.version, outcomeSeq });
      this.#streams.add(stream);
      return { ...stands, stream };
    }
  }

  release(stream: Stream): void {
    if (stream instanceof StreamHandle) this.#streams.kill(stream);
  }

  readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]> {
    return this.#recovery.readStream(aggregate, id, after, Math.min(to, Number.MAX_SAFE_INTEGER));
  }

  replayStream(...question: Parameters<Journal['replayStream']>): Promise<void> {
    return this.#recovery.replayStream(...question);
  }

  findOutcome(...question: Parameters<Journal['findOutcome']>): Promise<StoredOutcome | undefined> {
    return this.#repeats.findOutcome(...question);
  }

  findEvents(...question: Parameters<Journal['findEvents']>): Promise<readonly RecordedEvent[]> {
    return this.#repeats.findEvents(...question);
  }

  read(query: EventQuery): Promise<EventPage> {
    return readEvents(this.#parts.reading, query);
  }

  async readPages(after: number): Promise<readonly StoredPage[]> {
    return after >= this.head ? [] : pagesFrom(this.#parts.reading, after + 1, JOURNAL_LIMITS.readPages);
  }

  append(entry: JournalEntry): void {
    this.#writer.append(entry);
  }

  async writeRecords(changes: readonly RecordChange[], timers?: readonly TimerChange[]): Promise<void> {
    await this.#writer.writeRecords(new RecordWrite(changes, timers));
  }

  readRecords(kind: string, range?: RecordRange): Promise<readonly StoredRecord[]> {
    return readRecords(this.#parts.reading, kind, range);
  }

  findRecords(kind: string, keys: readonly string[]): Promise<readonly unknown[]> {
    return findRecords(this.#parts.reading, kind, keys);
  }

  readTimers(query: TimerQuery): Promise<readonly StoredTimer[]> {
    return readTimers(this.#parts.reading, query);
  }

  metrics(): JournalMetrics {
    return this.#writer.metrics();
  }

  async flushed(): Promise<void> {
    await this.#writer.writeRecords(new RecordWrite([]));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { writing, reading, unlock } = this.#parts;
    await this.#writer.close();
    try {
      // The one that writes comes last: the last connection to close takes the write-ahead log with it.
      await reading.close();
      await this.#checkpointer.close();
      await writing.close();
    } finally {
      await unlock();
    }
  }
}
