/**
 * The journal: the durable log of all events, and the seam between the runtime and the disk.
 *
 * One writer; entries are committed in groups, in the order appended, all of a group or nothing. Positions are
 * gapless from 1 and given in the commit, versions are gapless from 1 within an aggregate. Two implementations,
 * `sqlite-journal.ts` and `memory-journal.ts`, pass one contract test. Cells append and are told through
 * callbacks (no promise for each command); whoever reads gets pages.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { StoredPage } from './event-page.js';
import type { StoredTimer, TimerChange, TimerListener, TimerQuery } from './timer-change.js';

/**
 * The journal's handle of one aggregate. Got by `load`, passed with each append, owned by the journal.
 *
 * After a failed append the handle is dead (`alive` is false): whatever was decided on top of it fails too, and
 * the instance has to load again.
 */
export interface Stream {
  readonly aggregate: string;
  readonly id: string;
  /** Version of the last event appended, committed or not; entries have to start right behind it. */
  readonly head: number;
  readonly alive: boolean;
}

/** The newest usable snapshot of an aggregate. */
export interface StoredSnapshot {
  /** Version of the last event that the state rests on. */
  readonly version: number;
  /** JSON text. */
  readonly state: string;
}

/**
 * Hashes of ids that an aggregate knows: `hashText` of the id of each command with a stored outcome, and of each event id
 * that was given. A hit has to be confirmed by `findOutcome` or `findEvents`.
 *
 * `near` tells these where to look: a version in the row of the index that the hash stands in, or `WITHOUT_EVENTS`. The
 * hashes are a text, because few instances are ever asked: integers, parted by commas and semicolons.
 */
export type HashesNear = readonly [near: number, hashes: string];

/** Instead of a version: the outcomes of commands without events. */
export const WITHOUT_EVENTS = 0;

/** What an instance needs to come to life; its events follow by `readStream`. */
export interface LoadedStream {
  readonly stream: Stream;
  /** Version of the last committed event; 0 when the aggregate has none. */
  readonly version: number;
  readonly snapshot: StoredSnapshot | undefined;
  readonly commandHashes: readonly HashesNear[];
}

/** The first outcome of a command, kept for repeats. */
export type Outcome =
  | { readonly kind: 'reply'; readonly reply: unknown; readonly version: number; readonly position: number }
  | { readonly kind: 'rejection'; readonly reason: string; readonly message: string; readonly details: unknown };

/** An outcome together with the fingerprint of the command that it answers. */
export interface StoredOutcome {
  readonly fingerprint: number;
  readonly outcome: Outcome;
}

/** What makes a state of the events of one aggregate, one by one. */
export interface EventFold {
  /** Version of the last event taken. */
  readonly version: number;
  /** The next event, decoded by `decodeForReplay`: it belongs to the fold alone. What this throws ends the replay. */
  take(event: RecordedEvent): void;
}

/** What one command, or one `append`, adds to the journal. */
export interface JournalEntry {
  readonly stream: Stream;
  /** Version before the first event of this entry. */
  readonly baseVersion: number;
  /** Events as JSON arrays, in the layout of `event-codec.ts`, joined by commas; empty without events. */
  readonly events: string;
  readonly eventCount: number;
  readonly commandId: string;
  /** `hashText(commandId)`, stored for the deduplication of repeats. */
  readonly commandHash: number;
  /** `hashText` of each event id that its sender gave, stored so that `findEvents` finds them. */
  readonly eventIdHashes?: readonly number[] | undefined;
  /** Outcome of a command without events that is to be remembered: the window of `limits.outcomes` per aggregate. */
  readonly eventlessOutcome: StoredOutcome | undefined;
  /** Snapshot of the state after this entry, by the policy of the definition. */
  readonly snapshot: { readonly state: string; readonly schemaVersion: number; readonly keep: number } | undefined;
  /** Timers that are set or cleared with the events, or not at all. */
  readonly timers?: readonly TimerChange[] | undefined;
  /**
   * Called once, in commit order, when the entry is durable. `firstPosition` belongs to its first event; for an
   * entry without events it is the position of the last event committed before it.
   */
  committed(firstPosition: number, recordedAt: number): void;
  /** Called once when the entry is not durable: TROUPE_JOURNAL_WRITE_FAILED or TROUPE_VERSION_CONFLICT. */
  failed(error: TroupeError): void;
}

/** A small durable record of the runtime itself: checkpoints, dead letters, parked keys. */
export interface RecordChange {
  readonly kind: string;
  readonly key: string;
  /** A JSON value; undefined deletes the record. */
  readonly value: unknown;
}

/** A record of the runtime as it is kept. */
export interface StoredRecord {
  readonly key: string;
  readonly value: unknown;
}

