/**
 * One commit, put together from queued entries: pages of events, index rows, outcomes, snapshots, records.
 *
 * Entries keep their order, and an entry never spans two pages. Event texts are joined as they come, never parsed.
 * A group is built without touching the disk, and can be built again without the aggregates that conflict.
 * Hot path: no closure and no map for each entry (watched by `bench journal`).
 */
import type { JournalEntry, Outcome } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import { RecordWrite } from './record-write.js';
import type { RecordText } from './record-write.js';
import type { PageRow, StreamHandle } from './stream-handle.js';
import { addTimerChange, type TimerChange } from './timer-change.js';

/** An entry whose stream is a handle of this journal, or a write of records. */
export type QueuedItem = QueuedEntry | RecordWrite;

/** An entry that `append` has checked. */
export type QueuedEntry = JournalEntry & { readonly stream: StreamHandle };

/** Consecutive events that share a row. */
export interface PageToWrite {
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** A JSON array of encoded events. */
  readonly body: string;
}

/** An outcome without events. */
export interface OutcomeToWrite {
  readonly stream: StreamHandle;
  readonly seq: number;
  readonly commandHash: number;
  readonly commandId: string;
  readonly fingerprint: number;
  readonly outcome: Outcome;
}

export interface SnapshotToWrite {
  readonly stream: StreamHandle;
  readonly version: number;
  readonly schemaVersion: number;
  readonly state: string;
  readonly keep: number;
}

/** Where a group starts. */
export interface GroupStart {
  /** Position of the last committed event. */
  readonly position: number;
  /** Greatest number given to an aggregate. */
  readonly streams: number;
  readonly recordedAt: number;
}

/** One commit. */
export class CommitGroup {
  readonly start: GroupStart;
  readonly items: QueuedItem[] = [];
  readonly pages: PageToWrite[] = [];
  readonly rows: PageRow[] = [];
  readonly newStreams: StreamHandle[] = [];
  readonly outcomes: OutcomeToWrite[] = [];
  readonly snapshots: SnapshotToWrite[] = [];
  /** By kind and key: of several changes of one record the last one counts. */
  readonly records = new Map<string, RecordText>();
  /** As `addTimerChange` leaves them. */
  readonly timers = new Map<string, TimerChange>();
  position: number;
  chars = 0;

  #pageTexts: string[] = [];
  #pageEvents = 0;
  #pageChars = 0;
  #pageStart = 0;
  #rowsClosed = 0;

  constructor(start: GroupStart) {
    this.start = start;
    this.position = start.position;
  }

  get recordedAt(): number {
    return this.start.recordedAt;
  }

  get eventCount(): number {
    return this.position - this.start.position;
  }

  get streams(): number {
    return this.start.streams + this.newStreams.length;
  }

  /** Whether there is nothing to write: entries without events, outcome and snapshot only wait for their turn. */
  get isEmpty(): boolean {
    return this.eventCount === 0 && this.#extras === 0;
  }

  /** Whether pages are all there is to write. */
  get hasOnlyEvents(): boolean {
    return this.eventCount > 0 && this.newStreams.length === 0 && this.#extras === 0;
  }

