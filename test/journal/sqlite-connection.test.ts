/** When the calls of a connection run: at once while it is idle, else one after the other. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { SqliteConnection } from '../../src/journal/sqlite-connection.js';
import { inFolder } from './journal-harness.js';

const INSERT = 'INSERT INTO line (text) VALUES (?)';

async function withConnection(use: (connection: SqliteConnection, log: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, 'c.db');
    const connection = await SqliteConnection.open(path, { mode: 'create', pragmas: ['journal_mode = WAL'] });
    await connection.exec('CREATE TABLE line (id INTEGER PRIMARY KEY, text TEXT)');
    await use(connection, `${path}-wal`);
    await connection.close();
  });
}

describe('a connection', () => {
  it('has the database work on a call while the thread that made it goes on without a pause', () =>
    withConnection(async (connection, log) => {
      await connection.run(INSERT, 'prepares the statement');
      const before = statSync(log).size;
      const running = connection.run(INSERT, 'x'.repeat(100_000));
      // No microtask and no turn of the loop comes before this is over.
      const giveUpAt = Date.now() + 10_000;
      while (statSync(log).size === before && Date.now() < giveUpAt);
      expect(statSync(log).size).to.be.greaterThan(before);
      await running;
    }));

  it('runs calls in the order made, also behind one that fails, and mixes none into a transaction', () =>
    withConnection(async (connection) => {
      const calls = [
        connection.run(INSERT, 'first'),
        connection.run('INSERT INTO nowhere VALUES (1)').catch(() => undefined),
        connection.transaction(async (session) => {
          await session.run(INSERT, 'second');
          await session.run(INSERT, 'third');
        }),
        connection.run(INSERT, 'fourth'),
      ];
      const rows = connection.all<{ text: string }>('SELECT text FROM line ORDER BY id');
      await Promise.all(calls);
      expect((await rows).map(({ text }) => text)).to.deep.equal(['first', 'second', 'third', 'fourth']);
    }));

  it('can be used again after a call that was refused before it reached the database', () =>
    withConnection(async (connection) => {
      // JavaScript may bind anything.
      const error = await connection.run(INSERT, {} as string).then(String, String);
      expect(error).to.contain('parameter 1').and.to.contain('is of type object');
      expect((await connection.run(INSERT, 'good')).changes).to.equal(1);
    }));
});
