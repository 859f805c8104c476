/**
 * Brings dead letters to the journal, in batches: the first at once, then what has gathered, a few times a second.
 *
 * A flood of letters is one write with one change for each letter still kept. Nothing is given up when a write
 * fails; it is tried again, and whoever needs certainty asks `flushed`.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { Journal, RecordChange } from '../journal/journal.js';
import { asTroupeError } from '../reactions/letter-error.js';
import { letterErasure } from './dead-letter-record.js';

/** Milliseconds after a failed write until the next try. */
const RETRY_MS = 1_000;

export class DeadLetterWriter {
  readonly #journal: Pick<Journal, 'writeRecords'>;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  /** Latest change of each letter that is not on its way to the journal yet. */
  #pending = new Map<string, RecordChange>();
  /** Letters that have a record, or will have one when the write under way ends. */
  readonly #recorded = new Set<string>();
  /** Resolves with the error of the write under way, or with undefined. It never rejects. */
  #writing: Promise<TroupeError | undefined> | undefined;
  #timer: Timer | undefined;
  /** Number of the last change, and of the last one that is durable. */
  #changes = 0;
  #durable = 0;
  #scheduled = false;
  #stopped = false;

  /** @param failed is told of each write that failed. */
  constructor(journal: Pick<Journal, 'writeRecords'>, clock: Clock, failed: (error: unknown) => void) {
    this.#journal = journal;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** A letter that was found in the journal, or whose record somebody else has written. */
  known(id: string): void {
    this.#recorded.add(id);
  }

  /** A letter whose record somebody else has deleted. */
  unknown(id: string): void {
    this.#recorded.delete(id);
    this.#pending.delete(id);
  }

  put(record: RecordChange): void {
    this.#pending.set(record.key, record);
    this.#changes += 1;
    this.#schedule();
  }

  erase(id: string): void {
    if (this.#recorded.has(id)) this.put(letterErasure(id));
    else this.#pending.delete(id);
  }

  /** Resolves when every change so far is durable; rejects when it can't be written now (it is tried again). */
  async flushed(): Promise<void> {
    const change = this.#changes;
    while (this.#durable < change) {
      const error = await (this.#writing ?? this.#write());
      if (error !== undefined) throw error;
    }
  }

  /** Writes what is left, once; no timer is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    if (this.#writing !== undefined) await this.#writing;
    if (this.#pending.size > 0) await this.#write();
    this.#cancelTimer();
  }

  /** The next write: at the end of this turn, unless one is under way or was a moment ago. */
  #schedule(): void {
    if (this.#scheduled || this.#stopped || this.#writing !== undefined || this.#timer !== undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#writing === undefined && this.#pending.size > 0) void this.#write();
    });
  }

  #write(): Promise<TroupeError | undefined> {
    this.#cancelTimer();
    const changes = this.#pending;
    const last = this.#changes;
    this.#pending = new Map();
    for (const { key, value } of changes.values()) {
      if (value === undefined) this.#recorded.delete(key);
      else this.#recorded.add(key);
    }
    this.#writing = this.#journal.writeRecords([...changes.values()]).then(
      () => {
        this.#durable = last;
        return this.#written(LIMITS.checkpointEveryMs, undefined);
      },
      (error: unknown) => {
        this.#putBack(changes);
        this.#failed(error);
        return this.#written(RETRY_MS, asTroupeError(error, 'dead letters'));
      },
    );
    return this.#writing;
  }

  #written(pauseMs: number, error: TroupeError | undefined): TroupeError | undefined {
    this.#writing = undefined;
    if (this.#stopped) return error;
    this.#timer = this.#clock.setTimer(
      pauseMs,
      () => {
        this.#timer = undefined;
        if (this.#pending.size > 0) void this.#write();
      },
      true,
    );
    return error;
  }

  /** What has changed since goes before what could not be written; whether that is there, nobody knows. */
  #putBack(changes: ReadonlyMap<string, RecordChange>): void {
    const newer = this.#pending;
    this.#pending = new Map(changes);
    for (const [key, change] of newer) this.#pending.set(key, change);
    for (const key of changes.keys()) this.#recorded.add(key);
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
