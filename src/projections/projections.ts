/**
 * All projections of a system: their views file, their engines, and how each of them is.
 *
 * One that stops takes no other along. Tables of projections that are no longer defined are left alone.
 */
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Journal } from '../journal/journal.js';
import type { EventWindow } from '../streams/event-window.js';
import type { RowOf, RuntimeProjection } from './projection-definition.js';
import { planProjections, type ProjectionPlan } from './projection-plan.js';
import { type ProjectionStatus, RunningProjection } from './running-projection.js';
import { SharedHistory } from './shared-history.js';
import { SqliteViews } from './sqlite-views.js';
import { Turns } from './turns.js';
import { ProjectionView, type View } from './view.js';

export interface ProjectionsOptions {
  readonly journal: Journal;
  readonly window: EventWindow;
  readonly definitions: readonly RuntimeProjection[];
  /** A path, or `:memory:`. */
  readonly viewsPath: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** An event in today's shape. Default: as it was written. */
  readonly present?: ((event: RecordedEvent) => RecordedEvent) | undefined;
}

/** A projection that needs a person. */
export interface ProjectionProblem {
  readonly name: string;
  /** Of the event that it can't take; without one, of the last event in the rows. */
  readonly position: number;
  readonly error: string;
}

export class Projections {
  readonly #options: ProjectionsOptions;
  readonly #plans: readonly ProjectionPlan[];
  readonly #running = new Map<string, RunningProjection>();
  #views: SqliteViews | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws TROUPE_INVALID_OPTIONS when two projections need the same table, or one a name that is taken. */
  constructor(options: ProjectionsOptions) {
    this.#options = options;
    this.#plans = planProjections(options.definitions);
  }

  /**
   * Opens the views file and goes on where each projection was; without projections there is no file.
   *
   * @throws TROUPE_INVALID_OPTIONS when the file can't be used.
   */
  async start(): Promise<void> {
    if (this.#plans.length === 0) return;
    const { journal, window, clock, log, viewsPath, present = unchanged } = this.#options;
    const { identity, head } = journal;
    const views = await SqliteViews.open({ path: viewsPath, identity, head, now: clock.now(), log });
    this.#views = views;
    const history = new SharedHistory(
      journal,
      this.#plans.flatMap((plan) => [...plan.types]),
    );
    const around = { history, window, clock, log, present, turns: new Turns(clock) };
    for (const plan of this.#plans) {
      this.#running.set(plan.name, await RunningProjection.start(plan, views, around));
    }
  }

  /** @throws TROUPE_UNKNOWN_ACTOR when the system has no such projection. */
  view<P extends RuntimeProjection>(definition: P): View<RowOf<P>> {
    const projection = this.#running.get(definition.name);
    if (projection === undefined) {
      throw new TroupeError(
        'TROUPE_UNKNOWN_ACTOR',
        `projection ${definition.name} is not part of this system; export it from the cast. Known are ${[...this.#running.keys()].join(', ') || 'none'}`,
      );
    }
    return new ProjectionView<RowOf<P>>(projection, () => this.#options.window.head);
  }

  /** Whether each projection is at the head; one that is stopped by an event doesn't count. */
  isSettled(head: number): boolean {
    for (const projection of this.#running.values()) if (!projection.isSettled(head)) return false;
    return true;
  }

  metrics(): ProjectionStatus[] {
    const { head } = this.#options.window;
    return Array.from(this.#running.values(), (projection) => projection.status(head));
  }

  problems(): ProjectionProblem[] {
    return [...this.#running.values()].flatMap(({ plan, problem }) =>
      problem === undefined ? [] : [{ name: plan.name, ...problem }],
    );
  }

  /** Finishes the batches under way, writes the checkpoints, closes the file; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await Promise.all(Array.from(this.#running.values(), (projection) => projection.stop()));
    await this.#views?.close();
  }
}

function unchanged(event: RecordedEvent): RecordedEvent {
  return event;
}
