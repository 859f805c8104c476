/**
 * The writing side of the journal's file: commits, the truth after a failed one, and the index behind the events.
 *
 * The index rows of a commit gather in the tail (`index-tail.ts`) and go into the file with a later commit, or in
 * the quiet. Position is the key of the pages, so a second writer that slipped past the lock can't interleave:
 * its commit, or ours, breaks that key and fails whole.
 */
import { showThrown } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { pageChecksum } from './checksums.js';
import { CommitGroup } from './commit-group.js';
import { FileGuard } from './file-guard.js';
import { readIndexTail } from './index-rebuild.js';
import type { MergeSlice } from './index-merge.js';
import type { IndexTail } from './index-tail.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import type { JournalStore, StoreHead } from './journal-store.js';
import { commitStatement, PREPARE_COMMITS } from './sqlite-commit.js';
import type { SqliteConnection } from './sqlite-connection.js';

const READ_HEAD = `
SELECT
  coalesce((SELECT last_position FROM event_page ORDER BY first_position DESC LIMIT 1), 0) AS position,
  coalesce((SELECT recorded_at FROM event_page ORDER BY first_position DESC LIMIT 1), 0) AS recordedAt,
  coalesce((SELECT max(stream) FROM stream), 0) AS streams`;

const READ_CHECKSUM = 'SELECT checksum FROM event_page WHERE first_position = ?';

export class SqliteStore implements JournalStore {
  readonly #connection: SqliteConnection;
  readonly #outcomesKept: number;
  readonly #guard: FileGuard;
  #tail: IndexTail;
  /** Why the tail is not that of the file any more. */
  #outdated: TroupeError | undefined;
  /** The group that takes the gathered index rows along. */
  #carrier: CommitGroup | undefined;

  private constructor(connection: SqliteConnection, outcomesKept: number, tail: IndexTail) {
    this.#connection = connection;
    this.#guard = new FileGuard(connection.path);
    this.#outcomesKept = outcomesKept;
    this.#tail = tail;
  }

  /** On a connection that may write; the tail of the index is made from the events behind the file's index. */
  static async open(connection: SqliteConnection, outcomesKept: number): Promise<SqliteStore> {
    await connection.exec(PREPARE_COMMITS);
    return new SqliteStore(connection, outcomesKept, await readIndexTail(connection));
  }

  /** @throws what kept it from being read anew after somebody else had written */
  get tail(): IndexTail {
    if (this.#outdated !== undefined) throw this.#outdated;
    return this.#tail;
  }

  async commit(group: CommitGroup): Promise<number> {
    const merge = this.#dueSlice(group);
    this.#carrier = merge === undefined ? undefined : group;
    const writing = this.#write(group, merge);
    let gone: TroupeError | undefined;
    try {
      // The statement is on its way: the look takes its time while the disk works.
      gone = this.#guard.look();
    } finally {
      await writing;
    }
    if (gone !== undefined) throw gone;
    return group.chars;
  }

  landed(group: CommitGroup): void {
    if (this.#carrier === group) this.#tail.sliceLanded();
    this.#carrier = undefined;
    if (group.rows.length > 0) this.#tail.add(group.rows, group.position);
  }

  async readHead(): Promise<StoreHead> {
    const gone = this.#guard.look();
    if (gone !== undefined) throw gone;
    const head = await this.#connection.get<StoreHead>(READ_HEAD);
    return head ?? { position: 0, streams: 0, recordedAt: 0 };
  }

  async holds(group: CommitGroup): Promise<boolean> {
    const last = group.pages.at(-1);
    if (last === undefined) return false;
    const row = await this.#connection.get<{ checksum: number }>(READ_CHECKSUM, last.firstPosition);
    return row?.checksum === pageChecksum(last.firstPosition, last.lastPosition, group.recordedAt, last.body);
  }

  async reload(): Promise<void> {
    try {
      this.#tail = await readIndexTail(this.#connection);
      this.#outdated = undefined;
    } catch (error) {
      this.#outdated = new TroupeError(
        'TROUPE_JOURNAL_CORRUPT',
        `the journal was written by somebody else and can't be read anew: ${showThrown(error)}; stop, and look with \`troupe verify\``,
        { cause: error },
      );
      throw error;
    }
  }

  /** Brings the file's index nearer to the head by one slice, if that is worth its while; between commits only. False: it isn't. */
  async mergeSlice(): Promise<boolean> {
    if (this.#tail.size < JOURNAL_LIMITS.tailRowsLeft && !this.#tail.isMerging) return false;
    const { position, streams, recordedAt } = await this.readHead();
    const group = new CommitGroup({ position, streams, recordedAt }).seal();
    await this.#write(group, this.#tail.merge().slice(JOURNAL_LIMITS.quietSlice));
    this.#tail.sliceLanded();
    return true;
  }

  /** What the next commit takes along of a merge. */
  #dueSlice({ rows }: CommitGroup): MergeSlice | undefined {
    if (!this.#tail.isMerging && this.#tail.size < JOURNAL_LIMITS.tailRows) return undefined;
    return this.#tail.merge().slice(Math.max(JOURNAL_LIMITS.mergeSlice, Math.ceil(rows.length / 2)));
  }

  async #write(group: CommitGroup, merge: MergeSlice | undefined): Promise<void> {
    const { sql, params } = commitStatement(group, merge, this.#outcomesKept);
    await this.#connection.run(sql, ...params);
  }
}
