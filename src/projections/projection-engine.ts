/**
 * The engine of one table: pulls events, folds them in batches, writes rows and checkpoint, over and over.
 *
 * While one batch is being written the next one is folded, and the page behind it read. Batches form by
 * themselves: an event that comes alone is written alone, what comes meanwhile makes the next batch. After any
 * failure it starts again at the checkpoint in the file, which the rows agree with; so each event counts once.
 * An event that can't be folded stops the engine in front of it; a disk that fails is tried again, less and less often.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { isTroupeError, type TroupeError } from '../core/troupe-error.js';
import { BatchPace } from './batch-pace.js';
import { EventBatches, type EventSource } from './event-batches.js';
import { type FoldFault, type FoldMark, ProjectionFold } from './projection-fold.js';
import type { ProjectionPlan } from './projection-plan.js';
import { faultOfEvent, faultOfFile, parkedError, type ProjectionFault, textOf } from './projection-fault.js';
import type { Row, RowKey } from './row-shape.js';
import { isFaultOfStatement } from './sqlite-statement.js';
import { Concern } from './unknown-events.js';
import { type BoundStatement, type RowStore, StatementFailure, ViewTable } from './view-table.js';

/** What the engines of a system share. */
export interface EngineSurroundings extends EventSource {
  readonly clock: Clock;
  readonly log: Logger;
  /** An event in today's shape. */
  readonly present: (event: RecordedEvent) => RecordedEvent;
  /** Whether the cast has the event's aggregate, and that its type. Default: it has them all. */
  readonly known?: ((event: RecordedEvent) => boolean) | undefined;
  /** Told before and behind each call of a handler, so that whoever ends this thread knows what was on the stack. */
  readonly mark?: FoldMark | undefined;
}

/** Where an engine begins. */
export interface EngineStart {
  /** The checkpoint of its table. */
  readonly position: number;
  /** The event that is known to be one that can't be taken; what stands before it is folded as ever. */
  readonly poisoned?: PoisonedEvent | undefined;
}

export interface PoisonedEvent {
  readonly position: number;
  readonly error: unknown;
}

/** Who hears of an engine's progress. */
export interface EngineListener {
  /** The position has moved; `rows` gives those that changed, if any did; if `statements` ran, any row may have. */
  moved(rows: (() => Rows) | undefined, statements: boolean): void;
  /** So many events of types that nobody knows were passed over. */
  skipped(events: number): void;
  /** Something failed that is tried again, by no fault of an event; undefined when that is over. */
  troubled(error: unknown): void;
  /** The engine is stopped by a fault. */
  stopped(fault: ProjectionFault): void;
  /** The event can't be taken and will be passed over, once this has made a durable note of it. */
  parked(event: RecordedEvent, error: TroupeError): Promise<void>;
  /** All is written, and nothing waits; the engine waits for the promise before it goes on. */
  atHead(): Promise<void> | undefined;
}

type Rows = ReadonlyMap<RowKey, Row | null>;

/** Positions that may be passed without a change to a row before the checkpoint is written for their sake. */
const SKIPPED_AT_MOST = 10_000;

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 10_000;

const NO_ROWS: Rows = new Map();
const NO_STATEMENTS: readonly BoundStatement[] = [];

