/**
 * Moves what stands in the write-ahead log into the file, on a connection of its own, beside the commits.
 *
 * SQLite's own checkpoint, every 10,000 pages, runs inside a commit and holds it up for some 100 ms. This one begins
 * earlier and copies while commits go on; only for the rest, which is small then, they wait a moment, because the
 * log starts anew only when all of it is copied. In the quiet it finishes whatever is left. SQLite's own stays as the
 * bound, should readers hold this one up.
 *
 * @see https://www.sqlite.org/wal.html#ckpt
 */
import type { Clock, Timer } from '../core/clock.js';
import type { SqliteConnection } from './sqlite-connection.js';

/** Without a commit for so long the journal counts as quiet. */
const QUIET_MS = 200;

/** Characters committed after which a checkpoint begins under load: some 4,000 pages of log. */
const LOAD_CHARS = 8_000_000;

/** Characters committed that are worth a checkpoint in the quiet. */
const QUIET_CHARS = 1_000_000;

export interface CheckpointerOptions {
  readonly connection: SqliteConnection;
  readonly clock: Clock;
  readonly warn: (message: string, cause?: unknown) => void;
  /** Runs a task while no commit is under way. */
  readonly between: (task: () => Promise<void>) => Promise<void>;
  /** What else waits for the quiet; runs first. */
  readonly inQuiet: () => Promise<void>;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #chars = 0;
  #closed = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  /** Commits have ended for now. */
  quiet(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    const fire = (): void => {
      this.#timer = undefined;
      if (this.#chars < QUIET_CHARS) return;
      this.#chars = 0;
      this.#start(() => this.#inQuiet());
    };
    this.#timer = this.#options.clock.setTimer(QUIET_MS, fire, true);
  }

  /** Commits go on. */
  busy(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A commit has put so many characters into the log. */
  committed(chars: number): void {
    this.#chars += chars;
    if (this.#chars < LOAD_CHARS || this.#running !== undefined || this.#closed) return;
    this.#chars = 0;
    this.#start(() => this.#underLoad());
  }

  /** Checkpoints a last time and closes the connection. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.busy();
    await this.#running;
    this.#start(() => this.#inQuiet());
    await this.#running;
    await this.#options.connection.close();
  }

  #start(work: () => Promise<void>): void {
    if (this.#running !== undefined) return;
    this.#running = work()
      .catch((error: unknown) => {
        this.#options.warn('a checkpoint of the journal failed; the next quiet moment brings another one', error);
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #inQuiet(): Promise<void> {
    await this.#options.inQuiet();
    await this.#checkpoint();
  }

  /** What was committed during the first one is the rest, 100 to 200 pages. */
  async #underLoad(): Promise<void> {
    await this.#checkpoint();
    await this.#options.between(() => this.#checkpoint());
  }

  #checkpoint(): Promise<void> {
    return this.#options.connection.exec('PRAGMA wal_checkpoint(PASSIVE)');
  }
}