/** A part of the records of one kind, by key. */
export interface RecordRange {
  /** Only keys behind this one. */
  readonly after?: string;
  /** Only keys before this one. */
  readonly before?: string;
  /** Upper bound of the number of records in the answer. */
  readonly limit?: number;
}

/** What `read` selects. All conditions have to hold. */
export interface EventQuery {
  /** Only events with a greater position. */
  readonly after: number;
  /** Upper bound of the number of events in the answer. */
  readonly limit: number;
  readonly types?: readonly string[] | undefined;
  readonly aggregate?: string | undefined;
  readonly id?: string | undefined;
}

/** One page of events, and how far the journal has been searched for them. */
export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Every matching event up to this position is in this page or an earlier one. */
  readonly searchedTo: number;
}

/** Consecutive events of a commit. */
export interface CommittedPage {
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** A JSON array of encoded events, in the layout of `event-codec.ts`. */
  readonly body: string;
}

/** Events of one commit, told to the event hub in order of position. */
export interface CommittedEvents {
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly recordedAt: number;
  readonly pages: readonly CommittedPage[];
}

/** Numbers for `metrics()`. */
export interface JournalMetrics {
  readonly position: number;
  readonly commits: number;
  readonly entriesWaiting: number;
  readonly failedCommits: number;
  readonly bytesWritten: number;
}

export interface Journal {
  /** Random, made once with the journal; read models carry it to know that they belong to it. */
  readonly identity: string;
  /** Position of the last committed event. */
  readonly head: number;

  /**
   * Where an aggregate stands, once everything appended by an earlier handle of it has settled; that handle is dead
   * from now on. Calls of one tick are answered by one query.
   */
  load(aggregate: string, id: string, snapshotSchemaVersion: number | undefined): Promise<LoadedStream>;
  /** The instance is gone: its handle appends no more and is forgotten once its entries are through. */
  release(stream: Stream): void;
  /**
   * Committed events of one aggregate with `after < version <= to`, in order of version; a page, at least one if there are any.
   * Decoded by `decodeForReplay`: the events belong to the caller alone.
   */
  readStream(aggregate: string, id: string, after: number, to: number): Promise<readonly RecordedEvent[]>;
  /**
   * Hands a fold the committed events behind its version, up to `to`, in order of version: some of them, at least one if
   * there are any. Nothing but what the fold makes of them is kept.
   *
   * @throws what the fold throws
   */
  replayStream(aggregate: string, id: string, fold: EventFold, to: number): Promise<void>;
  /**
   * The first outcome of a command, from its events or from the window of eventless outcomes.
   *
   * @param near where its hash stands: as `load` has told, or versions of entries that were committed since
   */
  findOutcome(
    aggregate: string,
    id: string,
    commandId: string,
    near: readonly number[],
  ): Promise<StoredOutcome | undefined>;
  /**
   * Those committed events of one aggregate that were given one of these ids; decoded as by `readStream`.
   *
   * @param near where their hashes stand, all of them
   */
  findEvents(
    aggregate: string,
    id: string,
    eventIds: readonly string[],
    near: readonly number[],
  ): Promise<readonly RecordedEvent[]>;
  /** Committed events in order of position. */
  read(query: EventQuery): Promise<EventPage>;
  /** Pages as they are stored, from the one that holds the event behind `after` on; empty at the head. For other threads, which parse them. */
  readPages(after: number): Promise<readonly StoredPage[]>;

  /** Adds an entry to the next commit. The answer comes through the entry's callbacks, never within this call. */
  append(entry: JournalEntry): void;
  /** Called for each commit with events, in order, right before the `committed` callbacks of its entries. */
  onCommit: ((events: CommittedEvents) => void) | undefined;

  /** Writes records and timers, all or none, with the next commit; resolves when they are durable. */
  writeRecords(changes: readonly RecordChange[], timers?: readonly TimerChange[]): Promise<void>;
  /** The records of one kind, in order of key: all of them, or those of a range. */
  readRecords(kind: string, range?: RecordRange): Promise<readonly StoredRecord[]>;
  /** The values of these records, in the order of the keys; undefined where there is none. */
  findRecords(kind: string, keys: readonly string[]): Promise<readonly unknown[]>;

  /** Timers in order of the time at which they wake. */
  readTimers(query: TimerQuery): Promise<readonly StoredTimer[]>;
  /** Called for each commit with timers, in order, before anybody hears of what was committed with them. */
  onTimers: TimerListener | undefined;

  metrics(): JournalMetrics;
  /** Resolves when everything appended so far is committed or has failed. */
  flushed(): Promise<void>;
  /** Commits what was appended, checkpoints, closes; a second call waits for the first. */
  close(): Promise<void>;
}

/** The journal as cells need it; on a worker, the far end of a port. */
export type CellJournal = Pick<
  Journal,
  'head' | 'load' | 'release' | 'readStream' | 'replayStream' | 'findOutcome' | 'findEvents' | 'append'
>;
