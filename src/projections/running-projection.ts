/**
 * One projection of a running system: its live table, and while it is built anew the table beside it.
 *
 * The live table answers all the time. A build that has reached the head takes its place in one transaction, once
 * it is at least as far as the live one: no reader ever goes back. Life: live | old + building | live + building → live.
 */
import type { Observable } from 'rxjs';
import type { Clock } from '../core/clock.js';
import type { DeadLetter } from '../core/dead-letter.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { FollowedWindow } from '../streams/event-window.js';
import type { LiveValues } from '../streams/live-values.js';
import { type BuildBegin, type BuildProgress, progressOf } from './build-progress.js';
import { ParkedNotes, type ParkingOffice } from './parked-notes.js';
import { PositionWaiters } from './position-waiters.js';
import { ProgressWatchers } from './progress-watchers.js';
import type { EngineListener } from './projection-engine.js';
import { type ProjectionFault, textOf } from './projection-fault.js';
import type { ProjectionPlan } from './projection-plan.js';
import type { Row, RowKey } from './row-shape.js';
import { QueryWatchers } from './query-watchers.js';
import { RowWatchers } from './row-watchers.js';
import type { RowQuery } from './sqlite-view-query.js';
import type { QueriedTable } from './sqlite-view-terms.js';
import { isBuildOf, type SqliteViews } from './sqlite-views.js';
import type { SqliteViewTable } from './sqlite-view-table.js';
import { StallWatch } from './stall-watch.js';
import type { FoldMaker, TableFold } from './table-fold.js';
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
  /** Events that the rows do without. */
  readonly parked?: number;
  /** Events of types that nobody knows, passed over since the start (`unknownEvents: 'skip'`). */
  readonly skipped?: number;
  /** How far the table is that is being built. */
  readonly progress?: BuildProgress;
  /** Why it is stopped, or what it is trying to get over. */
  readonly error?: string;
}

/** Something about a projection that needs a person. */
export interface ProjectionTrouble {
  readonly kind: 'projection-stopped' | 'projection-stalled' | 'event-parked';
  readonly position: number;
  readonly error: string;
}

/** What all projections of a system share. */
export interface ProjectionSurroundings {
  readonly window: FollowedWindow;
  readonly clock: Clock;
  readonly log: Logger;
  readonly makeFold: FoldMaker;
  readonly office: ParkingOffice;
}

/** A table, and what folds into it. */
interface Build {
  readonly table: SqliteViewTable;
  readonly fold: TableFold;
}

export class RunningProjection {
  readonly plan: ProjectionPlan;
  /** Asks the table that answers. */
  readonly reader: ViewReader;
  readonly #views: SqliteViews;
  readonly #around: ProjectionSurroundings;
  readonly #waiters: PositionWaiters;
  readonly #watchers: RowWatchers;
  readonly #queries: QueryWatchers;
  readonly #progress: ProgressWatchers;
  readonly #parked: ParkedNotes;
  readonly #stall: StallWatch;
  /** Those who have asked for a rebuild; the swap is their position. */
  readonly #rebuilds: PositionWaiters;
  /** Undefined while an older version answers. */
  #live: Build | undefined;
  #builder: Build | undefined;
  #begun: BuildBegin | undefined;
  #beginning: Promise<void> | undefined;
  /** The end of a build that failed. */
  #givenUp: Promise<void> | undefined;
  #stopped = false;
  #skipped = 0;

  private constructor(plan: ProjectionPlan, views: SqliteViews, around: ProjectionSurroundings, reader: ViewReader) {
    const { clock, log, window } = around;
    this.plan = plan;
    this.reader = reader;
    this.#views = views;
    this.#around = around;
    this.#waiters = new PositionWaiters(clock);
    this.#rebuilds = new PositionWaiters(clock);
    const name = `the view of ${plan.name}`;
    this.#watchers = new RowWatchers(name, (keys) => reader.rowsOf(keys), log, clock);
    this.#queries = new QueryWatchers((query) => reader.find(query), this.#watchers, clock);
    this.#progress = new ProgressWatchers(this.#watchers, clock);
    this.#parked = new ParkedNotes(plan.name, around.office);
    this.#stall = new StallWatch(window, clock, () => (this.#builder ?? this.#live)?.fold.position ?? 0);
  }

  /** Finds or makes the tables, and starts; resolves when views can answer, not when they are at the head. */
  static async start(
    plan: ProjectionPlan,
    views: SqliteViews,
    around: ProjectionSurroundings,
  ): Promise<RunningProjection> {
    const { live, building } = await views.find(plan);
    const current = live === undefined || isBuildOf(plan, live);
    const resumable = building !== undefined && isBuildOf(plan, building);
    if (building !== undefined && !resumable) await views.dropBuilding(plan);
    const reader = new ViewReader(views, plan.shape, current ? answering(plan) : live);
    const projection = new RunningProjection(plan, views, around, reader);
    if (current) projection.#live = projection.#build(await views.openTable(plan, 'live', live), live?.position ?? 0);
    if (resumable || !current) {
      const stored = resumable ? building : undefined;
      projection.#beginBuild(await views.openTable(plan, 'building', stored), stored?.position ?? 0);
    }
    projection.#parked.retain([live, resumable ? building : undefined].filter((stored) => stored !== undefined));
    projection.#live?.fold.start();
    projection.#builder?.fold.start();
    return projection;
  }

