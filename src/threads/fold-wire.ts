/**
 * What crosses between the folds of a worker and the main thread, which reads the journal and writes the rows.
 *
 * All of it is texts and numbers: pages one way as the journal holds them, batches the other way as the table takes
 * them. Folds have numbers, each life of one a new one, so that what a dead worker had said can't reach a successor.
 */
import type { WireError } from '../core/wire-error.js';
import type { StoredPage } from '../journal/event-page.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { EncodedBatch } from '../projections/view-table.js';

/** Begins the fold of one table. */
export interface BeginFold {
  readonly fold: number;
  /** Name of the projection. */
  readonly name: string;
  readonly position: number;
  /** An event that has ended two workers. */
  readonly poisoned: { readonly position: number; readonly error: WireError } | undefined;
  readonly head: number;
}

/** Pages behind a position, and how far the journal is. */
export interface PagesAnswer {
  readonly head: number;
  readonly pages: readonly StoredPage[];
}

export interface FetchRows {
  readonly fold: number;
  readonly keys: string;
}

export interface WriteRows {
  readonly fold: number;
  readonly batch: EncodedBatch;
}

/** A statement of the user's that failed; other failures of a write are failures of the call. */
export interface FailedStatement {
  readonly position: number;
  readonly error: WireError;
}

export interface FoldMoved {
  readonly fold: number;
  readonly position: number;
  /** Whether any row may have changed. */
  readonly any: boolean;
}

export interface FoldSkipped {
  readonly fold: number;
  readonly events: number;
}

export interface FoldTroubled {
  readonly fold: number;
  readonly error: WireError | undefined;
}

export interface FoldStopped {
  readonly fold: number;
  readonly position: number;
  readonly error: WireError;
}

export interface ParkEvent {
  readonly fold: number;
  readonly event: RecordedEvent;
  readonly error: WireError;
}

/** What the head means to a fold: it may be a build that wants to take the live table's place, or it is live. */
export type HeadAnswer = 'live' | 'building';
