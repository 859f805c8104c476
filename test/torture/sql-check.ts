/**
 * The independent check: plain SQL over the public views and the tables of the read models, none of our code.
 *
 * Each query gives the rows that should not be there, and says what they are.
 */
import sqlite3 from 'sqlite3';

type Row = Readonly<Record<string, unknown>>;

/** Rows that should not be there, whenever the process was killed. */
const ALWAYS: readonly (readonly [fault: string, sql: string])[] = [
  ['positions with a gap, or twice', 'SELECT count(*) AS events, max(position) AS head FROM log HAVING events <> head'],
  ['a position twice', 'SELECT position FROM log GROUP BY position HAVING count(*) > 1'],
  [
    'versions with a gap, or twice',
    `SELECT aggregate, aggregate_id, count(*) AS events, max(version) AS last FROM log GROUP BY 1, 2
     HAVING events <> last OR min(version) <> 1 OR count(DISTINCT version) <> events`,
  ],
  [
    'versions out of order',
    `SELECT * FROM (
       SELECT aggregate, aggregate_id, position, version,
         lag(version, 1, 0) OVER (PARTITION BY aggregate, aggregate_id ORDER BY position) AS before
       FROM log
     ) WHERE version <> before + 1`,
  ],
  ['an event id twice', 'SELECT event_id FROM log GROUP BY event_id HAVING count(*) > 1'],
  [
    'a time that goes back',
    'SELECT * FROM (SELECT position, recorded_at, lag(recorded_at, 1, 0) OVER (ORDER BY position) AS before FROM log) WHERE recorded_at < before',
  ],
  [
    'an acknowledged command without its events, or with more',
    `SELECT known.id, known.type, known.events AS wanted, count(log.position) AS found
     FROM known LEFT JOIN log ON log.command_id = known.id
     WHERE known.acknowledged GROUP BY known.id HAVING found <> wanted`,
  ],
  [
    'a command that nobody acknowledged, in part or twice',
    `SELECT known.id, known.type, known.events AS wanted, count(*) AS found
     FROM known JOIN log ON log.command_id = known.id
     WHERE NOT known.acknowledged GROUP BY known.id HAVING found <> wanted`,
  ],
  [
    'an event of a command that says something else',
    `SELECT known.id, known.account, log.aggregate_id, known.amount, log.data FROM known JOIN log ON log.command_id = known.id
     WHERE log.aggregate <> 'account' OR log.aggregate_id <> known.account
       OR (log.data ->> 'amount' <> known.amount AND NOT (known.type = 'split' AND log.data ->> 'amount' = 1))
       OR (known.type = 'send' AND (log.type <> 'account.sent' OR log.data ->> 'to' <> known.receiver))`,
  ],
  [
    'an event of a command that was never sent',
    `SELECT position, command_id FROM log
     WHERE type IN ('account.deposited', 'account.sent') AND command_id NOT IN (SELECT id FROM known)`,
  ],
  [
    'an effect of a reaction twice',
    'SELECT type, causation_id FROM log WHERE causation_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1',
  ],
  [
    'an effect without its cause, or before it',
    `SELECT effect.position, effect.causation_id FROM log AS effect LEFT JOIN log AS cause ON cause.event_id = effect.causation_id
     WHERE effect.causation_id IS NOT NULL AND (cause.position IS NULL OR cause.position >= effect.position)`,
  ],
  [
    'an effect that is not what its cause asks for',
    `SELECT effect.position FROM log AS effect JOIN log AS cause ON cause.event_id = effect.causation_id
     WHERE effect.data ->> 'amount' <> cause.data ->> 'amount'
       OR (effect.type = 'account.credited' AND (effect.aggregate_id <> cause.data ->> 'to' OR effect.data ->> 'n' <> cause.data ->> 'n'))
       OR (effect.type = 'counter.counted' AND effect.aggregate_id <> cause.aggregate_id)`,
  ],
  [
    'a guarantee that was both honoured and returned',
    `SELECT a.aggregate_id FROM log AS a JOIN log AS b USING (aggregate, aggregate_id)
     WHERE a.type = 'guarantee.honoured' AND b.type = 'guarantee.returned'`,
  ],
  [
    'a guarantee that is not that of its payment',
    `SELECT held.aggregate_id, held.causation_id FROM log AS held JOIN log AS cause ON cause.event_id = held.causation_id
     WHERE held.aggregate = 'guarantee' AND held.aggregate_id <> cause.aggregate_id || '-' || (cause.data ->> 'n')`,
  ],
  [
    'a guarantee that was honoured before the payment had arrived',
    `SELECT done.aggregate_id FROM log AS done LEFT JOIN log AS arrived
       ON arrived.causation_id = done.causation_id AND arrived.type = 'account.credited'
     WHERE done.type = 'guarantee.honoured' AND (arrived.position IS NULL OR arrived.position > done.position)`,
  ],
  [
    'payments of one account to another out of order',
    `SELECT * FROM (
       SELECT position, data ->> 'n' AS n,
         lag(data ->> 'n', 1, 0) OVER (PARTITION BY data ->> 'from', aggregate_id ORDER BY position) AS before
       FROM log WHERE type = 'account.credited'
     ) WHERE n <= before`,
  ],
  [
    'a snapshot that is not the fold of its events',
    `SELECT snap.aggregate_id, snap.version, snap.state, sum(${amountOf('log')}) AS balance, count(*) AS movements
     FROM snapshot_log AS snap LEFT JOIN log
       ON log.aggregate = snap.aggregate AND log.aggregate_id = snap.aggregate_id AND log.version <= snap.version
     WHERE snap.aggregate = 'account' GROUP BY snap.aggregate_id, snap.version
     HAVING balance <> snap.state ->> 'balance' OR movements <> snap.state ->> 'movements' OR movements <> snap.version`,
  ],
];

