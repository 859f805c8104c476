/**
 * The least a durable write can be: one writer through the `sqlite3` driver that stores everything waiting as one row,
 * one row per commit, and answers when that is done.
 *
 * WAL with `synchronous = FULL` makes each commit an fsync; with NORMAL it is what `durability: 'os'` promises. No index,
 * no versions, no deduplication, no reader: what a journal adds to this is the price of its promises.
 */
import sqlite3 from 'sqlite3';

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class RawWriter {
  readonly #database: sqlite3.Database;
  readonly #insert: sqlite3.Statement;
  #waiting: Waiting[] = [];
  #scheduled = false;

  private constructor(database: sqlite3.Database) {
    this.#database = database;
    this.#insert = database.prepare('INSERT INTO commits (body) VALUES (?)');
  }

  static async open(file: string, synchronous: 'FULL' | 'NORMAL'): Promise<RawWriter> {
    const database = await openDatabase(file, sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE);
    await settled((done) =>
      database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 10000;
         CREATE TABLE commits (id INTEGER PRIMARY KEY, body TEXT NOT NULL)`,
        done,
      ),
    );
    return new RawWriter(database);
  }

  /** Resolves when the text, one JSON value, is stored. */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      queueMicrotask(this.#commit);
    });
  }

  async close(): Promise<void> {
    await settled((done) => this.#insert.finalize(done));
    await settled((done) => this.#database.close(done));
  }

  /** One commit at a time; what comes meanwhile goes into the next one. */
  readonly #commit = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    const texts = new Array<string>(waiting.length);
    for (let i = 0; i < waiting.length; i += 1) texts[i] = waiting[i]?.text ?? '';
    this.#insert.run(`[${texts.join(',')}]`, (error: Error | null) => {
      this.#scheduled = this.#waiting.length > 0;
      if (this.#scheduled) this.#commit();
      for (const { resolve, reject } of waiting) {
        if (error === null) resolve();
        else reject(error);
      }
    });
  };
}

/** How many rows, or elements of rows, a statement such as `SELECT count(*) AS n FROM …` finds in a file. */
export async function countInFile(file: string, sql: string): Promise<number> {
  const database = await openDatabase(file, sqlite3.OPEN_READONLY);
  const row = await new Promise<{ n: number }>((resolve, reject) => {
    database.get<{ n: number }>(sql, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
  await settled((done) => database.close(done));
  return row.n;
}

async function openDatabase(file: string, mode: number): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, mode, (error) => (error === null ? resolve(database) : reject(error)));
  });
}

function settled(call: (done: (error?: Error | null) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
