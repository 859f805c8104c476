/**
 * Checks a journal against itself: SQLite's structure, checksums, positions, versions, index, outcomes, snapshots,
 * checkpoints, timers. Everything wrong is told, nothing is changed.
 *
 * One read transaction, so that all parts are of one moment also beside a running writer; the log can't start anew
 * meanwhile, that is the price. Events go by once, page by page; what is kept of an aggregate is a few numbers.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { SqliteSession } from './sqlite-connection.js';
import { asDamage } from './sqlite-error.js';
import { EventWalk } from './verify-events.js';
import type { StoredRecord } from './journal.js';
import type { StoredTimer } from './timer-change.js';
import {
  verifyIndex,
  verifyOutcomes,
  verifyRecords,
  verifySnapshots,
  verifyStreams,
  verifyTimers,
} from './verify-tables.js';

/** Parts of the check, in the order in which they are shown. */
export const JOURNAL_CHECKS = [
  'file structure',
  'checksums',
  'positions',
  'versions',
  'index',
  'outcomes',
  'snapshots',
  'checkpoints',
] as const;

export type JournalCheck = (typeof JOURNAL_CHECKS)[number];

/** Something that is not as it has to be. */
export interface JournalFinding {
  readonly check: JournalCheck;
  readonly message: string;
  readonly position?: number;
  readonly aggregate?: string;
  readonly id?: string;
  readonly version?: number;
}

export interface JournalVisitor {
  /** Told of each fault. */
  readonly found: (finding: JournalFinding) => void;
  /** Told of all readable events, in order of position, some at a time. */
  readonly events?: (events: readonly RecordedEvent[]) => void;
  /** Told of each record that is as it was written, in order of kind and key. */
  readonly record?: (record: KindRecord) => void;
  /** Told of each timer that is as it was written, after the records. */
  readonly timer?: (timer: StoredTimer) => void;
}

/** A record with its kind. */
export interface KindRecord extends StoredRecord {
  readonly kind: string;
}

/** What was looked at. */
export interface JournalSurvey {
  /** Position of the last event. */
  readonly head: number;
  readonly events: number;
  readonly pages: number;
  readonly snapshots: number;
  readonly outcomes: number;
  readonly records: number;
  readonly timers: number;
  /** The aggregates, with the version of their last event. */
  readonly aggregates: readonly { readonly aggregate: string; readonly id: string; readonly version: number }[];
}

/** @throws TROUPE_JOURNAL_CORRUPT when SQLite can't even read the file */
export async function verifyJournal(session: SqliteSession, visitor: JournalVisitor): Promise<JournalSurvey> {
  await session.exec('BEGIN');
  try {
    await verifyStructure(session, visitor);
    const indexedTo = await readExtent(session, visitor);
    const walk = new EventWalk(visitor, indexedTo);
    await walk.run(session);
    const numbers = await verifyStreams(session, visitor, walk.tallies);
    const around = { session, visitor, numbers, head: walk.head };
    await verifyIndex(around);
    return {
      head: walk.head,
      events: walk.events,
      pages: walk.pages,
      outcomes: await verifyOutcomes(around),
      snapshots: await verifySnapshots(around),
      records: await verifyRecords(around),
      timers: await verifyTimers(around),
      aggregates: Array.from(walk.tallies.values(), ({ aggregate, id, version }) => ({ aggregate, id, version })),
    };
  } catch (error) {
    throw asDamage(error);
  } finally {
    await session.exec('ROLLBACK');
  }
}

async function verifyStructure(session: SqliteSession, visitor: JournalVisitor): Promise<void> {
  const rows = await session.all<{ readonly integrity_check: string }>('PRAGMA integrity_check(20)');
  for (const { integrity_check: text } of rows) {
    if (text !== 'ok') visitor.found({ check: 'file structure', message: `SQLite says: ${text}` });
  }
}

/** The position up to which the index reaches. */
async function readExtent(session: SqliteSession, visitor: JournalVisitor): Promise<number> {
  const meta = await session.all<{ readonly key: string; readonly value: number }>(
    "SELECT key, value FROM meta WHERE key IN ('indexed_to', 'indexed_to_negated')",
  );
  const value = (key: string): number => meta.find((row) => row.key === key)?.value ?? Number.NaN;
  const indexedTo = value('indexed_to');
  const again = -value('indexed_to_negated');
  if (indexedTo !== again) {
    visitor.found({ check: 'index', message: `its end is not known: ${indexedTo} and ${again} stand there` });
  }
  return indexedTo;
}
