/**
 * What the group commit needs from the place where commits are kept.
 *
 * A store writes one group at a time, all of it or nothing; the order, the grouping and the consequences of
 * failures are the group commit's (`group-commit.ts`), the same for every store.
 */
import type { CommitGroup } from './commit-group.js';

/** Where the store's content ends. */
export interface StoreHead {
  /** Position of the last event. */
  readonly position: number;
  /** Greatest number of an aggregate. */
  readonly streams: number;
  /** Time of the last commit with events; 0 without any. */
  readonly recordedAt: number;
}

export interface JournalStore {
  /** Resolves with the bytes written when the group is durable; rejects when nothing of it is, or when that is not known. */
  commit(group: CommitGroup): Promise<number>;
  /** The group is in the store: called once for each one that is, in order, before the next commit. */
  landed(group: CommitGroup): void;
  /** The truth after a commit that failed. */
  readHead(): Promise<StoreHead>;
  /** Whether the events of a group are in the store. */
  holds(group: CommitGroup): Promise<boolean>;
  /** Somebody else has written here: whatever the store remembers is read anew. */
  reload(): Promise<void>;
}

/** Lets a test or a simulation make a commit fail: before it is written, after it is written, or while reading the head. */
export type JournalFault = (commit: number, moment: 'before' | 'after' | 'head') => Error | undefined;
