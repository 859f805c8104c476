/** Emmett's event store on SQLite: durable appends to streams, and reading them again. */
import { getSQLiteEventStore } from '@event-driven-io/emmett-sqlite';
import sqlite3 from 'sqlite3';

// The driver's `get` leaves its statement open while its callback runs, and Emmett commits in there: with version 6 of the
// driver SQLite refuses that. `all` does not.
sqlite3.Database.prototype.get = function (sql, params, callback) {
  const done = typeof params === 'function' ? params : callback;
  return this.all(sql, typeof params === 'function' ? [] : params, (error, rows) => done(error, rows?.[0]));
};

/** `append(stream, amounts)` resolves when the events are stored; `count()` is asked of the file. */
export async function emmett(fileName) {
  const store = getSQLiteEventStore({ fileName, schema: { autoMigration: 'CreateOrUpdate' } });
  return {
    append: (stream, amounts) =>
      store.appendToStream(
        stream,
        amounts.map((amount) => ({ type: 'account.deposited', data: { amount } })),
      ),
    read: async (stream) => (await store.readStream(stream)).events.length,
    count: () => countIn(fileName),
  };
}

function countIn(fileName) {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(fileName, sqlite3.OPEN_READONLY);
    database.get('SELECT count(*) AS n FROM emt_messages', (error, row) => {
      database.close();
      if (error) reject(error);
      else resolve(row.n);
    });
  });
}
