/**
 * All projections of a system: their views file, their engines, and how each of them is.
 *
 * One that stops takes no other along. Tables of projections that are no longer defined are left alone.
 */
import type { Clock } from '../core/clock.js';
import type { DeadLetter } from '../core/dead-letter.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Journal } from '../journal/journal.js';
import type { EventWindow } from '../streams/event-window.js';
import type { RowOf, RuntimeProjection } from './projection-definition.js';
import type { ParkingOffice } from './parked-notes.js';
import { type EngineSurroundings, ProjectionEngine } from './projection-engine.js';
import { planProjections, type ProjectionPlan } from './projection-plan.js';
import {
  type ProjectionStatus,
  type ProjectionSurroundings,
  type ProjectionTrouble,
  RunningProjection,
} from './running-projection.js';
import { SharedHistory } from './shared-history.js';
import type { FoldMaker } from './table-fold.js';
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
  /** Whether the cast has an event's aggregate, and that its type. Default: it has them all. */
  readonly known?: ((event: RecordedEvent) => boolean) | undefined;
  /** Folds elsewhere, in another thread. Default: in this one. */
  readonly makeFold?: FoldMaker | undefined;
  /** Keeps the letters of parked events. Default: in memory. */
  readonly office?: ParkingOffice | undefined;
}

/** A projection that needs a person. */
export interface ProjectionProblem extends ProjectionTrouble {
  readonly name: string;
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
    const { journal, window, clock, log, viewsPath, present = unchanged, known } = this.#options;
    const { identity, head } = journal;
    const views = await SqliteViews.open({ path: viewsPath, identity, head, now: clock.now(), log });
    this.#views = views;
    const { office = inMemory() } = this.#options;
    const makeFold = this.#options.makeFold ?? foldHere({ journal, window, clock, log, present, known }, this.#plans);
    const around: ProjectionSurroundings = { window, clock, log, makeFold, office };
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
    return Array.from(this.#running.values(), (projection) => projection.status());
  }

  problems(): ProjectionProblem[] {
    return [...this.#running.values()].flatMap((projection) =>
      projection.problems().map((problem) => ({ name: projection.plan.name, ...problem })),
    );
  }

  /** Whether a parked event belongs to a projection of this system. */
  owns({ target }: DeadLetter): boolean {
    return this.#running.has(target.name);
  }

  /** Builds the rows anew, with the parked event in its place; if it still can't be taken, it is parked again. */
  async retry({ target }: DeadLetter): Promise<void> {
    await this.#running.get(target.name)?.rebuild();
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

/** Folds on this thread: all projections share the pages they read, and take turns. */
export function foldHere(
  source: Omit<EngineSurroundings, 'history' | 'turns'> & { readonly journal: Pick<Journal, 'read'> },
  plans: readonly ProjectionPlan[],
): FoldMaker {
  const types = plans.flatMap((plan) => [...plan.types]);
  const around: EngineSurroundings = {
    ...source,
    history: new SharedHistory(source.journal, types),
    turns: new Turns(source.clock),
  };
  return ({ plan, table, start, listener }) => new ProjectionEngine(around, plan, table, start, listener);
}

function inMemory(): ParkingOffice {
  const kept = new Map<string, DeadLetter>();
  return {
    keep: async (note) => void kept.set(note.id, { ...note, at: 0 }),
    drop: (id) => void kept.delete(id),
    parkedOf: (name) => [...kept.values()].filter(({ target }) => target.name === name),
  };
}

function unchanged(event: RecordedEvent): RecordedEvent {
  return event;
}
