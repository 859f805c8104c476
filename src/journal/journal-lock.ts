/**
 * One writer: a writing SQLite transaction, held open on a lock file beside the journal.
 *
 * The operating system drops it with the process, however that ends, so nothing has to be cleaned up; and SQLite
 * keeps two connections of one process apart too, which plain file locks do not. Readers never touch the lock. The
 * lock file stays behind, empty: to delete it would let two writers lock two files of the same name.
 */
import { TroupeError } from '../core/troupe-error.js';
import { SqliteConnection } from './sqlite-connection.js';
import { sqliteCode } from './sqlite-error.js';

/** A lock that is held. */
export interface JournalLock {
  release(): Promise<void>;
}

/**
 * Locks a journal for writing, at once or not at all.
 *
 * @param path the real path of the journal, so that a symbolic link leads to the same lock.
 * @throws TROUPE_JOURNAL_LOCKED when another writer has it.
 */
export async function lockJournal(path: string): Promise<JournalLock> {
  const connection = await SqliteConnection.open(`${path}.lock`, { mode: 'create', busyTimeoutMs: 0 });
  try {
    // An immediate transaction has the one reserved lock. An exclusive one needs all others gone for a moment, so that
    // of several that open at the same time each may find another one in its way, and nobody gets it.
    await connection.exec('BEGIN IMMEDIATE');
  } catch (cause) {
    await connection.close();
    if (sqliteCode(cause) !== 'SQLITE_BUSY') throw cause;
    throw new TroupeError(
      'TROUPE_JOURNAL_LOCKED',
      `${path}: another process, or another ActorSystem in this one, has this journal open; stop it or use another path`,
      { cause, details: { path } },
    );
  }
  return { release: () => connection.close() };
}