  get #extras(): number {
    return this.outcomes.length + this.snapshots.length + this.records.size + this.timers.size;
  }

  /** Adds the next item, unless the group is full; the first one always fits. */
  tryAdd(item: QueuedItem): boolean {
    if (item instanceof RecordWrite) {
      this.items.push(item);
      for (const change of item.changes) this.records.set(`${change.kind}\0${change.key}`, change);
      for (const timer of item.timers) addTimerChange(this.timers, timer);
      return true;
    }
    if (this.items.length > 0 && !this.#hasRoom(item)) return false;
    this.items.push(item);
    if (item.eventCount > 0) this.#addEvents(item);
    if (item.eventlessOutcome !== undefined || item.snapshot !== undefined) this.#addExtras(item);
    if (item.timers !== undefined) for (const timer of item.timers) addTimerChange(this.timers, timer);
    return true;
  }

  /** Closes the last page; nothing can be added then. */
  seal(): this {
    this.#closePage();
    return this;
  }

  #hasRoom(entry: QueuedEntry): boolean {
    if (this.items.length >= JOURNAL_LIMITS.groupItems) return false;
    const chars = entry.events.length + (entry.snapshot?.state.length ?? 0);
    if (this.eventCount + entry.eventCount > JOURNAL_LIMITS.groupEvents) return false;
    if (this.chars + chars > JOURNAL_LIMITS.groupChars) return false;
    return this.pages.length + 1 < JOURNAL_LIMITS.groupPages || this.#fitsPage(entry);
  }

  #fitsPage(entry: QueuedEntry): boolean {
    return (
      this.#pageEvents + entry.eventCount <= JOURNAL_LIMITS.pageEvents &&
      this.#pageChars + entry.events.length <= JOURNAL_LIMITS.pageChars
    );
  }

  #addEvents(entry: QueuedEntry): void {
    if (this.#pageEvents > 0 && !this.#fitsPage(entry)) this.#closePage();
    if (this.#pageEvents === 0) this.#pageStart = this.position + 1;
    const stream = entry.stream;
    this.#number(stream);
    const lastVersion = entry.baseVersion + entry.eventCount;
    const open = stream.openRow;
    if (open === undefined) {
      const row: PageRow = {
        stream,
        firstVersion: entry.baseVersion + 1,
        lastVersion,
        position: this.position + 1,
        hashes: hashesOf(entry),
      };
      stream.openRow = row;
      this.rows.push(row);
    } else {
      open.lastVersion = lastVersion;
      open.hashes += `,${hashesOf(entry)}`;
    }
    this.#pageTexts.push(entry.events);
    this.#pageEvents += entry.eventCount;
    this.#pageChars += entry.events.length;
    this.chars += entry.events.length;
    this.position += entry.eventCount;
  }

  #addExtras(entry: QueuedEntry): void {
    const { stream, eventlessOutcome: stored, snapshot } = entry;
    this.#number(stream);
    if (stored !== undefined) {
      stream.outcomeSeq += 1;
      this.outcomes.push({
        stream,
        seq: stream.outcomeSeq,
        commandHash: entry.commandHash,
        commandId: entry.commandId,
        fingerprint: stored.fingerprint,
        outcome: atPosition(stored.outcome, this.position),
      });
    }
    if (snapshot !== undefined) {
      this.chars += snapshot.state.length;
      this.snapshots.push({ ...snapshot, stream, version: entry.baseVersion + entry.eventCount });
    }
  }

  /** A handle that isn't in the file yet gets its number here, again in each attempt. */
  #number(stream: StreamHandle): void {
    if (stream.stored || this.newStreams[stream.number - this.start.streams - 1] === stream) return;
    this.newStreams.push(stream);
    stream.number = this.streams;
  }

  #closePage(): void {
    if (this.#pageEvents === 0) return;
    // The brackets go into the join, for around its result they would cost a copy of the whole page.
    const texts = this.#pageTexts;
    texts[0] = `[${texts[0] ?? ''}`;
    texts[texts.length - 1] += ']';
    this.pages.push({ firstPosition: this.#pageStart, lastPosition: this.position, body: texts.join(',') });
    this.#pageTexts = [];
    this.#pageEvents = 0;
    this.#pageChars = 0;
    for (; this.#rowsClosed < this.rows.length; this.#rowsClosed += 1) {
      const row = this.rows[this.#rowsClosed];
      if (row !== undefined) row.stream.openRow = undefined;
    }
  }
}

function hashesOf({ commandHash, eventIdHashes }: JournalEntry): string {
  return eventIdHashes === undefined ? String(commandHash) : `${commandHash},${eventIdHashes.join()}`;
}

/** The position that a receipt names is known only here; a repeat gets the same one. */
function atPosition(outcome: Outcome, position: number): Outcome {
  return outcome.kind === 'reply' ? { ...outcome, position } : outcome;
}
