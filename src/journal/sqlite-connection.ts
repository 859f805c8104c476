/**
 * One SQLite database as promises: the only file that touches the `sqlite3` driver.
 *
 * Calls on a connection run one at a time, in the order made, so that a transaction never mixes with other
 * calls; each call is one trip to libuv's pool (20 to 50 µs), so hot paths hand over one statement with much in
 * it. Statements are prepared once and kept. What SQLite refuses comes as TroupeError (`sqlite-error.ts`).
 * A connection belongs to a thread that is never ended while a statement is in flight: the main thread.
 */
import { pathToFileURL } from 'node:url';
import type { Database, Statement } from 'sqlite3';
import { TroupeError } from '../core/troupe-error.js';
import { loadSqliteDriver } from './sqlite-driver.js';
import { sqliteError } from './sqlite-error.js';

/** What SQLite stores and returns. Integers beyond 2^53 lose digits; the journal has none. */
export type SqliteValue = string | number | null | Uint8Array;

/** One row of an answer; the caller names the columns that its statement selects. */
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

/** What a writing statement did. */
export interface RunResult {
  readonly changes: number;
  readonly lastId: number;
}

/** The calls that a connection, and a transaction on it, answer. */
export interface SqliteSession {
  /** Runs one writing statement. */
  run(sql: string, ...params: readonly SqliteValue[]): Promise<RunResult>;
  /** All rows of one statement. */
  all<Row = SqliteRow>(sql: string, ...params: readonly SqliteValue[]): Promise<Row[]>;
  /** The first row of one statement, or undefined. The statement is read to its end: let it be one row. */
  get<Row = SqliteRow>(sql: string, ...params: readonly SqliteValue[]): Promise<Row | undefined>;
  /** Runs a script of several statements without parameters. */
  exec(sql: string): Promise<void>;
}

export interface SqliteOpenOptions {
  /** `create` makes the file when it is missing, `write` and `read` want it to be there. */
  readonly mode: 'create' | 'write' | 'read';
  /** The file can't change while it is open: no locks, no log, no trace. Only for reading. Default false. */
  readonly immutable?: boolean;
  /** How long a statement waits for another process's lock. Default 5 s. */
  readonly busyTimeoutMs?: number;
  /** Such as `synchronous = FULL`; run in this order after opening. */
  readonly pragmas?: readonly string[];
  /** Statements kept prepared, the least recently used one is dropped. Default 100. */
  readonly statements?: number;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5_000;
const DEFAULT_STATEMENTS = 100;

/** A connection to one SQLite file. */
export class SqliteConnection implements SqliteSession {
  readonly path: string;
  readonly #session: DriverSession;
  /** The last call's end; it never rejects. */
  #tail: Promise<unknown> = Promise.resolve();
  /** Calls that have not ended. */
  #calls = 0;
  #closing: Promise<void> | undefined;

  private constructor(path: string, session: DriverSession) {
    this.path = path;
    this.#session = session;
  }

  /**
   * @throws TROUPE_INVALID_OPTIONS when the path can't be opened, or the driver is not installed whole.
   * @throws TROUPE_JOURNAL_CORRUPT when a pragma finds that the file is no SQLite database.
   */
  static async open(path: string, options: SqliteOpenOptions): Promise<SqliteConnection> {
    const driver = await loadSqliteDriver();
    const flags = {
      create: driver.OPEN_READWRITE | driver.OPEN_CREATE,
      write: driver.OPEN_READWRITE,
      read: driver.OPEN_READONLY,
    }[options.mode];
    const immutable = options.immutable === true;
    const name = immutable ? `${pathToFileURL(path).href}?immutable=1` : path;
    const database = await new Promise<Database>((resolve, reject) => {
      const opened = new driver.Database(
        name,
        flags | (immutable ? driver.OPEN_URI : driver.OPEN_FULLMUTEX),
        (error) => {
          if (error === null) resolve(opened);
          else reject(sqliteError(error, path));
        },
      );
    });
    database.configure('busyTimeout', options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS);
    const session = new DriverSession(database, path, options.statements ?? DEFAULT_STATEMENTS);
    const connection = new SqliteConnection(path, session);
    try {
      for (const pragma of options.pragmas ?? []) await connection.exec(`PRAGMA ${pragma}`);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  run(sql: string, ...params: readonly SqliteValue[]): Promise<RunResult> {
    return this.#inTurn(() => this.#session.run(sql, ...params));
  }

  all<Row = SqliteRow>(sql: string, ...params: readonly SqliteValue[]): Promise<Row[]> {
    return this.#inTurn(() => this.#session.all<Row>(sql, ...params));
  }

  get<Row = SqliteRow>(sql: string, ...params: readonly SqliteValue[]): Promise<Row | undefined> {
    return this.#inTurn(() => this.#session.get<Row>(sql, ...params));
  }

  exec(sql: string): Promise<void> {
    return this.#inTurn(() => this.#session.exec(sql));
  }

  /** Runs `work` as one transaction, all or nothing; other calls on this connection wait until it has ended. */
  transaction<T>(work: (session: SqliteSession) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#session.exec('BEGIN IMMEDIATE');
      try {
        const result = await work(this.#session);
        await this.#session.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite may have rolled back by itself (disk full); that there is nothing to roll back is no news then.
        await this.#session.exec('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  /** Waits for the calls made so far, then closes; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#tail.then(() => this.#session.close());
    return this.#closing;
  }

  readonly #ended = (): void => {
    this.#calls -= 1;
  };

  /** On an idle connection a call leaves at once: the driver has it when this returns. */
  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      return Promise.reject(
        new TroupeError('TROUPE_SYSTEM_STOPPED', `${this.path}: the connection is closed; start the system again`),
      );
    }
    const result = this.#calls === 0 ? call() : this.#tail.then(call);
    this.#calls += 1;
    this.#tail = result.then(this.#ended, this.#ended);
    return result;
  }
}

/** The driver's database with its prepared statements, without turns. A statement that is prepared runs at once. */
class DriverSession implements SqliteSession {
  readonly #database: Database;
  readonly #path: string;
  readonly #capacity: number;
  /** By SQL text, in order of use. */
  readonly #statements = new Map<string, Statement>();

