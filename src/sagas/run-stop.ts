/**
 * How a run is stopped before its end: it fails, is cancelled, or its time is up; the first of these counts.
 *
 * What stops it is written down with its place among the outcomes. From there on whatever user code asks for is
 * refused, and only compensations run.
 */
import { TroupeError } from '../core/troupe-error.js';
import { fromWireError, toWireError } from '../core/wire-error.js';
import { asTroupeError } from '../reactions/letter-error.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { StoppedEntry } from './saga-entries.js';
import type { SagaRun } from './saga-run.js';
import type { Wake } from './wake-clock.js';

export class RunStop {
  readonly #around: RunSurroundings;
  readonly #run: SagaRun;
  #entry: StoppedEntry | undefined;
  #abort: AbortController | undefined;
  #aborted: { readonly reason: Error } | undefined;
  #deadline: Wake | undefined;

  constructor(around: RunSurroundings, run: SagaRun) {
    this.#around = around;
    this.#run = run;
  }

  /** What has stopped it. */
  get entry(): StoppedEntry | undefined {
    return this.#entry;
  }

  /** The error that it failed with, as far as that is known. */
  get cause(): Error | undefined {
    return this.#entry === undefined ? undefined : fromWireError(this.#entry.error);
  }

  /** Aborts when it was cancelled, when its time is up, and when the system stops. Few ask for it. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted !== undefined) this.#abort.abort(this.#aborted.reason);
    }
    return this.#abort.signal;
  }

  /** When its time is up. */
  get dueMs(): number {
    return this.#run.head.startedAt + this.#run.definition.options.timeoutMs;
  }

  /** From now on it has to keep to its time. */
  arm(): void {
    const { dueMs } = this;
    if (dueMs < Infinity) this.#deadline = this.#around.wakes.at(dueMs, () => this.#timeUp());
  }

  disarm(): void {
    this.#deadline?.cancel();
  }

  /** What a replay has found. */
  again(entry: StoppedEntry): void {
    this.#entry = entry;
  }

  /** User code has thrown. */
  failed(thrown: unknown): StoppedEntry {
    return this.#write({ stopped: 'failed', at: this.#around.clock.now(), error: toWireError(thrown) });
  }

  /** Writes down that it stops, and tells the run when its turn has come and that is durable. */
  request(stopped: 'cancelled' | 'timed-out', error: TroupeError): void {
    const entry = this.#write({ stopped, at: this.#around.clock.now(), error: toWireError(error) });
    this.#run.inbox.push({ kind: 'stop', entry, durable: false });
    this.#run.noteBusy();
  }

  abort(reason: Error): void {
    this.#aborted ??= { reason };
    this.#abort?.abort(reason);
  }

  /** What user code gets for everything that it asks for after a stop. */
  error(): TroupeError {
    const entry = this.#entry;
    const { key } = this.#run;
    if (entry === undefined || entry.stopped === 'failed') {
      return new TroupeError('TROUPE_SAGA_CANCELLED', `saga ${key} has failed, and goes no further`);
    }
    return asTroupeError(fromWireError(entry.error), `saga ${key}`);
  }

  #timeUp(): void {
    if (this.#entry !== undefined) return;
    const { key, definition } = this.#run;
    const { timeoutMs } = definition.options;
    const text = `saga ${key} has not ended within ${timeoutMs} ms; it is compensated`;
    this.request('timed-out', new TroupeError('TROUPE_SAGA_TIMEOUT', text, { details: { timeoutMs } }));
  }

  #write(entry: StoppedEntry): StoppedEntry {
    this.#entry = entry;
    this.#run.pen.add(entry);
    this.#run.pen.flush();
    return entry;
  }
}
