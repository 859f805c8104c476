/** The process that `exactly-once.test.ts` kills: folds a log into the file that it is told, and writes a dot for each batch. */
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.js';
import { SqliteConnection, type SqliteSession } from '../../src/journal/sqlite-connection.js';
import { Projections } from '../../src/projections/projections.js';
import { counting, mixture } from './counting.js';
import { EventLog } from './event-log.js';
import { LogLines } from './read-models.js';

const { run, transaction } = SqliteConnection.prototype;
SqliteConnection.prototype.run = async function (sql, ...params) {
  const result = await run.call(this, sql, ...params);
  if (sql.includes('troupe_apply')) writeSync(1, '.');
  return result;
};
SqliteConnection.prototype.transaction = async function <T>(work: (session: SqliteSession) => Promise<T>): Promise<T> {
  // The type parameter is lost by `call`; the original gives what `work` gives.
  const result = (await transaction.call(this, work)) as T;
  writeSync(1, '.');
  return result;
};

const log = new EventLog('journal-of-the-child');
log.add(...mixture(12_000, 300));
log.reopen();
const projections = new Projections({
  journal: log.journal,
  window: log.window,
  definitions: counting,
  viewsPath: process.argv[2] ?? '',
  clock: systemClock,
  log: new LogLines(),
});
await projections.start();
// Whoever started it ends it.
systemClock.setTimer(60_000, () => process.exit(1));