/** Rows that should not be there once the system has settled. */
const SETTLED: readonly (readonly [fault: string, sql: string])[] = [
  [
    'a payment without its effect',
    `SELECT cause.position, cause.event_id FROM log AS cause LEFT JOIN log AS effect
       ON effect.causation_id = cause.event_id AND effect.type = 'account.credited'
     WHERE cause.type = 'account.sent' AND cause.data ->> 'to' <> 'closed' AND effect.position IS NULL`,
  ],
  [
    'a credit that was not counted',
    `SELECT cause.position FROM log AS cause LEFT JOIN log AS effect
       ON effect.causation_id = cause.event_id AND effect.type = 'counter.counted'
     WHERE cause.type = 'account.credited' AND effect.position IS NULL`,
  ],
  [
    'a payment without its guarantee, or whose saga has not come to the right end',
    `SELECT cause.position, cause.event_id, group_concat(effect.type) AS effects
     FROM log AS cause LEFT JOIN log AS effect ON effect.causation_id = cause.event_id AND effect.aggregate = 'guarantee'
     WHERE cause.type = 'account.sent' GROUP BY cause.position
     HAVING count(effect.position) <> 2 OR sum(effect.type = 'guarantee.held') IS NOT 1
       OR sum(effect.type = iif(cause.data ->> 'to' = 'closed', 'guarantee.returned', 'guarantee.honoured')) IS NOT 1`,
  ],
  ...differences(
    'balances',
    'account, balance, movements',
    `
     SELECT aggregate_id, sum(${amountOf('log')}), count(*) FROM log WHERE aggregate = 'account' GROUP BY 1`,
  ),
  ...differences(
    'payments',
    'pair, payments, total, last',
    `
     SELECT aggregate_id || '>' || (data ->> 'to'), count(*), sum(data ->> 'amount'), max(data ->> 'n')
     FROM log WHERE type = 'account.sent' GROUP BY 1`,
  ),
  ...differences(
    'told',
    'account, balance, movements',
    `
     SELECT aggregate_id, sum(${amountOf('log')}), count(*) FROM log WHERE aggregate = 'account' AND aggregate_id LIKE 'a%' GROUP BY 1`,
  ),
];

function amountOf(log: string): string {
  return `iif(${log}.type = 'account.sent', -1, 1) * (${log}.data ->> 'amount')`;
}

