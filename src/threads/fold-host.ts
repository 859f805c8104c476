/**
 * The folds of one worker: engines as on the main thread, with the journal and their tables at the end of a port.
 *
 * All folds of a worker share the pages they read, parsed once, and take turns. No statement of SQLite runs here: a
 * batch leaves as texts, and counts when the main thread says that it is written.
 */
import { systemClock } from '../core/clock.js';
import type { HandlingMark } from '../core/handling-mark.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import { fromWireError, toWireError } from '../core/wire-error.js';
import { selectFrom } from '../journal/event-page.js';
import type { EventPage, EventQuery } from '../journal/journal.js';
import { TypeSearch } from '../journal/type-search.js';
import type { RuntimeProjection } from '../projections/projection-definition.js';
import { type EngineListener, type EngineSurroundings, ProjectionEngine } from '../projections/projection-engine.js';
import { planProjections, type ProjectionPlan } from '../projections/projection-plan.js';
import { SharedHistory } from '../projections/shared-history.js';
import { Turns } from '../projections/turns.js';
import { type FoundRows, type RowStore, StatementFailure } from '../projections/view-table.js';
import type { FollowedWindow } from '../streams/event-window.js';
import type { MessagePort } from './channel.js';
import { ControlPort } from './control.js';
import type { BeginFold, FailedStatement, HeadAnswer, PagesAnswer } from './fold-wire.js';

export interface FoldHostFacts {
  readonly definitions: readonly RuntimeProjection[];
  /** An event in today's shape. */
  readonly present: (event: RecordedEvent) => RecordedEvent;
  /** Whether the cast has an event's aggregate, and that its type. */
  readonly known: (event: RecordedEvent) => boolean;
  readonly mark: HandlingMark;
  readonly log: Logger;
}

export class FoldHost {
  readonly #port: ControlPort;
  readonly #facts: FoldHostFacts;
  readonly #plans: ReadonlyMap<string, ProjectionPlan>;
  readonly #window = new DistantHead();
  readonly #around: EngineSurroundings;
  readonly #engines = new Map<number, ProjectionEngine>();
  #search = new TypeSearch(new Set());

  constructor(port: MessagePort, facts: FoldHostFacts) {
    this.#facts = facts;
    const plans = planProjections(facts.definitions);
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]));
    const { log, present, known } = facts;
    this.#around = {
      // Each worker folds some of the projections, and reads for these alone.
      history: new SharedHistory({ read: (query) => this.#read(query) }),
      window: this.#window,
      turns: new Turns(systemClock),
      clock: systemClock,
      log,
      present,
      known,
    };
    this.#port = new ControlPort(port, {
      begin: (begin: BeginFold) => this.#begin(begin),
      hurry: (fold: number) => this.#engines.get(fold)?.hurry(),
      stop: (fold: number) => this.#stop(fold),
      head: (head: number) => this.#window.advance(head),
    });
  }

  /** The worker ends; folds that still run find their port closed. */
  close(): void {
    this.#port.close(new TroupeError('TROUPE_SYSTEM_STOPPED', 'the system has stopped'));
    for (const engine of this.#engines.values()) void engine.stop();
  }

  #begin({ fold, name, position, poisoned, head }: BeginFold): void {
    const plan = this.#plans.get(name);
    if (plan === undefined)
      throw new TroupeError(
        'TROUPE_UNKNOWN_ACTOR',
        `projection ${name} is not part of the cast that this worker has loaded; let the module export the same definitions each time`,
      );
    this.#window.advance(head);
    const { mark } = this.#facts;
    const around: EngineSurroundings = {
      ...this.#around,
      mark: { enter: (at) => mark.enterFold(fold, at), leave: () => mark.leaveFold() },
    };
    const start = {
      position,
      poisoned: poisoned && { position: poisoned.position, error: fromWireError(poisoned.error) },
    };
    const engine = new ProjectionEngine(around, plan, this.#store(fold), start, this.#listener(fold));
    this.#engines.set(fold, engine);
    engine.start();
  }

  async #stop(fold: number): Promise<void> {
    await this.#engines.get(fold)?.stop();
    this.#engines.delete(fold);
  }

  #store(fold: number): RowStore {
    const port = this.#port;
    return {
      // The answers of `fold-line.ts` to these calls.
      fetch: async (keys) => (await port.call('fetch', { fold, keys })) as FoundRows,
      write: async (batch) => {
        const failed = (await port.call('write', { fold, batch })) as FailedStatement | undefined;
        if (failed !== undefined) throw new StatementFailure(failed.position, fromWireError(failed.error));
      },
      readPosition: async () => (await port.call('position', fold)) as number,
    };
  }

  #listener(fold: number): EngineListener {
    const port = this.#port;
    let isLive = false;
    return {
      // Which rows have changed the main thread knows by itself: it has written them.
      moved: (_rows, any) => port.note('moved', { fold, position: this.#engines.get(fold)?.position ?? 0, any }),
      skipped: (events) => port.note('skipped', { fold, events }),
      troubled: (error) => port.note('troubled', { fold, error: error === undefined ? undefined : toWireError(error) }),
      stopped: ({ position, error }) => port.note('stopped', { fold, position, error: toWireError(error) }),
      parked: async (event, error) => {
        await port.call('parked', { fold, event, error: toWireError(error) });
      },
      atHead: () =>
        isLive
          ? undefined
          : port.call('atHead', fold).then((answer) => {
              // The answer of `fold-line.ts` to this call.
              isLive = (answer as HeadAnswer) === 'live';
            }),
    };
  }

  async #read({ after, limit, types }: EventQuery): Promise<EventPage> {
    // The answer of `fold-line.ts` to this call.
    const { head, pages } = (await this.#port.call('pages', after)) as PagesAnswer;
    this.#window.advance(head);
    const search = types === undefined ? undefined : this.#searchFor(types);
    const filter = { after, types: search?.types, search, aggregate: undefined, id: undefined };
    return selectFrom(pages, filter, limit, after);
  }

  /** The history names all types of this worker's folds each time. */
  #searchFor(types: readonly string[]): TypeSearch {
    if (this.#search.types.size !== types.length || !types.every((type) => this.#search.types.has(type)))
      this.#search = new TypeSearch(new Set(types));
    return this.#search;
  }
}

/** The head as far as this thread has heard; what lies before it comes from the journal. */
class DistantHead implements FollowedWindow {
  readonly #followers = new Set<() => void>();
  #head = 0;

  get head(): number {
    return this.#head;
  }

  advance(head: number): void {
    if (head <= this.#head) return;
    this.#head = head;
    for (const wake of this.#followers) wake();
  }

  follow(wake: () => void): () => void {
    this.#followers.add(wake);
    return () => this.#followers.delete(wake);
  }

  partAfter(position: number): 'evicted' | 'head' {
    return position >= this.#head ? 'head' : 'evicted';
  }

  selectAfter(position: number): 'evicted' | 'head' {
    return this.partAfter(position);
  }
}
