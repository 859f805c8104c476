/**
 * Checks a journal against itself: SQLite's structure, checksums, positions, versions, index, outcomes, snapshots,
 * checkpoints, timers. Everything wrong is told, nothing is changed.
 *
 * One read transaction, so that all parts are of one moment also beside a running writer; the log can't start anew
 * meanwhile, that is the price. Events go by once, page by page; what is kept of an aggregate is a few numbers.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import { IndexReach, REACH_COLUMNS, type ReachRow } from './index-reach.js';
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
    const reach = await readReach(session, visitor);
    const walk = new EventWalk(visitor, reach);
    await walk.run(session);
    const numbers = await verifyStreams(session, visitor, walk.tallies);
    const around = { session, visitor, numbers, reach, head: walk.head };
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

/** How far the index reaches. */
async function readReach(session: SqliteSession, visitor: JournalVisitor): Promise<IndexReach> {
  const meta = await session.get<ReachRow & { readonly again: number }>(REACH);
  const { indexedTo = Number.NaN, again = Number.NaN, indexAhead = null } = meta ?? {};
  if (indexedTo !== again) {
    visitor.found({ check: 'index', message: `its end is not known: ${indexedTo} and ${again} stand there` });
  }
  try {
    return IndexReach.read({ indexedTo, indexAhead });
  } catch {
    visitor.found({ check: 'index', message: `how far a merge has got is not known: ${indexAhead} stands there` });
    return new IndexReach(indexedTo);
  }
}

const REACH = `SELECT (SELECT -value FROM meta WHERE key = 'indexed_to_negated') AS again, ${REACH_COLUMNS}`;
