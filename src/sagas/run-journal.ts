/**
 * The pen of one run: adds entries to its history, in order and without a hole, whatever writes fail.
 *
 * Writes follow each other without waiting, because the journal commits in the order queued: what a command leads
 * to is never durable before the entries that led to the command. When a write fails, everything from there on is
 * written again until it is durable, and nobody sends a command meanwhile (`broken`).
 */
import { LIMITS } from '../core/limits.js';
import type { Journal, RecordChange } from '../journal/journal.js';
import type { TimerChange } from '../journal/timer-change.js';
import { backoffMs } from '../reactions/backoff.js';
import type { Pauses } from '../reactions/pauses.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import type { SagaEntry } from './saga-entries.js';
import { rowRecord } from './saga-records.js';

export interface PenSurroundings {
  readonly journal: Pick<Journal, 'writeRecords'>;
  readonly pauses: Pauses;
  readonly warnings: ThrottledLog;
}

interface Write {
  readonly changes: readonly RecordChange[];
  readonly timers: readonly TimerChange[];
  landed: boolean;
  waiting: (() => void)[] | undefined;
}

export class RunJournal {
  readonly #around: PenSurroundings;
  readonly #what: string;
  #run: string;
  #row: number;
  #entries: SagaEntry[] = [];
  /** From the first that isn't durable on. */
  readonly #writes: Write[] = [];
  #underWay = 0;
  #broken = false;

  /** @param what whose history it is, for people @param row number of the next row */
  constructor(around: PenSurroundings, what: string, run: string, row: number) {
    this.#around = around;
    this.#what = what;
    this.#run = run;
    this.#row = row;
  }

  /** Whether a write has failed and isn't made good yet. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Whether everything added is durable. */
  get clean(): boolean {
    return this.#entries.length === 0 && this.#writes.length === 0;
  }

  /** Whether something was added and not flushed. */
  get hasEntries(): boolean {
    return this.#entries.length > 0;
  }

  /** Keys of the rows so far end below this number. */
  get rows(): number {
    return this.#row;
  }

  /** As `rows`, once what was added is flushed. */
  get rowsSoon(): number {
    return this.#row + (this.#entries.length > 0 ? 1 : 0);
  }

  /** Adds an entry to the next row. */
  add(entry: SagaEntry): void {
    this.#entries.push(entry);
  }

  /** Goes on with another history. */
  turnTo(run: string): void {
    this.flush();
    this.#run = run;
    this.#row = 0;
  }

  /** Writes the row, and other records and timers together with it, all or none. */
  flush(others: readonly RecordChange[] = [], timers: readonly TimerChange[] = []): void {
    if (this.#entries.length === 0 && others.length === 0 && timers.length === 0) return;
    const changes = [...others];
    if (this.#entries.length > 0) {
      changes.push(rowRecord(this.#run, this.#row, this.#entries));
      this.#row += 1;
      this.#entries = [];
    }
    const write: Write = { changes, timers, landed: false, waiting: undefined };
    this.#writes.push(write);
    if (!this.#broken) this.#send(write);
  }

  /** Resolves when everything flushed so far is durable. */
  durable(): Promise<void> {
    const last = this.#writes.at(-1);
    if (last === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      (last.waiting ??= []).push(resolve);
    });
  }

  #send(write: Write): void {
    this.#underWay += 1;
    this.#around.journal.writeRecords(write.changes, write.timers).then(
      () => {
        write.landed = true;
        this.#settled();
      },
      (error: unknown) => {
        this.#broken = true;
        this.#around.warnings.write(
          'write failed',
          `saga ${this.#what}: its history could not be written yet; trying again`,
          { error },
        );
        this.#settled();
      },
    );
  }

  #settled(): void {
    this.#underWay -= 1;
    this.#release();
    if (this.#broken && this.#underWay === 0) void this.#mend();
  }

  #release(): void {
    while (this.#writes[0]?.landed === true) {
      for (const resolve of this.#writes.shift()?.waiting ?? []) resolve();
    }
  }

  /** Writes everything from the first failed write on, in order: what came through is the same once more. */
  async #mend(): Promise<void> {
    const { journal, pauses } = this.#around;
    for (let failures = 1; ; failures += 1) {
      await pauses.wait(backoffMs(failures, LIMITS.loadBackoffMinMs, LIMITS.loadBackoffMaxMs));
      if (pauses.ended) return;
      const writes = [...this.#writes];
      try {
        await journal.writeRecords(
          writes.flatMap(({ changes }) => changes),
          writes.flatMap(({ timers }) => timers),
        );
      } catch {
        continue;
      }
      for (const write of writes) write.landed = true;
      this.#broken = false;
      const later = this.#writes.slice(writes.length);
      this.#release();
      for (const write of later) this.#send(write);
      return;
    }
  }
}
