/**
 * What sagas keep in the journal, for `troupe verify`: heads, histories and timers fit each other, and the events.
 *
 * Told of records and timers by the check of the journal, so all of it is of one moment, also beside a running
 * system. Records come in order of kind and key: heads before histories, and the rows of a history one after another.
 */
import type { KindRecord } from '../journal/verify-journal.js';
import type { StoredTimer } from '../journal/timer-change.js';
import type { SagaEntry } from '../sagas/saga-entries.js';
import { SAGA, SAGA_HISTORY, type SagaHead, sagaOfTimer } from '../sagas/saga-records.js';
import type { Finding } from './verify-findings.js';

export const SAGA_CHECK = 'sagas';

/** A saga that has not ended. */
interface Living {
  readonly key: string;
  readonly run: string;
  readonly byEvent: boolean;
  /** When a timer has to wake it. */
  readonly due: number | undefined;
  rows: number;
}

export class SagaCheck {
  readonly #found: (finding: Finding) => void;
  readonly #byRun = new Map<string, Living>();
  readonly #timed = new Set<string>();
  /** Greatest position that sagas name, and where. */
  #furthest = { position: 0, where: '' };
  #run = '';
  #nextRow = 0;
  #histories = 0;

  constructor(found: (finding: Finding) => void) {
    this.#found = found;
  }

  /** What was looked at, in words. */
  get checked(): string {
    return `${this.#byRun.size} that have not ended, ${this.#histories} histories`;
  }

  record({ kind, key, value }: KindRecord): void {
    // What these kinds hold is written by saga-records.ts alone.
    if (kind === SAGA) this.#head(key, value as SagaHead);
    else if (kind === SAGA_HISTORY) this.#row(key, value as readonly SagaEntry[]);
  }

  timer({ owner }: StoredTimer): void {
    const key = sagaOfTimer(owner);
    if (key !== undefined) this.#timed.add(key);
  }

  /** What shows only when all has been told. */
  end(head: number, now: number): void {
    for (const { key, byEvent, rows, due } of this.#byRun.values()) {
      if (!byEvent && rows === 0) this.#add(`saga ${key} has no history, so its input is lost`);
      // One that is due may be waking just now.
      if (due !== undefined && due > now && !this.#timed.has(key))
        this.#add(`saga ${key} is to wake at ${new Date(due).toISOString()}, and no timer does that`);
    }
    const { position, where } = this.#furthest;
    if (position > head) this.#add(`${where} is at position ${position}, the events end at ${head}`, position);
  }

  #head(key: string, { run, byEvent, after = {}, idle }: SagaHead): void {
    this.#byRun.set(run, { key, run, byEvent, due: idle?.due, rows: 0 });
    this.#names(`saga ${key}`, Math.max(0, ...Object.values(after)));
    for (const { searchedTo } of idle?.waits ?? []) this.#names(`saga ${key}`, searchedTo);
  }

  #row(key: string, entries: readonly SagaEntry[]): void {
    const slash = key.lastIndexOf('/');
    const run = key.slice(0, slash);
    const row = Number(key.slice(slash + 1));
    if (run !== this.#run) {
      this.#run = run;
      this.#nextRow = 0;
      this.#histories += 1;
    }
    const living = this.#byRun.get(run);
    const name = living === undefined ? `the history ${run}` : `the history of saga ${living.key}`;
    if (row !== this.#nextRow) this.#add(`${name}: row ${this.#nextRow} should follow, ${row} stands there`);
    this.#nextRow = row + 1;
    if (living !== undefined) living.rows += 1;
    for (const entry of entries) {
      if ('begun' in entry) this.#names(name, entry.after ?? 0);
      else if ('done' in entry) this.#names(name, entry.event ?? 0);
    }
  }

  #names(where: string, position: number): void {
    if (position > this.#furthest.position) this.#furthest = { position, where };
  }

  #add(message: string, position?: number): void {
    this.#found({
      check: SAGA_CHECK,
      code: 'TROUPE_JOURNAL_CORRUPT',
      message,
      ...(position === undefined ? {} : { position }),
    });
  }
}
