/** The table of timers: made when a journal is opened for writing, read by time or by owner, written by commits. */
import type { SqliteSession } from './sqlite-connection.js';
import type { StoredTimer, TimerChange, TimerQuery } from './timer-change.js';

/** Journals made by earlier releases get the table when they are opened; these releases leave it alone. */
export const TIMER_TABLE = `
-- Durable timers: of sagas, of reminders. body is JSON.
CREATE TABLE IF NOT EXISTS timer (
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  setting TEXT NOT NULL,
  wake_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (owner, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timer_wake ON timer (wake_at);
`;

/** Part of the trigger that takes a commit apart (sqlite-commit.ts). Index of the arrays as in `timerTexts`. */
export const WRITE_TIMERS = `
  DELETE FROM timer WHERE (owner, name) IN (
    SELECT old.owner, old.name FROM json_each(NEW.timers_gone) AS gone
    CROSS JOIN timer AS old ON old.owner = gone.value ->> 0 AND old.name = gone.value ->> 1
    WHERE gone.value ->> 2 IS NULL OR (old.setting = gone.value ->> 2 AND old.wake_at = gone.value ->> 3)
  );

  INSERT OR REPLACE INTO timer (owner, name, setting, wake_at, body)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(NEW.timers_set) AS fresh
  WHERE value ->> 5 IS NULL OR EXISTS (
    SELECT 1 FROM timer AS old
    WHERE old.owner = fresh.value ->> 0 AND old.name = fresh.value ->> 1
      AND old.setting = fresh.value ->> 5 AND old.wake_at = fresh.value ->> 6
  );
`;

const COLUMNS = 'owner, name, setting, wake_at AS wakeAt, body';
const BY_TIME = `SELECT ${COLUMNS} FROM timer WHERE wake_at >= ? ORDER BY wake_at LIMIT ?`;
const BY_OWNER = `SELECT ${COLUMNS} FROM timer WHERE owner = ? AND wake_at >= ? ORDER BY wake_at LIMIT ?`;

/** Timers that are set, and timers that go, each as JSON text. */
export function timerTexts(changes: Iterable<TimerChange>): [set: string | null, gone: string | null] {
  const set: string[] = [];
  const gone: string[] = [];
  for (const change of changes) {
    switch (change.kind) {
      case 'set':
        set.push(rowText(change.timer, undefined));
        break;
      case 'moved':
        set.push(rowText(change.to, change.timer));
        break;
      case 'ended': {
        const { owner, name, setting, wakeAt } = change.timer;
        gone.push(JSON.stringify([owner, name, setting, wakeAt]));
        break;
      }
      case 'cleared':
        gone.push(JSON.stringify([change.owner, change.name]));
        break;
    }
  }
  return [set.length === 0 ? null : `[${set.join(',')}]`, gone.length === 0 ? null : `[${gone.join(',')}]`];
}

function rowText({ owner, name, setting, wakeAt, body }: StoredTimer, before: StoredTimer | undefined): string {
  const row = [owner, name, setting, wakeAt, body];
  return JSON.stringify(before === undefined ? row : [...row, before.setting, before.wakeAt]);
}

/** Whether the file has the table. */
export async function hasTimers(session: SqliteSession): Promise<boolean> {
  const row = await session.get("SELECT 1 AS there FROM sqlite_schema WHERE type = 'table' AND name = 'timer'");
  return row !== undefined;
}

/** Timers in order of the time at which they wake. */
export async function readTimers(session: SqliteSession, query: TimerQuery): Promise<StoredTimer[]> {
  const { owner, from = Number.MIN_SAFE_INTEGER, limit } = query;
  return owner === undefined
    ? session.all<StoredTimer>(BY_TIME, from, limit)
    : session.all<StoredTimer>(BY_OWNER, owner, from, limit);
}
