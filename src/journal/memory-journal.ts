/**
 * The journal in memory: for tests, simulations and programs that need no durability.
 *
 * Order, grouping, failures and what readers get are those of the journal on disk (`group-commit.ts` writes both);
 * only the end of the process ends it too.
 */
import { nanoid } from 'nanoid';
import type { Clock } from '../core/clock.js';
import { systemClock } from '../core/clock.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { StoredPage } from './event-page.js';
import { GroupCommit } from './group-commit.js';
import type {
  CommittedEvents,
  EventFold,
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
import { MemoryStore } from './memory-store.js';
import { RecordWrite } from './record-write.js';
import { StreamHandle, StreamTable } from './stream-handle.js';
import type { StoredTimer, TimerChange, TimerListener, TimerQuery } from './timer-change.js';

export interface MemoryJournalOptions {
  readonly clock?: Clock | undefined;
  /** Outcomes without events kept for each aggregate. Default 1,000. */
  readonly outcomes?: number | undefined;
  readonly identity?: string | undefined;
  readonly warn?: ((message: string, cause?: unknown) => void) | undefined;
  readonly fault?: JournalFault | undefined;
}

export class MemoryJournal implements Journal {
  readonly identity: string;
  readonly #store: MemoryStore;
  readonly #streams = new StreamTable();
  readonly #writer: GroupCommit;

  constructor(options: MemoryJournalOptions = {}) {
    this.identity = options.identity ?? nanoid();
    this.#store = new MemoryStore(options.outcomes ?? JOURNAL_LIMITS.outcomes);
    this.#writer = new GroupCommit({
      store: this.#store,
      streams: this.#streams,
      head: { position: 0, streams: 0, recordedAt: 0 },
      clock: options.clock ?? systemClock,
      warn: options.warn ?? nobody,
      fault: options.fault,
    });
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

  get onTimers(): TimerListener | undefined {
    return this.#writer.onTimers;
  }

  set onTimers(told: TimerListener | undefined) {
    this.#writer.onTimers = told;
  }

  async load(aggregate: string, id: string, snapshotSchemaVersion: number | undefined): Promise<LoadedStream> {
    // While one call waits another one may get through, and has to make room again.
    if (this.#writer.inDoubt) await this.#writer.lookAgain();
    while (this.#streams.find(aggregate, id) !== undefined) await this.#streams.vacate(aggregate, id);
    const { loaded, number, outcomeSeq } = this.#store.load(aggregate, id, snapshotSchemaVersion);
    const stream = new StreamHandle(aggregate, id, { number, version: loaded.version, outcomeSeq });
    this.#streams.add(stream);
    return { ...loaded, stream };
  }

  release(stream: Stream): void {
    if (stream instanceof StreamHandle) this.#streams.kill(stream);
  }

  async readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]> {
    return this.#store.readStream(aggregate, id, after, to);
  }

  async replayStream(aggregate: string, id: string, fold: EventFold, to: number): Promise<void> {
    for (const event of this.#store.readStream(aggregate, id, fold.version, to)) fold.take(event);
  }

  async findOutcome(...question: Parameters<Journal['findOutcome']>): Promise<StoredOutcome | undefined> {
    return this.#store.findOutcome(...question);
  }

  async findEvents(...question: Parameters<Journal['findEvents']>): Promise<readonly RecordedEvent[]> {
    return this.#store.findEvents(...question);
  }

  async read(query: EventQuery): Promise<EventPage> {
    return this.#store.read(query);
  }

  async readPages(after: number): Promise<readonly StoredPage[]> {
    return this.#store.readPages(after);
  }

  append(entry: JournalEntry): void {
    this.#writer.append(entry);
  }

  async writeRecords(changes: readonly RecordChange[], timers?: readonly TimerChange[]): Promise<void> {
    await this.#writer.writeRecords(new RecordWrite(changes, timers));
  }

  async readRecords(kind: string, range?: RecordRange): Promise<readonly StoredRecord[]> {
    return this.#store.readRecords(kind, range);
  }

  async findRecords(kind: string, keys: readonly string[]): Promise<readonly unknown[]> {
    return this.#store.findRecords(kind, keys);
  }

  async readTimers(query: TimerQuery): Promise<readonly StoredTimer[]> {
    return this.#store.timers.read(query);
  }

  metrics(): JournalMetrics {
    return this.#writer.metrics();
  }

  async flushed(): Promise<void> {
    await this.#writer.writeRecords(new RecordWrite([]));
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}

function nobody(): void {
  // Without a listener there is nobody to warn.
}
