/**
 * Opens the journal at a path: for writing, by the one who has the lock; or for reading, by anyone, at any time.
 */
import { stat } from 'node:fs/promises';
import { nanoid } from 'nanoid';
import type { Clock } from '../core/clock.js';
import { systemClock } from '../core/clock.js';
import { TroupeError } from '../core/troupe-error.js';
import type { EventPage, EventQuery, Journal, RecordRange, StoredRecord } from './journal.js';
import { JOURNAL_LIMITS } from './journal-limits.js';
import { lockJournal } from './journal-lock.js';
import { inspectPath } from './journal-path.js';
import type { JournalPath } from './journal-path.js';
import type { JournalFault } from './journal-store.js';
import { MemoryJournal } from './memory-journal.js';
import { SqliteConnection } from './sqlite-connection.js';
import { asDamage } from './sqlite-error.js';
import { SqliteJournal } from './sqlite-journal.js';
import { createSchemaSql } from './sqlite-schema.js';
import { readTimers } from './sqlite-timers.js';
import type { StoredTimer, TimerQuery } from './timer-change.js';
import { type JournalSurvey, type JournalVisitor, verifyJournal } from './verify-journal.js';
import { listSnapshots, readSnapshot, type SnapshotName } from './sqlite-snapshots.js';
import { readEvents, readIdentity, readPosition, readRecords } from './sqlite-reading.js';

export interface OpenJournalOptions {
  /** Path of the file, made when it is missing; `:memory:` for a journal without one. */
  readonly path: string;
  /** `disk` (default): a commit is on the disk before anything is told of it. `os`: handed to the operating system. */
  readonly durability?: 'disk' | 'os' | undefined;
  /** Outcomes without events kept for each aggregate. Default 1,000. */
  readonly outcomes?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Told what the journal passes over: a damaged snapshot, a checkpoint that failed. */
  readonly warn?: ((message: string, cause?: unknown) => void) | undefined;
  /** For tests and simulations: makes commits fail. */
  readonly fault?: JournalFault | undefined;
  /** For tests: pragmas of the connection that commits, such as a bound of the file's size. */
  readonly pragmas?: readonly string[] | undefined;
}

/**
 * Opens a journal for writing, and makes it when it is missing.
 *
 * @throws TROUPE_INVALID_OPTIONS when there can't be a journal at the path: a directory, no folder, no right to.
 * @throws TROUPE_JOURNAL_CORRUPT when the file is no journal, is damaged, or has a later format; it is left as it is.
 * @throws TROUPE_JOURNAL_LOCKED when another process, or another system in this one, has it open for writing.
 */
export async function openJournal(options: OpenJournalOptions): Promise<Journal> {
  const {
    durability = 'disk',
    pragmas = [],
    outcomes = JOURNAL_LIMITS.outcomes,
    clock = systemClock,
    warn = nobody,
    fault,
  } = options;
  if (options.path === ':memory:') return new MemoryJournal({ clock, outcomes, warn, fault });
  const { path } = await inspectPath(options.path, 'write');
  const lock = await lockJournal(path);
  const closing: (() => Promise<void>)[] = [() => lock.release()];
  const opened = (connection: SqliteConnection): SqliteConnection => {
    closing.unshift(() => connection.close());
    return connection;
  };
  try {
    const writing = opened(
      await SqliteConnection.open(path, { mode: 'create', pragmas: ['cache_size = -32768', ...pragmas] }),
    );
    await prepareFile(writing, durability, clock.now());
    await checkStructure(writing, path);
    const checkpointing = opened(await SqliteConnection.open(path, { mode: 'write', pragmas: [LOG_SIZE] }));
    const reading = opened(await SqliteConnection.open(path, { mode: 'read', pragmas: ['cache_size = -16384'] }));
    const unlock = (): Promise<void> => lock.release();
    return await SqliteJournal.open({ writing, reading, checkpointing, unlock, clock, outcomes, warn, fault });
  } catch (error) {
    for (const close of closing) await close();
    throw asDamage(error);
  }
}

