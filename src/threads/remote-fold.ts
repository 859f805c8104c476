/**
 * The fold of one table on a worker, as its projection sees it: a `TableFold` like that on the main thread.
 *
 * The worker folds, this thread writes, so rows and checkpoint outlive it. When it is lost, the fold begins again
 * behind the checkpoint in the file, on its successor. An event that was in its handler's hands when two workers
 * ended is convicted: the fold stops in front of it, or parks it, as it does with one whose handler throws.
 */
import { type Clock, systemClock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import { toWireError } from '../core/wire-error.js';
import type { PoisonedEvent } from '../projections/projection-engine.js';
import type { ProjectionFault } from '../projections/projection-fault.js';
import type { FoldFacts, TableFold } from '../projections/table-fold.js';
import { decodeBatch, type EncodedBatch, type FoundRows } from '../projections/view-table.js';
import type { FoldLine } from './fold-line.js';
import type { BeginFold } from './fold-wire.js';

/** Where the folds of a system run. */
export interface FoldPlace {
  /** The line to the worker, when it has taken its place. */
  line(): FoldLine | undefined;
  readonly log: Logger;
}

const RETRY_MS = 250;

export class RemoteFold implements TableFold {
  readonly #facts: FoldFacts;
  readonly #place: FoldPlace;
  readonly #clock: Clock = systemClock;
  #position: number;
  #fault: ProjectionFault | undefined;
  #trouble: unknown;
  #started = false;
  #stopping: Promise<void> | undefined;
  /** Its life on a worker; undefined while there is none. */
  #life: { readonly line: FoldLine; readonly number: Promise<number> } | undefined;
  #beginning: Promise<void> | undefined;
  /** What was handed over and is being written, also by a worker that is gone. */
  #writing: Promise<void> = Promise.resolve();
  /** The event that was convicted last; that holds until the checkpoint has passed it, whoever dies meanwhile. */
  #poisoned: PoisonedEvent | undefined;
  /** Position of the event that was on the stack when a worker ended, the last time it was one of this fold. */
  #suspect: number | undefined;

  constructor(facts: FoldFacts, place: FoldPlace) {
    this.#facts = facts;
    this.#place = place;
    this.#position = facts.start.position;
    this.#poisoned = facts.start.poisoned;
  }

  get position(): number {
    return this.#position;
  }

  get fault(): ProjectionFault | undefined {
    return this.#fault;
  }

  get trouble(): unknown {
    return this.#trouble;
  }

  get ended(): boolean {
    return this.#stopping !== undefined;
  }

  start(): void {
    this.#started = true;
    this.open();
  }

  /** The worker has taken its place. */
  open(): void {
    if (!this.#started || this.ended || this.#fault !== undefined || this.#life !== undefined) return;
    if (this.#place.line() === undefined) return;
    this.#beginning ??= this.#begin();
  }

  hurry(): void {
    void this.#life?.number.then((number) => this.#life?.line.hurry(number), nothing);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** The worker is gone. `suspect`: the event of this fold that was on its stack. */
  lost(error: Error, suspect: number | undefined): void {
    this.#life = undefined;
    if (this.ended || this.#fault !== undefined) return;
    // Another fold may have ended the worker; that acquits nobody.
    if (suspect !== undefined) {
      if (suspect === this.#suspect) this.#poisoned = { position: suspect, error };
      this.#suspect = suspect;
    }
    this.troubled(error);
  }

  fetch(keys: string): Promise<FoundRows> {
    return this.#facts.table.fetch(keys);
  }

  readPosition(): Promise<number> {
    return this.#facts.table.readPosition();
  }

  async write(batch: EncodedBatch): Promise<void> {
    const { table, listener } = this.#facts;
    const writing = table.write(batch);
    this.#writing = writing.catch(nothing);
    await writing;
    if (batch.position <= this.#position) return;
    this.#position = batch.position;
    const rows = batch.rows.length > 0 || batch.gone !== '[]';
    listener.moved(rows ? () => decodeBatch(table.shape, batch) : undefined, batch.statements.length > 0);
  }

  /** The fold has passed events, with or without changes to rows. */
  moveTo(position: number, any: boolean): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#facts.listener.moved(undefined, any);
  }

  /** So many events of types that nobody knows were passed over. */
  skipped(events: number): void {
    this.#facts.listener.skipped(events);
  }

  troubled(error: unknown): void {
    if (this.#trouble === error) return;
    this.#trouble = error;
    this.#facts.listener.troubled(error);
  }

  stopBy(fault: ProjectionFault): void {
    this.#fault = fault;
    this.#trouble = undefined;
    this.#facts.listener.stopped(fault);
  }

  park(event: RecordedEvent, error: TroupeError): Promise<void> {
    return this.#facts.listener.parked(event, error);
  }

  atHead(): Promise<void> | undefined {
    return this.#facts.listener.atHead();
  }

  /** Begins a life on the worker that is there, behind the checkpoint in the file. */
  async #begin(): Promise<void> {
    // From the last look at the line to the end of this, nothing waits: a worker that comes then is not missed.
    for (let line = this.#place.line(); line !== undefined && !this.ended; line = this.#place.line()) {
      if (await this.#beginOn(line)) break;
    }
    this.#beginning = undefined;
  }

  /** Whether it has begun; if not, there is another line or none, or it can be tried again. */
  async #beginOn(line: FoldLine): Promise<boolean> {
    const { plan, table } = this.#facts;
    try {
      await this.#writing;
      const position = await table.readPosition();
      // A batch may have been written without anybody being told.
      this.moveTo(position, true);
      if (this.ended || this.#place.line() !== line) return false;
      const number = line.begin(this, { name: plan.name, position, poisoned: this.#poisonedBehind(position) });
      this.#life = { line, number };
      await number;
      this.troubled(undefined);
      return true;
    } catch (error) {
      // Lost again meanwhile.
      if (this.#place.line() !== line) return false;
      this.#life = undefined;
      this.troubled(error);
      this.#place.log.warn(`projection ${plan.name} can't begin on its worker, and tries again`, { error });
      await new Promise<void>((resolve) => {
        this.#clock.setTimer(RETRY_MS, resolve, true);
      });
      return false;
    }
  }

  #poisonedBehind(checkpoint: number): BeginFold['poisoned'] {
    if (this.#poisoned === undefined || this.#poisoned.position <= checkpoint) return undefined;
    return { position: this.#poisoned.position, error: toWireError(this.#poisoned.error) };
  }

  async #stop(): Promise<void> {
    await this.#beginning;
    const life = this.#life;
    try {
      if (life !== undefined) await life.line.stop(await life.number);
    } catch {
      // The worker is lost: what it had not handed over is folded again at the next start.
    }
    this.#life = undefined;
    await this.#writing;
  }
}

function nothing(): void {
  // Whoever handed it over hears of it.
}
