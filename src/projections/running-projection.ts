/**
 * One projection of a running system: its live table, and while it is built anew the table beside it.
 *
 * The live table answers all the time. A build that has reached the head takes its place in one transaction, once
 * it is at least as far as the live one: no reader ever goes back. Life: live | old + building | live + building → live.
 */
import type { Observable } from 'rxjs';
import { TroupeError } from '../core/troupe-error.js';
import { PositionWaiters } from './position-waiters.js';
import { type EngineListener, type EngineSurroundings, ProjectionEngine } from './projection-engine.js';
import { type ProjectionFault, textOf } from './projection-fault.js';
import type { ProjectionPlan } from './projection-plan.js';
import type { Row, RowKey } from './row-shape.js';
import { RowWatchers } from './row-watchers.js';
import type { QueriedTable } from './sqlite-view-query.js';
import { isBuildOf, type SqliteViews } from './sqlite-views.js';
import type { SqliteViewTable } from './sqlite-view-table.js';
import { ViewReader } from './view-reader.js';

/** How a projection is. */
export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  /** Of the table that is being built, if there is one. */
  readonly position: number;
  /** Events between it and the head. */
  readonly lag: number;
  readonly state: 'running' | 'rebuilding' | 'stopped';
  /** Why it is stopped, or what it is trying to get over. */
  readonly error?: string;
}

export class RunningProjection {
  readonly plan: ProjectionPlan;
  /** Asks the table that answers. */
  readonly reader: ViewReader;
  readonly #views: SqliteViews;
  readonly #around: EngineSurroundings;
  readonly #waiters: PositionWaiters;
  readonly #watchers: RowWatchers;
  /** Those who have asked for a rebuild; the swap is their position. */
  readonly #rebuilds: PositionWaiters;
  /** Undefined while an older version answers. */
  #live: ProjectionEngine | undefined;
  #builder: ProjectionEngine | undefined;
  #beginning: Promise<void> | undefined;
  /** The end of a build that failed. */
  #givenUp: Promise<void> | undefined;
  #stopped = false;

  private constructor(plan: ProjectionPlan, views: SqliteViews, around: EngineSurroundings, reader: ViewReader) {
    const { clock, log } = around;
    this.plan = plan;
    this.reader = reader;
    this.#views = views;
    this.#around = around;
    this.#waiters = new PositionWaiters(clock);
    this.#rebuilds = new PositionWaiters(clock);
    this.#watchers = new RowWatchers(`the view of ${plan.name}`, (keys) => reader.rowsOf(keys), log, clock);
  }

  /** Finds or makes the tables, and starts; resolves when views can answer, not when they are at the head. */
  static async start(plan: ProjectionPlan, views: SqliteViews, around: EngineSurroundings): Promise<RunningProjection> {
    const { live, building } = await views.find(plan);
    const current = live === undefined || isBuildOf(plan, live);
    const resumable = building !== undefined && isBuildOf(plan, building);
    if (building !== undefined && !resumable) await views.dropBuilding(plan);
    const reader = new ViewReader(views, plan.shape, current ? answering(plan) : live);
    const projection = new RunningProjection(plan, views, around, reader);
    if (current) projection.#live = projection.#engine(await views.openTable(plan, 'live', live), live?.position ?? 0);
    if (resumable || !current) {
      const stored = resumable ? building : undefined;
      projection.#builder = projection.#engine(await views.openTable(plan, 'building', stored), stored?.position ?? 0);
    }
    projection.#live?.start();
    projection.#builder?.start();
    return projection;
  }

  watch<Found = Row>(key: RowKey): Observable<Found | undefined> {
    // Rows have the columns of the definition.
    return this.#watchers.watch(key) as Observable<Found | undefined>;
  }

  /** Resolves when readers see every event up to the position; see `View.caughtUp`. */
  async caughtUp(position: number, timeoutMs: number): Promise<void> {
    if (this.#readersAt >= position) return;
    this.#refuseWhenStopped();
    const fault = this.#fault;
    if (fault !== undefined) throw fault.error;
    this.#hurry();
    await this.#waiters.wait(position, timeoutMs, () => {
      const { lag, state, position: at, error } = this.status(this.#around.window.head);
      return new TroupeError(
        'TROUPE_ASK_TIMEOUT',
        `projection ${this.plan.name} has not come to position ${position} within ${timeoutMs} ms: it is ${state} at ${at}, ` +
          `${lag} events behind the head${error === undefined ? '' : ` (${error})`}; wait longer, or see metrics()`,
        { details: { projection: this.plan.name, wanted: position, position: at, lag } },
      );
    });
  }

