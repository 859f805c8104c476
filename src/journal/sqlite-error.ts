/**
 * What SQLite's error codes mean to a user of the journal, and what to do about each.
 *
 * The driver's error stays as the cause, its code stands in `details.sqlite`, so that a caller who knows more
 * about what was tried can decide on it.
 *
 * @see https://www.sqlite.org/rescode.html
 */
import { TroupeError } from '../core/troupe-error.js';
import type { TroupeErrorCode } from '../core/troupe-error.js';

const MEANINGS: Readonly<Record<string, { readonly code: TroupeErrorCode; readonly advice: string }>> = {
  SQLITE_NOTADB: {
    code: 'TROUPE_JOURNAL_CORRUPT',
    advice: 'this file is no SQLite database; choose another path, the file is left as it is',
  },
  SQLITE_CORRUPT: {
    code: 'TROUPE_JOURNAL_CORRUPT',
    advice: 'the file is damaged; restore a backup, or look with `sqlite3 FILE "PRAGMA integrity_check"`',
  },
  SQLITE_CANTOPEN: {
    code: 'TROUPE_INVALID_OPTIONS',
    advice:
      'the file cannot be opened; check that the folder exists, that it is a file, and that you may read and write it',
  },
  SQLITE_PERM: {
    code: 'TROUPE_INVALID_OPTIONS',
    advice: 'permission denied; check the rights of the file and its folder',
  },
  SQLITE_BUSY: {
    code: 'TROUPE_JOURNAL_LOCKED',
    advice: 'another program holds the write lock of the database; end its transaction and retry',
  },
  SQLITE_LOCKED: {
    code: 'TROUPE_JOURNAL_LOCKED',
    advice: 'another statement of this program holds a lock in the database; retry when it has ended',
  },
  SQLITE_FULL: { code: 'TROUPE_JOURNAL_WRITE_FAILED', advice: 'the disk is full; make room and retry' },
  SQLITE_IOERR: {
    code: 'TROUPE_JOURNAL_WRITE_FAILED',
    advice: 'the disk reported an error; check the disk and the file system, then retry',
  },
  SQLITE_READONLY: {
    code: 'TROUPE_JOURNAL_WRITE_FAILED',
    advice: 'the file cannot be written; check the rights of the file, of its folder and of the file system',
  },
  SQLITE_TOOBIG: {
    code: 'TROUPE_JOURNAL_WRITE_FAILED',
    advice: 'a value is larger than SQLite takes (1 GB); make it smaller',
  },
  SQLITE_NOMEM: {
    code: 'TROUPE_JOURNAL_WRITE_FAILED',
    advice: 'SQLite got no memory; give the process more and retry',
  },
  SQLITE_CONSTRAINT: {
    code: 'TROUPE_JOURNAL_WRITE_FAILED',
    advice: 'a row with this key is there already, or a value breaks a rule of its table',
  },
};

/** A failure of the driver as TroupeError. */
export function sqliteError(cause: Error, path: string): TroupeError {
  const sqlite = sqliteCode(cause);
  const meaning = MEANINGS[sqlite];
  if (meaning === undefined) {
    return new TroupeError('TROUPE_INVALID_OPTIONS', `${path}: SQLite refused the statement (${cause.message})`, {
      cause,
      details: { path, sqlite },
    });
  }
  return new TroupeError(meaning.code, `${path}: ${meaning.advice} (${cause.message})`, {
    cause,
    details: { path, sqlite },
  });
}

/** What SQLite says of a statement of the journal's own: when it has no such table or column, the file is damaged. */
export function asDamage(error: unknown): unknown {
  if (!(error instanceof TroupeError) || sqliteCode(error) !== 'SQLITE_ERROR') return error;
  return new TroupeError(
    'TROUPE_JOURNAL_CORRUPT',
    `${error.message}: the tables are not those of a journal; restore a backup`,
    { cause: error.cause, details: error.details },
  );
}

/** The driver's code (such as SQLITE_FULL) of an error, of a TroupeError made from one too; '' for any other error. */
export function sqliteCode(error: unknown): string {
  if (error instanceof TroupeError) {
    const details: unknown = error.details;
    const code = typeof details === 'object' && details !== null ? (details as { sqlite?: unknown }).sqlite : undefined;
    return typeof code === 'string' ? code : '';
  }
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
