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

/**
 * Bytes of log after which a checkpoint begins under load: 2,000 pages. Written over, the log's blocks are on the disk in two
 * thirds of the time that it takes when the file grows, so it is worth little to let it become longer.
 */
const LOAD_BYTES = 8_000_000;

/** Bytes of log that are worth a checkpoint in the quiet. */
const QUIET_BYTES = 1_000_000;

/** What a commit puts into the log beside its characters: however few they are, a whole page of the file. */
const PAGE_BYTES = 4_096;

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
  /** Bytes of log since the last checkpoint, as far as they are known. */
  #logged = 0;
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
      if (this.#logged < QUIET_BYTES) return;
      this.#logged = 0;
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
    this.#logged += chars + PAGE_BYTES;
    if (this.#logged < LOAD_BYTES || this.#running !== undefined || this.#closed) return;
    this.#logged = 0;
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
