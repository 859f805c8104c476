/**
 * What crosses between a worker's cells and the one journal: requests one way, answers the other.
 *
 * Both sides gather what one turn produces and post it as one message. Entries travel as the texts that the writer
 * stores; nothing is encoded twice. What there is much of, entries and their commits, goes column by column: a list for
 * each entry takes longer to copy than what stands in it.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { CellJournal, HashesNear, JournalEntry, StoredOutcome, StoredSnapshot } from '../journal/journal.js';
import type { TimerChange } from '../journal/timer-change.js';
import type { WireError } from '../core/wire-error.js';

/** Number under which a stream's handle is known between the two sides. */
export type StreamNumber = number;

/** Entries, in their order. */
export interface WireEntries {
  /** Number of the first one, in a count of their own; the others follow it. */
  readonly first: number;
  /** `ENTRY_NUMBERS` of each: stream, base version, number of events, hash of the command id. */
  readonly numbers: readonly number[];
  readonly events: readonly string[];
  readonly commandIds: readonly string[];
  readonly extras: readonly WireExtras[];
}

export const ENTRY_NUMBERS = 4;

/** What few entries have, and which of them, counted from 0. */
export type WireExtras = readonly [
  index: number,
  eventIdHashes: readonly number[] | undefined,
  eventlessOutcome: StoredOutcome | undefined,
  snapshot: JournalEntry['snapshot'],
  timers: readonly TimerChange[] | undefined,
];

export type JournalRequest =
  | readonly [kind: 'load', seq: number, aggregate: string, id: string, snapshotSchemaVersion: number | undefined]
  | readonly [kind: 'read', seq: number, aggregate: string, id: string, after: number, to: number]
  | readonly [kind: 'outcome', seq: number, ...question: Parameters<CellJournal['findOutcome']>]
  | readonly [kind: 'events', seq: number, ...question: Parameters<CellJournal['findEvents']>]
  | readonly [kind: 'release', stream: StreamNumber];

/** Requests of one turn. The entries come first: what else is asked for in the same turn doesn't come before them. */
export interface JournalRequests {
  readonly entries: WireEntries | undefined;
  readonly requests: readonly JournalRequest[];
}

/** A loaded stream without its handle. */
export interface WireStream {
  readonly stream: StreamNumber;
  readonly version: number;
  readonly snapshot: StoredSnapshot | undefined;
  readonly commandHashes: readonly HashesNear[];
}

export type JournalAnswer =
  | readonly [kind: 'failed', seq: number, error: WireError]
  | readonly [kind: 'entry-failed', entry: number, error: WireError]
  | readonly [kind: 'loaded', seq: number, stream: WireStream]
  | readonly [kind: 'events', seq: number, events: readonly RecordedEvent[]]
  | readonly [kind: 'outcome', seq: number, outcome: StoredOutcome | undefined];

/** Answers of one turn, and how far the journal is. */
export interface JournalAnswers {
  readonly head: number;
  /** `COMMIT_NUMBERS` of each entry that is durable: its number, its first position, when it was recorded. */
  readonly committed: readonly number[];
  readonly answers: readonly JournalAnswer[];
}

export const COMMIT_NUMBERS = 3;
