/**
 * Moves what stands in the write-ahead log into the file, when nobody commits, on a connection of its own.
 *
 * SQLite's own checkpoint, every 10,000 pages, stays as the bound; each one holds up a commit for some 100 ms. In
 * the quiet it costs nobody anything, and readers of the file have a short log to search.
 *
 * @see https://www.sqlite.org/wal.html#ckpt
 */
import type { Clock, Timer } from '../core/clock.js';
import type { SqliteConnection } from './sqlite-connection.js';

/** Without a commit for so long the journal counts as quiet. */
const QUIET_MS = 200;

export interface CheckpointerOptions {
  readonly connection: SqliteConnection;
  readonly clock: Clock;
  readonly warn: (message: string, cause?: unknown) => void;
  /** What else waits for the quiet; runs first. */
  readonly before: () => Promise<void>;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  /** Commits have ended for now. */
  quiet(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(
      QUIET_MS,
      () => {
        this.#timer = undefined;
        this.#running = this.#run();
      },
      true,
    );
  }

  /** A commit has come in. */
  busy(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Checkpoints a last time and closes the connection. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.busy();
    await this.#running;
    await this.#run();
    await this.#options.connection.close();
  }

  async #run(): Promise<void> {
    try {
      await this.#options.before();
      await this.#options.connection.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch (error) {
      this.#options.warn('a checkpoint of the journal failed; it will be tried again in the next quiet moment', error);
    }
  }
}
