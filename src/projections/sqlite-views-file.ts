/**
 * Opens the views file, `<journal>.views`, and sees to it that it belongs to this journal.
 *
 * All in it is derived. So what is damaged is set aside (renamed, never overwritten) and built anew, and what belongs
 * to another journal, or to a longer one than this, is emptied. Only a sound database that is no views file at all
 * is refused: it is somebody's data.
 */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Logger } from '../core/logger.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { SqliteConnection } from '../journal/sqlite-connection.js';
import { APPLICATION_ID, CREATE_CATALOG, LAYOUT, quoted } from './sqlite-view-schema.js';

export interface ViewsFileOptions {
  /** A path, or `:memory:`. */
  readonly path: string;
  /** Of the journal. */
  readonly identity: string;
  /** Position of the journal's last event. */
  readonly head: number;
  /** Epoch milliseconds, for the name of a file that is set aside. */
  readonly now: number;
  readonly log: Logger;
}

/** The two connections of a views file: readers never wait for the writer. In memory they are one. */
export interface ViewsFile {
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
}

export const IN_MEMORY = ':memory:';

/** Bytes of a SQLite header, and where the application's mark stands in it. */
const HEADER_BYTES = 100;
const APPLICATION_ID_AT = 68;
const MAGIC = 'SQLite format 3\0';

/** Up to this size the whole file is checked for damage when it is opened; 64 MB take some 0.2 s. */
const CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * @throws TROUPE_INVALID_OPTIONS when the path can't be used, or holds a database that is no views file.
 * @throws TROUPE_JOURNAL_LOCKED when another program holds the file's write lock.
 */
export async function openViewsFile(options: ViewsFileOptions): Promise<ViewsFile> {
  const { path } = options;
  if (path === IN_MEMORY) {
    const connection = await SqliteConnection.open(path, { mode: 'create' });
    await initialise(connection, options);
    return { writer: connection, reader: connection };
  }
  const found = await inspect(path);
  if (found === 'foreign') {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${path}: this is where the read models of the journal belong, but there is another SQLite database; move it away, or give the journal another name`,
      { details: { path } },
    );
  }
  if (found === 'damaged') await setAside(options, undefined);
  try {
    return await openOurs(options);
  } catch (error) {
    if (!isTroupeError(error, 'TROUPE_JOURNAL_CORRUPT')) throw error;
    await setAside(options, error);
    return openOurs(options);
  }
}

async function openOurs(options: ViewsFileOptions): Promise<ViewsFile> {
  const { path } = options;
  // The mark comes before WAL mode: it stands in the header of the file itself then, and not only in the log.
  const writer = await SqliteConnection.open(path, {
    mode: 'create',
    pragmas: [
      `application_id = ${APPLICATION_ID}`,
      'journal_mode = WAL',
      'synchronous = NORMAL',
      'wal_autocheckpoint = 4000',
    ],
  });
  try {
    await check(writer, path);
    await initialise(writer, options);
    const reader = await SqliteConnection.open(path, { mode: 'read' });
    return { writer, reader };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

async function inspect(path: string): Promise<'ours' | 'foreign' | 'damaged'> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead === 0) return 'ours';
    if (bytesRead < HEADER_BYTES || buffer.toString('latin1', 0, MAGIC.length) !== MAGIC) return 'damaged';
    return buffer.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID ? 'ours' : 'foreign';
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return 'ours';
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${path}: the read models cannot be kept here; check that it is a file, and that you may read and write it`,
      { cause, details: { path } },
    );
  } finally {
    await file?.close();
  }
}

/** @throws TROUPE_JOURNAL_CORRUPT when the file is small enough to look, and damaged. */
async function check(writer: SqliteConnection, path: string): Promise<void> {
  const { size } = await stat(path);
  if (size > CHECKED_BYTES) return;
  const answer = await writer.get<{ quick_check: string }>('PRAGMA quick_check(1)');
  if (answer?.quick_check !== 'ok') {
    throw new TroupeError(
      'TROUPE_JOURNAL_CORRUPT',
      `${path}: the file is damaged (${answer?.quick_check ?? 'no answer'})`,
    );
  }
}

async function setAside({ path, now, log }: ViewsFileOptions, cause: unknown): Promise<void> {
  const aside = `${path}.damaged-${now}`;
  await rename(path, aside);
  // The log belongs to the damaged file, it must never be applied to the new one. The index over it is worth nothing.
  await rename(`${path}-wal`, `${aside}-wal`).catch(ignoreMissing);
  await rm(`${path}-shm`, { force: true });
  log.warn(`${path} is damaged: it is set aside as ${aside}, and the read models are built anew from the journal`, {
    path,
    aside,
    cause: cause instanceof Error ? cause.message : 'its header is that of no SQLite database',
  });
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

/** Makes the catalog, or empties the file when it isn't that of this journal. */
async function initialise(writer: SqliteConnection, { path, identity, head, log }: ViewsFileOptions): Promise<void> {
  const reason = await unusable(writer, identity, head);
  if (reason === undefined) return;
  if (reason !== '') log.warn(`${path}: ${reason}; the read models are built anew from the journal`, { path });
  await writer.transaction(async (session) => {
    const tables = await session.all<{ name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    );
    await session.exec(tables.map(({ name }) => `DROP TABLE ${quoted(name)};`).join('\n') + CREATE_CATALOG);
    await session.run(
      "INSERT INTO troupe_views (key, value) VALUES ('journal', ?), ('layout', ?), ('generation', '0')",
      identity,
      LAYOUT,
    );
  });
}

/** Why the content can't be used: empty for a new file, undefined when it can. */
async function unusable(writer: SqliteConnection, identity: string, head: number): Promise<string | undefined> {
  const catalog = await writer.get<{ tables: number }>(
    "SELECT count(*) AS tables FROM sqlite_schema WHERE name IN ('troupe_views', 'troupe_projections')",
  );
  if (catalog?.tables !== 2) return '';
  const facts = new Map<string, string>();
  for (const { key, value } of await writer.all<{ key: string; value: string }>(
    'SELECT key, value FROM troupe_views',
  )) {
    facts.set(key, value);
  }
  if (facts.get('layout') !== LAYOUT)
    return `the file was written by another version of troupe (layout ${facts.get('layout') ?? 'unknown'})`;
  if (facts.get('journal') !== identity) return 'the file belongs to another journal';
  const ahead = await writer.get<{ projection: string; position: number }>(
    'SELECT projection, position FROM troupe_projections WHERE position > ? LIMIT 1',
    head,
  );
  if (ahead === undefined) return undefined;
  return `projection ${ahead.projection} is at position ${ahead.position}, beyond the journal's last event at ${head}`;
}
