/**
 * Looks at a path before anything is opened for writing: is a journal there, or can one be made there?
 *
 * A refused path is left exactly as it was: no lock file, no log, no empty database. What a file is says its header,
 * read through SQLite as if the file could not change, which leaves no trace; reading it directly would drop the
 * locks that another connection of this process holds on it.
 */
import { access, constants, lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TroupeError } from '../core/troupe-error.js';
import { SqliteConnection } from './sqlite-connection.js';
import { APPLICATION_ID, FORMAT_VERSION } from './sqlite-schema.js';

/** Bytes of one page of the smallest size; SQLite would take a shorter file for an empty one, and write over it. */
const SMALLEST_DATABASE = 512;

/** Where a journal is, or will be. */
export interface JournalPath {
  /** Without symbolic links. */
  readonly path: string;
  /** Whether there is a journal already; an empty file is none. */
  readonly exists: boolean;
  /** Whether file and folder may be written. */
  readonly isWritable: boolean;
}

/**
 * @throws TROUPE_INVALID_OPTIONS for a directory, a missing folder, missing rights; for reading also a missing file.
 * @throws TROUPE_JOURNAL_CORRUPT for a file that is no journal, or one of a later format.
 */
export async function inspectPath(given: string, purpose: 'write' | 'read'): Promise<JournalPath> {
  const path = await followLinks(resolve(given), given);
  const found = await stat(path).catch(() => undefined);
  const isWritable =
    (await may(path, constants.W_OK, found === undefined)) && (await may(dirname(path), constants.W_OK));
  if (found === undefined) {
    if (purpose === 'read') throw unusable(given, 'there is no such file; give the path of a journal');
    if (!isWritable) throw unusable(given, 'the folder cannot be written; get the right to, or choose another one');
    return { path, exists: false, isWritable };
  }
  if (found.isDirectory()) throw unusable(given, 'this is a directory; give the path of a file in it');
  if (!found.isFile()) throw unusable(given, 'this is no regular file; give the path of a file');
  if (!(await may(path, constants.R_OK))) throw unusable(given, 'the file cannot be read; get the right to');
  if (found.size === 0 && purpose === 'read') throw notAJournal(given, 'the file is empty');
  if (found.size > 0 && found.size < SMALLEST_DATABASE) throw notAJournal(given, 'the file is no SQLite database');
  if (found.size > 0) await checkHeader(path, given);
  if (purpose === 'write' && !isWritable) {
    throw unusable(
      given,
      'the file, or its folder where the journal keeps its log, cannot be written; get the right to',
    );
  }
  return { path, exists: found.size > 0, isWritable };
}

/** Whether this process has a right to a path; `missing` is the answer's part for one that isn't there. */
async function may(path: string, mode: number, missing = false): Promise<boolean> {
  if (missing) return true;
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** The real path, of a file that doesn't exist yet too. */
async function followLinks(path: string, given: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  const link = await lstat(path).catch(() => undefined);
  if (link?.isSymbolicLink() === true) {
    const target = resolve(dirname(path), await readlink(path));
    if (target === path) throw unusable(given, 'this is a symbolic link to itself; give the path of a file');
    return join(await realFolder(dirname(target), given), basename(target));
  }
  return join(await realFolder(dirname(path), given), basename(path));
}

async function realFolder(folder: string, given: string): Promise<string> {
  try {
    const real = await realpath(folder);
    if ((await stat(real)).isDirectory()) return real;
  } catch (cause) {
    throw unusable(given, `the folder ${folder} does not exist; create it first`, cause);
  }
  throw unusable(given, `${folder} is no folder; choose another path`);
}

async function checkHeader(path: string, given: string): Promise<void> {
  const connection = await SqliteConnection.open(path, { mode: 'read', immutable: true });
  try {
    const id = await connection.get<{ application_id: number }>('PRAGMA application_id');
    if (id?.application_id !== APPLICATION_ID) {
      throw notAJournal(given, 'the file is an SQLite database of another program');
    }
    const version = await connection.get<{ user_version: number }>('PRAGMA user_version');
    const found = version?.user_version ?? 0;
    if (found < FORMAT_VERSION) {
      throw new TroupeError(
        'TROUPE_JOURNAL_CORRUPT',
        `${given}: the journal has format ${found}, of a time before the first release, and this release reads format ` +
          `${FORMAT_VERSION}; make it anew from its source, or read it with the release that wrote it`,
        { details: { path, found, supported: FORMAT_VERSION } },
      );
    }
    if (found > FORMAT_VERSION) {
      throw new TroupeError(
        'TROUPE_JOURNAL_CORRUPT',
        `${given}: the journal has format ${found}, this release reads up to format ${FORMAT_VERSION}; use a newer release of Troupe`,
        { details: { path, found, supported: FORMAT_VERSION } },
      );
    }
  } finally {
    await connection.close();
  }
}

function notAJournal(given: string, why: string): TroupeError {
  return new TroupeError(
    'TROUPE_JOURNAL_CORRUPT',
    `${given}: ${why}, no journal; choose another path, the file is left as it is`,
    {
      details: { path: given },
    },
  );
}

function unusable(given: string, why: string, cause?: unknown): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', `${given}: ${why}`, { cause, details: { path: given } });
}
