/**
 * Online backup: a copy of a journal as it is at one moment, made while the writer goes on.
 *
 * The copy grows under another name and gets its own only when it is whole and on the disk, so whatever interrupts the
 * backup, a file of that name is a complete journal. It is compact, and opens like any other.
 *
 * @see https://www.sqlite.org/lang_vacuum.html#vacuuminto
 */
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { nanoid } from 'nanoid';
import { TroupeError } from '../core/troupe-error.js';
import { inspectPath } from './journal-path.js';
import { SqliteConnection } from './sqlite-connection.js';
import { readPosition } from './sqlite-reading.js';

/** A backup that is on the disk. */
export interface JournalBackup {
  /** Absolute path of the copy. */
  readonly path: string;
  /** Position of the last event in it. */
  readonly position: number;
  readonly bytes: number;
}

/**
 * Copies a journal; beside a running writer, or without one.
 *
 * @throws TROUPE_INVALID_OPTIONS when the source is no journal, or there is something at the target already.
 * @throws TROUPE_JOURNAL_WRITE_FAILED when the copy can't be written; nothing is left at the target then.
 */
export async function backupJournal(source: string, target: string): Promise<JournalBackup> {
  const { path: from } = await inspectPath(source, 'read');
  const path = resolve(target);
  await refuseExisting(path, target);
  const partial = `${path}.partial-${nanoid(8)}`;
  try {
    const position = await copyInto(from, partial);
    await sync(partial, 'r+');
    await place(partial, path, target);
    await sync(dirname(path), 'r');
    return { path, position, bytes: (await stat(path)).size };
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof TroupeError && error.code !== 'TROUPE_JOURNAL_WRITE_FAILED') throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new TroupeError(
      'TROUPE_JOURNAL_WRITE_FAILED',
      `the backup to ${target} could not be written: ${text}; the journal is as it was`,
      { cause: error, details: { source, target } },
    );
  }
}

/** One read transaction copies everything; resolves with the position of the last event copied. */
async function copyInto(from: string, partial: string): Promise<number> {
  const reading = await SqliteConnection.open(from, { mode: 'read' });
  try {
    await reading.run('VACUUM INTO ?', partial);
  } finally {
    await reading.close();
  }
  const copy = await SqliteConnection.open(partial, { mode: 'read', immutable: true });
  try {
    return await readPosition(copy);
  } finally {
    await copy.close();
  }
}

/** Gives the copy its name, unless that has been taken meanwhile. */
async function place(partial: string, path: string, target: string): Promise<void> {
  try {
    await link(partial, path);
  } catch (error) {
    await refuseExisting(path, target);
    // Not every file system has links; there a name that was taken in this very moment is overwritten.
    if (!(error instanceof Error && 'code' in error && (error.code === 'EPERM' || error.code === 'ENOTSUP')))
      throw error;
    await rename(partial, path);
    return;
  }
  await rm(partial, { force: true });
}

async function refuseExisting(path: string, target: string): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (folder?.isDirectory() !== true) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${target}: the folder ${dirname(path)} does not exist; create it first`,
      {
        details: { target },
      },
    );
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return;
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${target} exists already, and a backup overwrites nothing; choose another path, or remove it`,
    { details: { target } },
  );
}

async function sync(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
