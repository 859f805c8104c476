/**
 * A write of records that waits in the journal's queue between the entries, so that it commits in its turn.
 *
 * Without changes it is a marker: settled when everything queued before it is.
 */
import type { RecordChange } from './journal.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { TimerChange } from './timer-change.js';

/** One change of a record; `text` is the JSON of its value, or undefined for a record that goes. */
export interface RecordText {
  readonly kind: string;
  readonly key: string;
  readonly text: string | undefined;
}

/** Queued changes of records and timers, and the promise for them. */
export class RecordWrite {
  readonly changes: readonly RecordText[];
  readonly timers: readonly TimerChange[];
  readonly settled: Promise<void>;
  #resolve: () => void = unset;
  #reject: (error: TroupeError) => void = unset;

  constructor(changes: readonly RecordChange[], timers: readonly TimerChange[] = []) {
    this.changes = changes.map(({ kind, key, value }) => ({ kind, key, text: JSON.stringify(value) }));
    this.timers = timers;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  committed(): void {
    this.#resolve();
  }

  failed(error: TroupeError): void {
    if (this.changes.length + this.timers.length === 0) this.#resolve();
    else this.#reject(error);
  }
}

function unset(): void {
  // Replaced in the constructor, before anybody can call it.
}
