/**
 * What crosses between a worker's cells and the one journal: requests one way, answers the other.
 *
 * Both sides gather what one turn produces and post it as one message. Entries travel as the texts that the writer
 * stores; nothing is encoded twice.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { JournalEntry, StoredOutcome, StoredSnapshot } from '../journal/journal.js';
import type { TimerChange } from '../journal/timer-change.js';
import type { WireError } from '../core/wire-error.js';

/** Number under which a stream's handle is known between the two sides. */
export type StreamNumber = number;

export type JournalRequest =
  | readonly [
      kind: 'append',
      seq: number,
      stream: StreamNumber,
      baseVersion: number,
      events: string,
      eventCount: number,
      commandId: string,
      commandHash: number,
      eventIdHashes: readonly number[] | undefined,
      eventlessOutcome: StoredOutcome | undefined,
      snapshot: JournalEntry['snapshot'],
      timers: readonly TimerChange[] | undefined,
    ]
  | readonly [kind: 'load', seq: number, aggregate: string, id: string, snapshotSchemaVersion: number | undefined]
  | readonly [kind: 'read', seq: number, aggregate: string, id: string, after: number, to: number]
  | readonly [kind: 'outcome', seq: number, aggregate: string, id: string, commandId: string]
  | readonly [kind: 'events', seq: number, aggregate: string, id: string, eventIds: readonly string[]]
  | readonly [kind: 'release', stream: StreamNumber];

/** A loaded stream without its handle. */
export interface WireStream {
  readonly stream: StreamNumber;
  readonly version: number;
  readonly snapshot: StoredSnapshot | undefined;
  readonly commandHashes: readonly number[];
}

export type JournalAnswer =
  | readonly [kind: 'committed', seq: number, firstPosition: number, recordedAt: number]
  | readonly [kind: 'failed', seq: number, error: WireError]
  | readonly [kind: 'loaded', seq: number, stream: WireStream]
  | readonly [kind: 'events', seq: number, events: readonly RecordedEvent[]]
  | readonly [kind: 'outcome', seq: number, outcome: StoredOutcome | undefined];

/** Answers of one turn, and how far the journal is. */
export interface JournalAnswers {
  readonly head: number;
  readonly answers: readonly JournalAnswer[];
}