  /** Builds the table anew from the first event; joins a build that is under way. */
  async rebuild(): Promise<void> {
    this.#refuseWhenStopped();
    const swapped = this.#rebuilds.wait(0, Infinity, () => this.#stoppedError());
    // If the build can't even begin, nobody would hear of the end.
    swapped.catch(nothing);
    if (this.#builder === undefined || this.#builder.fault !== undefined) {
      this.#beginning ??= this.#begin().finally(() => {
        this.#beginning = undefined;
      });
      await this.#beginning;
    }
    await swapped;
  }

  /** Whether it is at the head, or stands still for good. Who asks is waiting: what has come takes no time for company. */
  isSettled(head: number): boolean {
    if (this.#fault !== undefined) return true;
    if (this.#builder === undefined && this.#readersAt >= head) return true;
    this.#hurry();
    return false;
  }

  status(head: number): ProjectionStatus {
    const { name, version } = this.plan;
    const engine = this.#builder ?? this.#live;
    const position = engine?.position ?? 0;
    const trouble = this.#fault?.error ?? engine?.trouble;
    const state = this.#fault !== undefined ? 'stopped' : this.#builder !== undefined ? 'rebuilding' : 'running';
    const error = trouble === undefined ? {} : { error: textOf(trouble) };
    return { name, version, position, lag: Math.max(0, head - position), state, ...error };
  }

  /** Position and error of what needs a person. */
  get problem(): { readonly position: number; readonly error: string } | undefined {
    const { error } = this.status(0);
    const position = this.#fault?.position ?? (this.#builder ?? this.#live)?.position ?? 0;
    return error === undefined ? undefined : { position, error };
  }

  /** Finishes the batches under way; a second call waits for the first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#beginning?.catch(nothing);
    await Promise.all([this.#live?.stop(), this.#builder?.stop(), this.#givenUp]);
    this.#waiters.fail(this.#stoppedError());
    this.#rebuilds.fail(this.#stoppedError());
    this.#watchers.end();
  }

  /** Everything up to here is in what readers see; an older version counts for nothing. */
  get #readersAt(): number {
    return this.#live?.position ?? -1;
  }

  /** Why nothing moves; undefined while something does. A build that follows a fault is the way out of it. */
  get #fault(): ProjectionFault | undefined {
    return this.#builder === undefined ? this.#live?.fault : this.#builder.fault;
  }

  #engine(table: SqliteViewTable, position: number): ProjectionEngine {
    const listener: EngineListener = {
      moved: (rows, statements) => {
        if (engine !== this.#live) return;
        if (statements) this.#watchers.anyChanged();
        else if (rows.size > 0) this.#watchers.changed(rows);
        this.#waiters.reach(engine.position);
      },
      stopped: (fault) => {
        if (engine === this.#builder) {
          this.#rebuilds.fail(fault.error);
          if (this.#live !== undefined) this.#giveUp(engine, this.#live);
        }
        if (this.#fault !== undefined) this.#waiters.fail(this.#fault.error);
      },
      atHead: () => (engine === this.#builder ? this.#swapIn(engine) : undefined),
    };
    const engine: ProjectionEngine = new ProjectionEngine(this.#around, this.plan, table, position, listener);
    return engine;
  }

  async #begin(): Promise<void> {
    await this.#givenUp;
    await this.#builder?.stop();
    const table = await this.#views.openTable(this.plan, 'building', undefined);
    this.#refuseWhenStopped();
    this.#builder = this.#engine(table, 0);
    this.#builder.start();
  }

  async #swapIn(builder: ProjectionEngine): Promise<void> {
    await this.#live?.stop();
    // The live one has come further meanwhile; the builder will be back here.
    if (this.#readersAt > builder.position) return;
    await this.reader.swapTo(answering(this.plan), this.#views.swap(this.plan, builder.table));
    this.#live = builder;
    this.#builder = undefined;
    this.#rebuilds.reach(0);
    this.#waiters.reach(builder.position);
    this.#watchers.anyChanged();
  }

  /** A rebuild that can't be finished leaves the live table as it is. */
  #giveUp(builder: ProjectionEngine, live: ProjectionEngine): void {
    this.#builder = undefined;
    this.#givenUp = this.#dropBuild(builder);
    if (!live.ended || live.fault !== undefined || this.#stopped) return;
    // It was stopped to make room for the build.
    this.#live = this.#engine(live.table, live.position);
    this.#live.start();
  }

  async #dropBuild(builder: ProjectionEngine): Promise<void> {
    try {
      await builder.stop();
      await this.#views.dropBuilding(this.plan);
    } catch (error) {
      this.#around.log.warn(
        `projection ${this.plan.name}: the table of a failed rebuild is left over: ${textOf(error)}`,
      );
    }
  }

  #hurry(): void {
    this.#live?.hurry();
    this.#builder?.hurry();
  }

  #refuseWhenStopped(): void {
    if (this.#stopped) throw this.#stoppedError();
  }

  #stoppedError(): TroupeError {
    return new TroupeError(
      'TROUPE_SYSTEM_STOPPED',
      `projection ${this.plan.name}: the system has stopped; the projection goes on at the next start`,
    );
  }
}

/** The live table, as it is when the plan has built it. */
function answering({ table, shape }: ProjectionPlan): QueriedTable {
  return { name: table, columns: shape.columns };
}

function nothing(): void {
  // Its outcome is told elsewhere.
}
