/** The table of timers: read by time or by owner, written by commits, each row checked against its checksum. */
import { damaged, timerChecksum } from './checksums.js';
import type { SqliteSession } from './sqlite-connection.js';
import type { StoredTimer, TimerChange, TimerQuery } from './timer-change.js';

/** Part of the trigger that takes a commit apart (sqlite-commit.ts). Index of the arrays as in `timerTexts`. */
export const WRITE_TIMERS = `
  DELETE FROM timer WHERE (owner, name) IN (
    SELECT old.owner, old.name FROM json_each(NEW.timers_gone) AS gone
    CROSS JOIN timer AS old ON old.owner = gone.value ->> 0 AND old.name = gone.value ->> 1
    WHERE gone.value ->> 2 IS NULL OR (old.setting = gone.value ->> 2 AND old.wake_at = gone.value ->> 3)
  );

  INSERT OR REPLACE INTO timer (owner, name, setting, wake_at, body, checksum)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
  FROM json_each(NEW.timers_set) AS fresh
  WHERE value ->> 6 IS NULL OR EXISTS (
    SELECT 1 FROM timer AS old
    WHERE old.owner = fresh.value ->> 0 AND old.name = fresh.value ->> 1
      AND old.setting = fresh.value ->> 6 AND old.wake_at = fresh.value ->> 7
  );
`;

const COLUMNS = 'owner, name, setting, wake_at AS wakeAt, body, checksum';
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

function rowText(timer: StoredTimer, before: StoredTimer | undefined): string {
  const { owner, name, setting, wakeAt, body } = timer;
  const row = [owner, name, setting, wakeAt, body, timerChecksum(timer)];
  return JSON.stringify(before === undefined ? row : [...row, before.setting, before.wakeAt]);
}

/**
 * Timers in order of the time at which they wake.
 *
 * @throws TROUPE_JOURNAL_CORRUPT when one is damaged.
 */
export async function readTimers(session: SqliteSession, query: TimerQuery): Promise<StoredTimer[]> {
  const { owner, from = Number.MIN_SAFE_INTEGER, limit } = query;
  const rows = await (owner === undefined
    ? session.all<TimerRow>(BY_TIME, from, limit)
    : session.all<TimerRow>(BY_OWNER, owner, from, limit));
  return rows.map(({ checksum, ...timer }) => {
    if (timerChecksum(timer) === checksum) return timer;
    const { owner, name } = timer;
    throw damaged(`the timer ${name} of ${owner}`, { owner, name });
  });
}

interface TimerRow extends StoredTimer {
  readonly checksum: number;
}
