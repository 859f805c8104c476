/** Projections that count, so that an event that counted twice, or not at all, shows. */
import { projection } from '../../src/projections/projection-definition.js';
import type { EventLog, NewEvent } from './event-log.js';

/** What `counts` holds, folded by hand. */
export interface CountRow {
  readonly id: string;
  readonly events: number;
  readonly sum: number;
  /** Positions of its events, joined. */
  readonly positions: string;
}

interface Added {
  readonly n: number;
}

/** One row for each aggregate; `removed` deletes it. */
export const counts = projection({
  name: 'counts',
  columns: { id: 'text primary key', events: 'integer', sum: 'integer', positions: 'text' },
  key: (event) => event.aggregateId,
  on: {
    added: (row = { events: 0, sum: 0, positions: '' }, { data, position }) => ({
      events: row.events + 1,
      sum: row.sum + (data as Added).n,
      positions: `${row.positions}${position},`,
    }),
    removed: () => null,
  },
});

/** The same by statements. */
export const countsBySql = projection({
  name: 'counts-by.sql',
  columns: { id: 'text primary key', events: 'integer', sum: 'integer', positions: 'text' },
  sql: {
    added: ({ aggregateId, data, position }) => [
      ["INSERT OR IGNORE INTO counts_by_sql (id, events, sum, positions) VALUES (?, 0, 0, '')", aggregateId],
      [
        `UPDATE counts_by_sql SET events = events + 1, sum = counts_by_sql.sum + ?, positions = positions || ? WHERE id = ?`,
        (data as Added).n,
        `${position},`,
        aggregateId,
      ],
    ],
    removed: ({ aggregateId }) => [['DELETE FROM "counts_by_sql" WHERE id = ?', aggregateId]],
  },
});

/** Counts all events in one row, and each aggregate in a row of its own: several keys for one event. */
export const tallies = projection({
  name: 'tallies',
  columns: { key: 'text primary key', events: 'integer' },
  key: (event) => (event.type === 'skipped' ? undefined : ['all', `one/${event.aggregateId}`, 'all']),
  on: {
    added: (row = { events: 0 }) => ({ events: row.events + 1 }),
    removed: (row = { events: 0 }) => ({ events: row.events + 1 }),
    skipped: () => ({ events: -1_000 }),
  },
});

export const counting = [counts, countsBySql, tallies];

/** A mixture that is the same each time: events on `ids` aggregates, every tenth one deletes, every seventh is skipped. */
export function mixture(count: number, ids = 7): NewEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const id = `id${(i * 5 + (i >> 3)) % ids}`;
    if (i % 10 === 9) return { type: 'removed', id };
    if (i % 7 === 6) return { type: 'skipped', id };
    return { type: 'added', id, data: { n: i } };
  });
}

/** The rows of `counts`, `countsBySql` and `tallies` as a plain fold of the log gives them. */
export function foldByHand(log: EventLog): [CountRow[], CountRow[], { key: string; events: number }[]] {
  const rows = new Map<string, CountRow>();
  const tally = new Map<string, number>();
  for (const { type, aggregateId: id, data, position } of log.events) {
    if (type !== 'added' && type !== 'removed') continue;
    for (const key of ['all', `one/${id}`]) tally.set(key, (tally.get(key) ?? 0) + 1);
    if (type === 'removed') {
      rows.delete(id);
      continue;
    }
    const row = rows.get(id) ?? { id, events: 0, sum: 0, positions: '' };
    const sum = row.sum + (data as Added).n;
    rows.set(id, { id, events: row.events + 1, sum, positions: `${row.positions}${position},` });
  }
  const sorted = [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const tallied = Array.from(tally, ([key, events]) => ({ key, events })).sort((a, b) => (a.key < b.key ? -1 : 1));
  return [sorted, sorted, tallied];
}