/** The log is cut to 64 MB when it starts anew: 10,000 pages and what one large commit adds. */
const LOG_SIZE = 'journal_size_limit = 67108864';

/** Makes the schema in an empty file, and turns on the write-ahead log. */
async function prepareFile(connection: SqliteConnection, durability: 'disk' | 'os', now: number): Promise<void> {
  const tables = await connection.get<{ readonly count: number }>('SELECT count(*) AS count FROM sqlite_schema');
  if (tables?.count === 0) await connection.exec(createSchemaSql(nanoid(), now));
  await connection.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'};
    PRAGMA wal_autocheckpoint = 10000;
    PRAGMA ${LOG_SIZE};
    PRAGMA temp_store = MEMORY;`);
}

/** Up to this size the whole file is checked for damage when it is opened; larger ones are what `troupe verify` is for. */
const CHECKED_BYTES = 32 * 1024 * 1024;

/** What checksums can't find: rows that nobody comes to any more, because a page of the file or an index leads elsewhere. */
async function checkStructure(connection: SqliteConnection, path: string): Promise<void> {
  const { size } = await stat(path);
  if (size > CHECKED_BYTES) return;
  const answer = await connection.get<{ readonly integrity_check: string }>('PRAGMA integrity_check(1)');
  if (answer?.integrity_check === 'ok') return;
  throw new TroupeError(
    'TROUPE_JOURNAL_CORRUPT',
    `${path}: the file is damaged (${answer?.integrity_check ?? 'no answer'}); restore a backup, or look with \`troupe verify\``,
    { details: { path } },
  );
}

/** A journal opened for reading, for tools; it may be written meanwhile. */
export interface JournalReader {
  readonly identity: string;
  /** Position of the last committed event, now. */
  head(): Promise<number>;
  /** As `Journal.read`. */
  read(query: EventQuery): Promise<EventPage>;
  /** As `Journal.readRecords`. */
  readRecords(kind: string, range?: RecordRange): Promise<readonly StoredRecord[]>;
  /** As `Journal.readTimers`. */
  readTimers(query: TimerQuery): Promise<readonly StoredTimer[]>;
  /** Which snapshots there are, in order of aggregate and version. */
  snapshots(): Promise<readonly SnapshotName[]>;
  /** The state that a snapshot holds, as JSON text; undefined when there is none, or it is damaged. */
  snapshotState(name: SnapshotName): Promise<string | undefined>;
  /** Checks everything; tells what is not as it has to be, and shows all events on the way. */
  verify(visitor: JournalVisitor): Promise<JournalSurvey>;
  close(): Promise<void>;
}

/**
 * Opens a journal for reading, without the lock and beside any writer.
 *
 * @throws TROUPE_INVALID_OPTIONS, TROUPE_JOURNAL_CORRUPT as `openJournal`.
 */
export async function openJournalReader(path: string): Promise<JournalReader> {
  const connection = await connectReader(await inspectPath(path, 'read'));
  try {
    const identity = await readIdentity(connection);
    return {
      identity,
      head: () => readPosition(connection),
      read: (query) => readEvents(connection, query),
      readRecords: (kind, range) => readRecords(connection, kind, range),
      readTimers: (query) => readTimers(connection, query),
      snapshots: () => listSnapshots(connection),
      snapshotState: (name) => readSnapshot(connection, name),
      verify: (visitor) => verifyJournal(connection, visitor),
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw asDamage(error);
  }
}

/**
 * Who may write opens the file so, though only to read: then the last to close it takes the log files with it. Who
 * may not write into the folder can't make them either; without a log the file is whole and doesn't change.
 */
async function connectReader({ path, isWritable }: JournalPath): Promise<SqliteConnection> {
  if (isWritable) return SqliteConnection.open(path, { mode: 'write', pragmas: ['query_only = 1'] });
  const hasLog = await stat(`${path}-wal`).then(
    () => true,
    () => false,
  );
  return SqliteConnection.open(path, { mode: 'read', immutable: !hasLog });
}

function nobody(): void {
  // Without a listener there is nobody to warn.
}
