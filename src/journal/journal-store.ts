/**
 * What the group commit needs from the place where commits are kept.
 *
 * A store writes one group at a time, all of it or nothing; the order, the grouping and the consequences of
 * failures are the group commit's (`group-commit.ts`), the same for every store.
 */
import type { CommitGroup } from './commit-group.js';
import type { StreamHandle } from './stream-handle.js';

/** Where the store's content ends. */
export interface StoreHead {
  /** Position of the last event. */
  readonly position: number;
  /** Greatest number of an aggregate. */
  readonly streams: number;
  /** Time of the last commit with events; 0 without any. */
  readonly recordedAt: number;
}

/** An aggregate that isn't where the group says. */
export interface StreamConflict {
  readonly stream: StreamHandle;
  /** Version of its last event in the store. */
  readonly version: number;
}

export interface JournalStore {
  /** Resolves with the bytes written when the group is durable; rejects when nothing of it is, or when that is not known. */
  commit(group: CommitGroup): Promise<number>;
  /** The truth after a commit that failed. */
  readHead(): Promise<StoreHead>;
  /** Which aggregates made a commit fail, if the error was one of uniqueness. */
  findConflicts(group: CommitGroup, error: unknown): Promise<readonly StreamConflict[]>;
}

/** Lets a test or a simulation make a commit fail: before it is written, after it is written, or while reading the head. */
export type JournalFault = (commit: number, moment: 'before' | 'after' | 'head') => Error | undefined;