  watch<Found = Row>(key: RowKey): LiveValues<Found | undefined> {
    // Rows have the columns of the definition.
    return this.#watchers.watch(key) as LiveValues<Found | undefined>;
  }

  watchAll<Found = Row>(query: RowQuery, everyMs: number): LiveValues<readonly Found[]> {
    // Rows have the columns of the definition.
    return this.#queries.watch(query, everyMs) as LiveValues<readonly Found[]>;
  }

  /** How the build under way gets on, until it is over. */
  watchProgress(): Observable<BuildProgress> {
    return this.#progress.watch(() => this.#buildProgress());
  }

  /** Resolves when readers see every event up to the position; see `View.caughtUp`. */
  async caughtUp(position: number, timeoutMs: number): Promise<void> {
    if (this.#readersAt >= position) return;
    this.#refuseWhenStopped();
    const fault = this.#fault;
    if (fault !== undefined) throw fault.error;
    this.#hurry();
    await this.#waiters.wait(position, timeoutMs, () => {
      const { lag, state, position: at, error } = this.status();
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
    if (this.#builder === undefined || this.#builder.fold.fault !== undefined) {
      this.#beginning ??= this.#begin().finally(() => {
        this.#beginning = undefined;
      });
      await this.#beginning;
    }
    await swapped;
  }

  /** Tries again what has stopped it; without a fault there is nothing to do. */
  async resume(): Promise<void> {
    this.#refuseWhenStopped();
    const stopped = this.#builder ?? this.#live;
    if (stopped?.fold.fault === undefined) return;
    await stopped.fold.stop();
    const position = await stopped.table.readPosition();
    this.#refuseWhenStopped();
    // Another call may have been faster.
    if (stopped === this.#builder) this.#beginBuild(stopped.table, position).fold.start();
    else if (stopped === this.#live) {
      this.#live = this.#build(stopped.table, position);
      this.#live.fold.start();
    }
  }

  /** Whether it is at the head, or stands still for good. Who asks is waiting: what has come takes no time for company. */
  isSettled(head: number): boolean {
    if (this.#fault !== undefined) return true;
    if (this.#builder === undefined && this.#readersAt >= head)
      return !this.#watchers.reading && !this.#queries.reading;
    this.#hurry();
    return false;
  }

  status(): ProjectionStatus {
    const { name, version } = this.plan;
    const fold = (this.#builder ?? this.#live)?.fold;
    const { head } = this.#around.window;
    const position = fold?.position ?? 0;
    const trouble = this.#fault?.error ?? fold?.trouble;
    const state = this.#fault !== undefined ? 'stopped' : this.#builder !== undefined ? 'rebuilding' : 'running';
    const parked = this.#parkedLetters.length;
    const progress = this.#buildProgress();
    return {
      name,
      version,
      position,
      lag: Math.max(0, head - position),
      state,
      ...(parked === 0 ? {} : { parked }),
      ...(this.#skipped === 0 ? {} : { skipped: this.#skipped }),
      ...(progress === undefined ? {} : { progress }),
      ...(trouble === undefined ? {} : { error: textOf(trouble) }),
    };
  }

  /** What needs a person. Health is progress: one that is behind and doesn't move is ill, whatever the reason. */
  problems(): ProjectionTrouble[] {
    const problems: ProjectionTrouble[] = this.#parkedLetters.map(({ position = 0, error }) => ({
      kind: 'event-parked',
      position,
      error: error?.message ?? '',
    }));
    const { error, position, lag } = this.status();
    const { stalledMs } = this.#stall;
    if (error !== undefined) {
      problems.push({ kind: 'projection-stopped', position: this.#fault?.position ?? position, error });
    } else if (stalledMs !== undefined) {
      const text = `${lag} events behind, and at position ${position} for ${Math.round(stalledMs / 1_000)} s`;
      problems.push({ kind: 'projection-stalled', position, error: text });
    }
    return problems;
  }

  /** Finishes the batches under way; a second call waits for the first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stall.end();
    await this.#beginning?.catch(nothing);
    await Promise.all([this.#live?.fold.stop(), this.#builder?.fold.stop(), this.#givenUp]);
    this.#waiters.fail(this.#stoppedError());
    this.#rebuilds.fail(this.#stoppedError());
    this.#watchers.end();
    this.#queries.end();
    this.#progress.end();
  }

  /** Everything up to here is in what readers see; an older version counts for nothing. */
  get #readersAt(): number {
    return this.#live?.fold.position ?? -1;
  }

  /** Why nothing moves; undefined while something does. A build that follows a fault is the way out of it. */
  get #fault(): ProjectionFault | undefined {
    return this.#builder === undefined ? this.#live?.fold.fault : this.#builder.fold.fault;
  }

  get #parkedLetters(): readonly DeadLetter[] {
    const build = this.#builder ?? this.#live;
    return build === undefined ? [] : this.#parked.list(build.table.generation);
  }

  #buildProgress(): BuildProgress | undefined {
    if (this.#builder === undefined || this.#begun === undefined) return undefined;
    const { window, clock } = this.#around;
    return progressOf(this.#begun, this.#builder.fold.position, window.head, clock.monotonic());
  }

  #build(table: SqliteViewTable, position: number): Build {
    const { makeFold } = this.#around;
    // An earlier run may have left a note.
    let noted = true;
    const listener: EngineListener = {
      moved: (rows, statements) => {
        this.#stall.moved();
        if (noted) {
          noted = false;
          void this.#noteFault(table, undefined);
        }
        if (build === this.#builder) this.#progress.moved();
        if (build !== this.#live) return;
        if (statements) this.#anyChanged();
        else if (rows !== undefined) {
          if (this.#watchers.observed) this.#watchers.changed(rows());
          this.#queries.changed();
        }
        this.#waiters.reach(build.fold.position);
      },
      skipped: (events) => this.#skippedMore(events),
      troubled: nothing,
      stopped: (fault) => {
        noted = true;
        void this.#noteFault(table, fault);
        if (build === this.#builder) {
          this.#rebuilds.fail(fault.error);
          if (this.#live !== undefined) this.#giveUp(build, this.#live);
        }
        if (this.#fault !== undefined) this.#waiters.fail(this.#fault.error);
      },
      parked: (event: RecordedEvent, error: TroupeError) => this.#parked.park(table.generation, event, error),
      atHead: () => (build === this.#builder ? this.#swapIn(build) : undefined),
    };
    const fold = makeFold({ plan: this.plan, table, start: { position }, listener });
    const build: Build = { table, fold };
    return build;
  }

  #skippedMore(events: number): void {
    if (this.#skipped === 0)
      this.#around.log.warn(
        `projection ${this.plan.name} passes over events of types that the cast doesn't know; metrics() counts them`,
      );
    this.#skipped += events;
  }

  #beginBuild(table: SqliteViewTable, position: number): Build {
    this.#begun = { position, atMs: this.#around.clock.monotonic() };
    this.#builder = this.#build(table, position);
    return this.#builder;
  }

  async #begin(): Promise<void> {
    await this.#givenUp;
    await this.#builder?.fold.stop();
    const table = await this.#views.openTable(this.plan, 'building', undefined);
    this.#refuseWhenStopped();
    this.#beginBuild(table, 0).fold.start();
  }

  async #swapIn(builder: Build): Promise<void> {
    await this.#live?.fold.stop();
    // The live one has come further meanwhile; the builder will be back here.
    if (this.#readersAt > builder.fold.position) return;
    await this.reader.swapTo(answering(this.plan), this.#views.swap(this.plan, builder.table));
    const last = this.#buildProgress();
    this.#live = builder;
    this.#builder = undefined;
    this.#parked.retain([{ generation: builder.table.generation, position: Infinity }]);
    this.#progress.end(last);
    this.#rebuilds.reach(0);
    this.#waiters.reach(builder.fold.position);
    this.#anyChanged();
  }

  #anyChanged(): void {
    this.#watchers.anyChanged();
    this.#queries.changed();
  }

  /** For people who look into the file; that they can't is no reason to stop. */
  async #noteFault(table: SqliteViewTable, fault: ProjectionFault | undefined): Promise<void> {
    const note = fault && { position: fault.position, error: fault.error.message };
    await this.#views.noteFault(table, note).catch(nothing);
  }

  /** A rebuild that can't be finished leaves the live table as it is. */
  #giveUp(builder: Build, live: Build): void {
    this.#builder = undefined;
    this.#parked.retain([{ generation: live.table.generation, position: Infinity }]);
    this.#progress.end();
    this.#givenUp = this.#dropBuild(builder);
    if (!live.fold.ended || live.fold.fault !== undefined || this.#stopped) return;
    // It was stopped to make room for the build.
    this.#live = this.#build(live.table, live.fold.position);
    this.#live.fold.start();
  }

  async #dropBuild(builder: Build): Promise<void> {
    try {
      await builder.fold.stop();
      await this.#views.dropBuilding(this.plan);
    } catch (error) {
      this.#around.log.warn(
        `projection ${this.plan.name}: the table of a failed rebuild is left over: ${textOf(error)}`,
      );
    }
  }

  #hurry(): void {
    this.#live?.fold.hurry();
    this.#builder?.fold.hurry();
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
