/**
 * The parts of one running system, and the order in which they start and stop.
 *
 * Start: journal (and with it the lock), read models, cells, then the reactions, which may have a backlog. Stop:
 * intake, reactions, mailboxes, commits, read models, journal; each step within what is left of the deadline.
 * What a part does stands in its own file; this one only knows who needs whom.
 */
import { ActorHost } from '../actors/actor-host.js';
import { AggregateHost } from '../actors/aggregate-host.js';
import { Dispatcher } from '../actors/dispatcher.js';
import { type PresentEvent, presentBy } from '../actors/present-event.js';
import { type RefSurroundings, RoutedRef } from '../actors/routed-ref.js';
import { toDeadLetters } from '../actors/undeliverable.js';
import { systemClock, systemRandom } from '../core/clock.js';
import { Deadlines } from '../core/deadlines.js';
import { type IdSource, randomIds } from '../core/ids.js';
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Journal } from '../journal/journal.js';
import { openJournal } from '../journal/open-journal.js';
import { Projections } from '../projections/projections.js';
import { Reactions } from '../reactions/reactions.js';
import { EventWindow } from '../streams/event-window.js';
import { LogReader } from '../streams/log-reader.js';
import { SafeSubject } from '../streams/safe-subject.js';
import { type Cast, loadCast } from './cast.js';
import { DeadLetters } from './dead-letters.js';
import { FrontDoor } from './front-door.js';
import { Router } from './router.js';
import { untilTrue } from './settle.js';
import type { SystemSettings } from './system-options.js';

export class Runtime {
  readonly settings: SystemSettings;
  readonly cast: Cast;
  readonly journal: Journal;
  readonly window: EventWindow;
  readonly reader: LogReader;
  readonly events: SafeSubject<RecordedEvent>;
  readonly deadLetters: DeadLetters;
  readonly aggregates: readonly AggregateHost[];
  readonly actors: ActorHost;
  readonly reactions: Reactions;
  readonly projections: Projections;
  readonly present: PresentEvent;
  readonly newId: IdSource = randomIds();
  readonly #router = new Router();
  readonly #frontDoor: FrontDoor;
  readonly #deadlines: Deadlines;
  readonly #stopped = new AbortController();
  #stopping: Promise<void> | undefined;

  /** Starts everything; what has been started is stopped again when a later part fails. */
  static async start(settings: SystemSettings): Promise<Runtime> {
    const cast = await loadCast(settings.cast);
    const { clock, log } = settings;
    const journal = await openJournal({
      ...settings.journal,
      outcomes: settings.limits.outcomes,
      clock,
      warn: (text, error) => log.warn(text, { error }),
    });
    let runtime: Runtime | undefined;
    try {
      runtime = new Runtime(settings, cast, journal);
      await runtime.deadLetters.start();
      await runtime.projections.start();
      await runtime.reactions.start();
      return runtime;
    } catch (error) {
      await runtime?.projections.stop();
      await journal.close();
      throw error;
    }
  }

  private constructor(settings: SystemSettings, cast: Cast, journal: Journal) {
    this.settings = settings;
    this.cast = cast;
    this.journal = journal;
    const { clock, log } = settings;
    const { askTimeoutMs } = settings.limits;
    this.window = new EventWindow(journal.head);
    this.present = presentBy(cast.aggregates);
    this.reader = new LogReader(journal, this.window, this.present, this.#stopped.signal);
    this.events = new SafeSubject(log, 'events');
    this.#deadlines = new Deadlines(clock);
    this.#frontDoor = new FrontDoor(this.#router);
    this.deadLetters = new DeadLetters({ journal, post: this.#frontDoor, clock, log, newId: this.newId });
    const dispatcher = new Dispatcher(systemClock);
    const around = { journal, dispatcher, deadLetters: this.deadLetters, clock, log, newId: this.newId, askTimeoutMs };
    this.aggregates = cast.aggregates.map((definition) => new AggregateHost(around, definition));
    for (const host of this.aggregates) this.#router.add({ kind: 'aggregate', definition: host.definition, host });
    const actors = new Map(cast.actors.map((definition) => [definition.name, definition]));
    this.actors = new ActorHost({
      ...around,
      post: this.#router,
      definition: (name) => actors.get(name),
      supervision: settings.supervision,
      events$: this.events.asObservable(),
      random: systemRandom,
      stopTimeoutMs: LIMITS.stopTimeoutMs,
      makeRef: (name, id, source) => new RoutedRef(this.#refSurroundings(false), name, id, source),
    });
    for (const definition of cast.actors) this.#router.add({ kind: 'actor', definition, host: this.actors });
    const shared = { journal, window: this.window, clock, log, present: this.present };
    const { path } = settings.journal;
    this.projections = new Projections({
      ...shared,
      definitions: cast.projections,
      viewsPath: path === ':memory:' ? path : `${path}.views`,
    });
    this.reactions = new Reactions({
      ...shared,
      definitions: cast.reactions,
      post: this.#router,
      deadLetters: this.deadLetters,
      askTimeoutMs,
    });
    this.deadLetters.parkedBy(this.reactions);
    journal.onCommit = (committed) => {
      this.window.add(committed);
      if (this.events.observed) this.#publish(committed.firstPosition);
    };
  }

  /** A reference for the outside; refused once the system is stopping. */
  ref(name: string, id: string): RoutedRef {
    return new RoutedRef(this.#refSurroundings(true), name, id);
  }

  /** Messages under way on this thread: waiting, handled, or being committed. */
  get unfinished(): number {
    let count = 0;
    for (const host of this.aggregates) count += host.unfinished;
    return count;
  }

  /** Whether everything sent has had all its consequences. */
  get settled(): boolean {
    const { head } = this.window;
    return (
      this.unfinished === 0 &&
      !this.actors.busy &&
      this.journal.metrics().entriesWaiting === 0 &&
      this.reactions.isSettled(head) &&
      this.projections.isSettled(head)
    );
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#shutDown(timeoutMs);
    return this.#stopping;
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    const deadline = systemClock.monotonic() + timeoutMs;
    const leftMs = (): number => Math.max(0, deadline - systemClock.monotonic());
    this.#frontDoor.close(this.settings.name);
    await this.reactions.stop(leftMs());
    await untilTrue(() => this.unfinished === 0 && !this.actors.busy, leftMs());
    await this.actors.stopAll(leftMs());
    const late = new TroupeError(
      'TROUPE_SYSTEM_STOPPED',
      `${this.settings.name} has stopped; the message was not handled within the ${timeoutMs} ms that stop() had`,
    );
    for (const host of this.aggregates) host.end(late);
    await this.journal.flushed();
    await this.projections.stop();
    await this.deadLetters.stop();
    this.#stopped.abort(late);
    this.#deadlines.clear();
    this.events.complete();
    await this.journal.close();
  }

  /** Gives the events of a commit to the subscribers of `events`. */
  #publish(firstPosition: number): void {
    const events = this.window.partAfter(firstPosition - 1);
    if (typeof events === 'string') return;
    for (const event of events) this.events.next(event);
  }

  #refSurroundings(outside: boolean): RefSurroundings {
    return {
      post: outside ? this.#frontDoor : this.#router,
      deadlines: this.#deadlines,
      askTimeoutMs: this.settings.limits.askTimeoutMs,
      isQuery: (target, type) => this.#router.isQuery(target, type),
      withdraw: (envelope) => this.#router.withdraw(envelope),
      undelivered: (envelope, error) => toDeadLetters(this.deadLetters, envelope, error),
      stop: (target, id) => this.actors.stop(target, id),
    };
  }
}