/** Rows of a table that a fresh fold does not have, and the other way round. */
function differences(table: string, columns: string, fold: string): [string, string][] {
  return [
    [`a row of ${table} that a fresh fold does not have`, `SELECT ${columns} FROM ${table} EXCEPT ${fold}`],
    [`a row that a fresh fold has and ${table} has not`, `${fold} EXCEPT SELECT ${columns} FROM ${table}`],
  ];
}

/** A command as the check knows it. */
export interface CheckedCommand {
  readonly id: string;
  readonly type: string;
  readonly account: string;
  readonly amount: number;
  readonly to: string;
  readonly acknowledged: boolean;
  /** Events that it has when it is done. */
  readonly events: number;
}

/** A state as the system tells it. */
export interface ToldState {
  readonly account: string;
  readonly balance: number;
  readonly movements: number;
}

export interface CheckResult {
  /** Empty when all is well. */
  readonly faults: readonly string[];
  readonly events: number;
  /** Payments to the closed account. */
  readonly refused: number;
}

/** Looks at a journal; when the system has settled, also for what is missing, and at the read models. */
export async function checkJournal(
  journal: string,
  commands: readonly CheckedCommand[],
  settled: { readonly states: readonly ToldState[] } | undefined,
): Promise<CheckResult> {
  const database = await openDatabase(':memory:');
  const all = (sql: string, ...params: unknown[]): Promise<Row[]> => query(database, sql, params);
  try {
    await all('ATTACH ? AS journal', journal);
    await all('CREATE TEMP TABLE log AS SELECT * FROM journal.event_log');
    for (const index of ['position', 'event_id', 'command_id', 'causation_id', 'aggregate, aggregate_id, version']) {
      await all(`CREATE INDEX temp.by_${index.replaceAll(', ', '_')} ON log (${index})`);
    }
    await all('CREATE TEMP VIEW snapshot_log AS SELECT * FROM journal.snapshot_log');
    await all(
      `CREATE TEMP TABLE known AS SELECT value ->> 'id' AS id, value ->> 'type' AS type, value ->> 'account' AS account,
         value ->> 'amount' AS amount, value ->> 'to' AS receiver, value ->> 'acknowledged' AS acknowledged,
         value ->> 'events' AS events FROM json_each(?)`,
      JSON.stringify(commands),
    );
    await all('CREATE UNIQUE INDEX temp.known_id ON known (id)');
    const checks = [...ALWAYS];
    if (settled !== undefined) {
      await all('ATTACH ? AS views', `${journal}.views`);
      await all(
        `CREATE TEMP TABLE told AS SELECT value ->> 'account' AS account, value ->> 'balance' AS balance,
           value ->> 'movements' AS movements FROM json_each(?) WHERE value ->> 'movements' > 0`,
        JSON.stringify(settled.states),
      );
      checks.push(...SETTLED);
    }
    const faults: string[] = [];
    for (const [fault, sql] of checks) {
      const rows = await all(`SELECT * FROM (${sql}) LIMIT 5`);
      if (rows.length > 0) faults.push(`${fault}: ${JSON.stringify(rows)}`);
    }
    const integrity = await all('PRAGMA journal.integrity_check(5)');
    if (integrity[0]?.['integrity_check'] !== 'ok') faults.push(`SQLite: ${JSON.stringify(integrity)}`);
    const [counts] = await all(
      `SELECT count(*) AS events, coalesce(sum(type = 'account.sent' AND data ->> 'to' = 'closed'), 0) AS refused FROM log`,
    );
    return { faults, events: Number(counts?.['events']), refused: Number(counts?.['refused']) };
  } finally {
    await new Promise((resolve) => database.close(resolve));
  }
}

function openDatabase(path: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(path, (error) => (error === null ? resolve(database) : reject(error)));
  });
}

function query(database: sqlite3.Database, sql: string, params: readonly unknown[]): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    database.all(sql, params, (error: Error | null, rows: Row[]) => {
      if (error === null) resolve(rows);
      else reject(new Error(`${error.message} in ${sql}`));
    });
  });
}