  constructor(database: Database, path: string, capacity: number) {
    this.#database = database;
    this.#path = path;
    this.#capacity = capacity;
  }

  async run(sql: string, ...params: readonly SqliteValue[]): Promise<RunResult> {
    checkParams(params, sql);
    const statement = this.#known(sql) ?? (await this.#prepare(sql));
    return new Promise((resolve, reject) => {
      const path = this.#path;
      statement.run(params, function (error) {
        if (error === null) resolve({ changes: this.changes, lastId: this.lastID });
        else reject(sqliteError(error, path));
      });
    });
  }

  async all<Row>(sql: string, ...params: readonly SqliteValue[]): Promise<Row[]> {
    checkParams(params, sql);
    const statement = this.#known(sql) ?? (await this.#prepare(sql));
    return new Promise((resolve, reject) => {
      statement.all<Row>(params, (error, rows) => {
        if (error === null) resolve(rows);
        else reject(sqliteError(error, this.#path));
      });
    });
  }

  /** Not the driver's `get`, which leaves its statement open after the first row, and with it a read transaction. */
  async get<Row>(sql: string, ...params: readonly SqliteValue[]): Promise<Row | undefined> {
    const rows = await this.all<Row>(sql, ...params);
    return rows[0];
  }

  exec(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#database.exec(sql, (error) => {
        if (error === null) resolve();
        else reject(sqliteError(error, this.#path));
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#statements.values(), finalize));
    this.#statements.clear();
    await new Promise<void>((resolve, reject) => {
      this.#database.close((error) => {
        if (error === null) resolve();
        else reject(sqliteError(error, this.#path));
      });
    });
  }

  #known(sql: string): Statement | undefined {
    const known = this.#statements.get(sql);
    if (known === undefined) return undefined;
    this.#statements.delete(sql);
    this.#statements.set(sql, known);
    return known;
  }

  async #prepare(sql: string): Promise<Statement> {
    const statement = await new Promise<Statement>((resolve, reject) => {
      const prepared = this.#database.prepare(sql, (error: Error | null) => {
        if (error === null) resolve(prepared);
        else reject(sqliteError(error, this.#path));
      });
    });
    this.#statements.set(sql, statement);
    for (const [oldest, dropped] of this.#statements) {
      if (this.#statements.size <= this.#capacity) break;
      this.#statements.delete(oldest);
      await finalize(dropped);
    }
    return statement;
  }
}

/** The driver binds undefined as NULL, objects as '[object Object]' and bigint as NULL, all in silence. */
function checkParams(params: readonly unknown[], sql: string): void {
  for (let i = 0; i < params.length; i += 1) {
    const param = params[i];
    if (typeof param === 'string' || typeof param === 'number' || param === null) continue;
    if (param instanceof Uint8Array) continue;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `parameter ${i + 1} of the SQL statement "${sql.slice(0, 200)}" is of type ${typeof param}; ` +
        'use strings, numbers, null or bytes',
    );
  }
}

function finalize(statement: Statement): Promise<void> {
  return new Promise((resolve) => {
    statement.finalize(() => {
      resolve();
    });
  });
}