export class ProjectionEngine {
  readonly #table: ViewTable;
  readonly #plan: ProjectionPlan;
  readonly #around: EngineSurroundings;
  readonly #listener: EngineListener;
  readonly #fold: ProjectionFold;
  readonly #batches: EventBatches;
  readonly #pace = new BatchPace();
  #writing: Promise<void> | undefined;
  /** Everything up to here is in the rows. */
  #position: number;
  /** The checkpoint in the file. */
  #checkpoint: number;
  #fault: ProjectionFault | undefined;
  #trouble: unknown;
  #failures = 0;
  /** A statement of this event failed, or it has ended workers; when the fold comes there again, it is not tried. */
  #poisoned: PoisonedEvent | undefined;
  /** Whether the last batch took all there was. */
  #emptied = false;
  #ending = false;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(
    around: EngineSurroundings,
    plan: ProjectionPlan,
    store: RowStore,
    { position, poisoned }: EngineStart,
    listener: EngineListener,
  ) {
    this.#around = around;
    this.#plan = plan;
    const table = new ViewTable(plan.shape, store);
    this.#table = table;
    this.#listener = listener;
    this.#position = position;
    this.#checkpoint = position;
    this.#poisoned = poisoned;
    const { turns, present, known = everyEvent, mark } = around;
    const concern = new Concern(plan, known);
    this.#batches = new EventBatches(around, plan, concern, position);
    this.#fold = new ProjectionFold({
      plan,
      concern,
      // The first batch moves the checkpoint away from 0.
      empty: position === 0,
      present,
      fetch: (keys) => table.fetch(keys),
      turnOver: () => turns.over,
      turn: () => turns.next(),
      mark,
    });
  }

  /** Every event up to here is in the rows that readers see. */
  get position(): number {
    return this.#position;
  }

  /** Why the engine has stopped; undefined while it runs. */
  get fault(): ProjectionFault | undefined {
    return this.#fault;
  }

  /** The failure that it is trying to get over, if there is one. */
  get trouble(): unknown {
    return this.#trouble;
  }

  /** Whether `stop()` was called. */
  get ended(): boolean {
    return this.#ending;
  }

  start(): void {
    const unfollow = this.#around.window.follow(() => this.#wake?.());
    this.#running ??= this.#run().finally(unfollow);
  }

  /** Somebody waits: what has come takes no time for company. */
  hurry(): void {
    this.#pace.hurry();
  }

  /** Finishes the batch under way and writes the checkpoint; a second call waits for the first. */
  async stop(): Promise<void> {
    this.#ending = true;
    this.#wake?.();
    this.#pace.hurry();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ending && this.#fault === undefined) {
      try {
        await this.#step();
      } catch (error) {
        await this.#recover(error);
      }
    }
    this.#batches.leave();
    try {
      await this.#written();
      const position = this.#position;
      if (position > this.#checkpoint) await this.#table.write({ rows: NO_ROWS, statements: NO_STATEMENTS, position });
    } catch {
      // Nothing is lost: the next start folds again what was not written.
    }
  }

  /** One batch, after a wait at the head if there is nothing for it. */
  async #step(): Promise<void> {
    const batches = this.#batches;
    if (batches.used) {
      await this.#written();
      this.#troubled(undefined);
      await this.#rest();
      if (batches.used) return;
    }
    // Far behind there is no need for company.
    if (this.#emptied) await this.#pace.next();
    await this.#around.turns.next();
    await batches.fill();
    this.#emptied = batches.atHead;
    if (batches.events.length === 0) {
      await this.#written();
      await this.#write(NO_ROWS, NO_STATEMENTS, batches.position);
      return;
    }
    const poisoned = this.#poisoned;
    const cut = poisoned === undefined ? -1 : batches.events.findIndex((event) => event.position === poisoned.position);
    const folded = await this.#fold.fold(cut === -1 ? batches.events : batches.events.slice(0, cut));
    batches.take(folded.taken);
    const [next] = batches.events;
    const fault = cut === folded.taken && next !== undefined ? { event: next, error: poisoned?.error } : folded.fault;
    await this.#written();
    this.#writing = this.#write(folded.rows, folded.statements, batches.position);
    if (folded.skipped > 0) this.#listener.skipped(folded.skipped);
    // Whoever waits for it gets its failure; until then it is nobody's.
    this.#writing.catch(nothing);
    if (fault !== undefined) {
      await this.#written();
      await this.#refuse(fault);
    }
  }

  /** An event can't be taken: the engine stops in front of it, or passes it over. */
  async #refuse(refused: FoldFault): Promise<void> {
    const { name, whenFailed } = this.#plan;
    const { event } = refused;
    if (whenFailed === 'stop') {
      this.#stopBy(faultOfEvent(name, refused));
      return;
    }
    const error = parkedError(name, refused);
    await this.#listener.parked(event, error);
    this.#around.log.error(error.message, error.details);
    // It is the next one of those that were pulled.
    this.#batches.take(1);
    const { position } = this.#batches;
    // At once: a letter that is discarded must not come back with a restart.
    await this.#table.write({ rows: NO_ROWS, statements: NO_STATEMENTS, position });
    this.#checkpoint = position;
    // Not before: if that write fails, the fold comes there again, and must not try it.
    if (this.#poisoned?.position === event.position) this.#poisoned = undefined;
    this.#moveTo(position, NO_ROWS, false);
  }

  /** Waits until there is something behind the position. */
  async #rest(): Promise<void> {
    await this.#listener.atHead();
    if (this.#ending || !this.#batches.used) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  async #written(): Promise<void> {
    const writing = this.#writing;
    this.#writing = undefined;
    await writing;
  }

  /** Writes what there is to write; without it the checkpoint follows only now and then. */
  async #write(rows: Rows, statements: readonly BoundStatement[], position: number): Promise<void> {
    const changes = rows.size > 0 || statements.length > 0;
    if (changes || position - this.#checkpoint >= SKIPPED_AT_MOST) {
      const characters = await this.#table.write({ rows, statements, position });
      this.#fold.weigh(rows.size, characters);
      this.#checkpoint = position;
    }
    this.#failures = 0;
    this.#troubled(undefined);
    this.#moveTo(position, rows, statements.length > 0);
  }

  #moveTo(position: number, rows: Rows, statements: boolean): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#listener.moved(rows.size === 0 ? undefined : () => rows, statements);
  }

  /** Goes back to the checkpoint, at once or after a pause. */
  async #recover(error: unknown): Promise<void> {
    if (error instanceof StatementFailure) {
      this.#poisoned = { position: error.position, error: error.cause };
    } else if (isTroupeError(error, 'TROUPE_JOURNAL_CORRUPT') || isFaultOfStatement(error)) {
      this.#stopBy(faultOfFile(this.#plan.name, this.#position, error));
      return;
    } else {
      this.#batches.leave();
      await this.#backOff(error);
    }
    this.#fold.forget();
    this.#writing = undefined;
    try {
      this.#checkpoint = await this.#table.readPosition();
      // A write may have been done although it failed; which rows it changed is not known any more.
      this.#moveTo(this.#checkpoint, NO_ROWS, true);
    } catch (error) {
      // The file can't be read either: what is in memory holds, and writing again finds out.
      this.#troubled(error);
    }
    this.#batches.restart(this.#checkpoint);
  }

  async #backOff(error: unknown): Promise<void> {
    const { clock, log } = this.#around;
    if (this.#trouble === undefined) {
      log.warn(
        `projection ${this.#plan.name} can't go on at position ${this.#position} and tries again: ${textOf(error)}`,
      );
    }
    this.#troubled(error);
    const waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#failures);
    this.#failures += 1;
    if (this.#ending) return;
    const timer = await new Promise<Timer>((resolve) => {
      const timer = clock.setTimer(waitMs, () => resolve(timer), true);
      const interrupt = (): void => resolve(timer);
      // Commits wake the engine too; they are no reason to try earlier.
      this.#wake = () => {
        if (this.#ending) interrupt();
      };
    });
    timer.cancel();
    this.#wake = undefined;
  }

  #troubled(error: unknown): void {
    if (this.#trouble === error) return;
    this.#trouble = error;
    this.#listener.troubled(error);
  }

  #stopBy(fault: ProjectionFault): void {
    this.#fault = fault;
    this.#troubled(undefined);
    this.#around.log.error(fault.error.message, fault.error.details);
    this.#listener.stopped(fault);
  }
}

function everyEvent(): boolean {
  return true;
}

function nothing(): void {
  // Its outcome is asked for elsewhere.
}
