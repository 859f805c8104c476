/**
 * Looks at a path before anything is opened for writing: is a journal there, or can one be made there?
 *
 * A refused path is left exactly as it was: no lock file, no log, no empty database. What a file is says its header,
 * read through SQLite as if the file could not change, which leaves no trace; reading it directly would drop the
 * locks that another connection of this process holds on it.
 */
import { access, constants, lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TroupeError } from '../core/troupe-error.js';
import { SqliteConnection } from './sqlite-connection.js';
import { APPLICATION_ID, FORMAT_VERSION } from './sqlite-schema.js';

/** Where a journal is, or will be. */
export interface JournalPath {
  /** Without symbolic links. */
  readonly path: string;
  /** Whether there is a journal already; an empty file is none. */
  readonly exists: boolean;
}

/**
 * @throws TROUPE_INVALID_OPTIONS for a directory, a missing folder, missing rights; for reading also a missing file.
 * @throws TROUPE_JOURNAL_CORRUPT for a file that is no journal, or one of a later format.
 */
export async function inspectPath(given: string, purpose: 'write' | 'read'): Promise<JournalPath> {
  const path = await followLinks(resolve(given), given);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    if (purpose === 'read') throw unusable(given, 'there is no such file; give the path of a journal');
    await checkRights(
      given,
      dirname(path),
      constants.W_OK,
      'the folder cannot be written; choose another one, or get the right to',
    );
    return { path, exists: false };
  }
  if (found.isDirectory()) throw unusable(given, 'this is a directory; give the path of a file in it');
  if (!found.isFile()) throw unusable(given, 'this is no regular file; give the path of a file');
  await checkRights(given, path, constants.R_OK, 'the file cannot be read; get the right to, or choose another one');
  if (found.size === 0) {
    if (purpose === 'read') throw notAJournal(given, 'the file is empty');
    await checkRights(
      given,
      path,
      constants.W_OK,
      'the file cannot be written; get the right to, or choose another one',
    );
    return { path, exists: false };
  }
  await checkHeader(path, given);
  if (purpose === 'write') {
    await checkRights(
      given,
      path,
      constants.W_OK,
      'the file cannot be written; get the right to, or choose another one',
    );
    await checkRights(
      given,
      dirname(path),
      constants.W_OK,
      'its folder cannot be written, where the journal keeps its log; get the right to',
    );
  }
  return { path, exists: true };
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

async function checkRights(given: string, path: string, mode: number, why: string): Promise<void> {
  try {
    await access(path, mode);
  } catch (cause) {
    throw unusable(given, why, cause);
  }
}

async function checkHeader(path: string, given: string): Promise<void> {
  const connection = await SqliteConnection.open(`${pathToFileURL(path).href}?immutable=1`, {
    mode: 'read',
    uri: true,
  });
  try {
    const id = await connection.get<{ application_id: number }>('PRAGMA application_id');
    if (id?.application_id !== APPLICATION_ID) {
      throw notAJournal(given, 'the file is an SQLite database of another program');
    }
    const version = await connection.get<{ user_version: number }>('PRAGMA user_version');
    const found = version?.user_version ?? 0;
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
