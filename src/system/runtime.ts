/**
 * The parts of one running system, and the order in which they start and stop.
 *
 * Start: journal (and with it the lock), read models, cells, then the reactions, which may have a backlog. Stop:
 * intake, reactions, sagas, mailboxes, commits, read models, journal; each step within what is left of the deadline.
 * What a part does stands in its own file; this one only knows who needs whom.
 */
import { resolve } from 'node:path';
import type { RuntimeActor } from '../actors/actor-definition.js';
import { checkMessage } from '../actors/message-check.js';
import { knownBy, type PresentEvent, presentBy } from '../actors/present-event.js';
import type { RoutedRef } from '../actors/routed-ref.js';
import { toDeadLetters } from '../actors/undeliverable.js';
import { systemClock } from '../core/clock.js';
import type { DeadLetter } from '../core/dead-letter.js';
import { Deadlines } from '../core/deadlines.js';
import { type IdSource, randomIds } from '../core/ids.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { LIMITS } from '../core/limits.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { backupJournal, type JournalBackup } from '../journal/backup-journal.js';
import type { Journal } from '../journal/journal.js';
import { openJournal } from '../journal/open-journal.js';
import { Projections } from '../projections/projections.js';
import type { ParkedOwner } from '../reactions/parked-letters.js';
import { Reactions } from '../reactions/reactions.js';
import { Sagas } from '../sagas/sagas.js';
import { RoutedSagaRef } from '../sagas/routed-saga-ref.js';
import { EventWindow } from '../streams/event-window.js';
import { LogReader } from '../streams/log-reader.js';
import { Reminders } from '../timers/reminders.js';
import { TimerService } from '../timers/timer-service.js';
import { SafeSubject } from '../streams/safe-subject.js';
import { type Cast, loadCast } from './cast.js';
import { type Crew, hireCrew } from './crew.js';
import { DeadLetters } from './dead-letters.js';
import { FactHub } from './fact-hub.js';
import { FrontDoor } from './front-door.js';
import { FrameCodec } from '../threads/frame-codec.js';
import { OffloadPool } from '../threads/offload-pool.js';
import { offloadBy } from './offload.js';
import { Router } from './router.js';
import { untilTrue } from './settle.js';
import { Stage } from './stage.js';
import { StopLog, type StopReport } from './stop-report.js';
import { stopOnSignals } from './stop-signals.js';
import type { SystemSettings } from './system-options.js';
import { within } from './worker-succession.js';

export class Runtime {
  readonly settings: SystemSettings;
  readonly cast: Cast;
  readonly journal: Journal;
  readonly window: EventWindow;
  readonly reader: LogReader;
  readonly events: SafeSubject<RecordedEvent>;
  readonly deadLetters: DeadLetters;
  readonly stage: Stage;
  /** The worker threads and the links to them; undefined with `workers: 0`. */
  readonly crew: Crew | undefined;
  readonly reactions: Reactions;
  readonly sagas: Sagas;
  readonly projections: Projections;
  readonly timers: TimerService;
  readonly reminders: Reminders;
  readonly present: PresentEvent;
  /** The threads that run offloaded functions; undefined when no thread could import them. */
  readonly offloads: OffloadPool | undefined;
  readonly facts: FactHub;
  readonly newId: IdSource = randomIds();
  readonly #frontDoor: FrontDoor;
  readonly #deadlines: Deadlines;
  readonly #stopped = new AbortController();
  /** Of the journal, wherever the process goes meanwhile. */
  readonly #path: string;
  /** Under way; the journal is closed only behind them. */
  readonly #backups = new Set<Promise<unknown>>();
  /** Actors that a reminder has started, before anybody else did. */
  readonly #woken = new Set<string>();
  #stopping: Promise<StopReport> | undefined;
  #signals: { release(): void } | undefined;

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
      await runtime.crew?.workers.start();
      await runtime.deadLetters.start();
      await runtime.projections.start();
      await runtime.reactions.start();
      await runtime.sagas.start();
      await runtime.timers.start();
      runtime.#listenToSignals();
      return runtime;
    } catch (error) {
      await runtime?.crew?.workers.end();
      await runtime?.offloads?.close();
      await runtime?.projections.stop();
      await journal.close();
      throw error;
    }
  }

  private constructor(settings: SystemSettings, cast: Cast, journal: Journal) {
    this.settings = settings;
    this.#path = resolve(settings.journal.path);
    this.cast = cast;
    this.journal = journal;
    const { clock, log } = settings;
    const { askTimeoutMs } = settings.limits;
    this.facts = new FactHub(clock, log);
    const facts = this.facts.here;
    this.window = new EventWindow(journal.head);
    this.present = presentBy(cast.aggregates);
    this.events = new SafeSubject(log, 'events');
    const caught = (error: unknown): void => this.events.caught(error);
    const known = knownBy(cast.aggregates);
    this.reader = new LogReader(journal, this.window, { present: this.present, known }, this.#stopped.signal, caught);
    this.#deadlines = new Deadlines(clock);
    const router = new Router();
    this.#frontDoor = new FrontDoor(router);
    this.deadLetters = new DeadLetters({ journal, post: this.#frontDoor, clock, log, facts, newId: this.newId });
    const codec = new FrameCodec();
    const offloads = Array.isArray(settings.cast) ? undefined : new OffloadPool(String(settings.cast), codec);
    this.offloads = offloads;
    this.timers = new TimerService({ journal, clock, log });
    const actors = new Map(cast.actors.map((definition) => [definition.name, definition]));
    this.reminders = new Reminders({
      timers: this.timers,
      journal,
      post: router,
      clock,
      newId: this.newId,
      askTimeoutMs,
      isQuery: (target, type) => router.isQuery(target, type),
      isActor: (target) => actors.has(target),
      undelivered: (envelope, error) => toDeadLetters(this.deadLetters, envelope, error),
      spawn: async (target, id, args) => {
        const definition = actors.get(target);
        if (definition === undefined) return;
        await this.#start(definition, id, args);
        this.#woken.add(`${target}/${id}`);
      },
    });
    this.stage = new Stage({
      cast,
      journal,
      deadLetters: this.deadLetters,
      facts,
      clock,
      log,
      newId: this.newId,
      askTimeoutMs,
      supervision: settings.supervision,
      events$: this.events.asObservable(),
      deadlines: this.#deadlines,
      router,
      reminders: this.reminders,
      offload: offloadBy(cast, codec, offloads && ((exported, input) => offloads.run(exported, input))),
      stopElsewhere: async (name, id) => {
        if (this.crew === undefined) return false;
        await this.crew.workers.stopActor(name, id);
        return true;
      },
    });
    this.crew = hireCrew(this, router);
    const shared = { journal, window: this.window, clock, log, present: this.present };
    const { path } = settings.journal;
    this.projections = new Projections({
      ...shared,
      known,
      definitions: cast.projections,
      office: this.deadLetters.office,
      makeFold: this.crew?.folds.makeFold,
      viewsPath: path === ':memory:' ? path : `${path}.views`,
    });
    const consumers = { ...shared, post: router, deadLetters: this.deadLetters, askTimeoutMs };
    this.sagas = new Sagas({ ...consumers, definitions: cast.sagas, timers: this.timers });
    this.reactions = new Reactions({
      ...consumers,
      definitions: cast.reactions,
      elsewhere: this.crew?.attempts,
    });
    const consumerOf = (letter: DeadLetter): ParkedOwner => (this.sagas.owns(letter) ? this.sagas : this.reactions);
    this.deadLetters.parkedBy({
      retry: (letter, trace) =>
        this.projections.owns(letter) ? this.projections.retry(letter) : consumerOf(letter).retry(letter, trace),
      discard: (letter) =>
        this.projections.owns(letter) ? this.deadLetters.erase(letter.id) : consumerOf(letter).discard(letter),
    });
    journal.onCommit = (committed) => {
      this.window.add(committed);
      const { firstPosition, lastPosition } = committed;
      facts.tell({ kind: 'committed', firstPosition, lastPosition });
      if (this.events.observed) this.#publish(committed.firstPosition);
      this.crew?.workers.committed(committed);
      this.crew?.folds.committed();
    };
  }

  /** A reference for the outside; refused once the system is stopping. */
  ref(name: string, id: string): RoutedRef {
    return this.stage.ref(this.#frontDoor, name, id);
  }

  /** A handle of a saga. */
  sagaRef(name: string, id: string): RoutedSagaRef {
    return new RoutedSagaRef(this.sagas, this.settings.clock, name, id);
  }

  /** Starts a top-level actor where it is placed; whom a reminder has started meanwhile has been started. */
  async spawn(definition: RuntimeActor, id: string, args: unknown): Promise<void> {
    const woken = this.#woken.delete(`${definition.name}/${id}`);
    try {
      await this.#start(definition, id, args);
    } catch (error) {
      if (!woken || !isTroupeError(error) || error.code !== 'TROUPE_INVALID_OPTIONS') throw error;
    }
  }

  async #start(definition: RuntimeActor, id: string, args: unknown): Promise<void> {
    if (this.crew === undefined) this.stage.actors.spawn(definition, { id, args });
    else {
      checkMessage(args, `${definition.name}/${id}: option "args"`);
      await this.crew.workers.spawn(definition.name, id, args);
    }
  }

  /** A copy of the journal, by a connection of its own: nobody waits for it. */
  async backup(target: string): Promise<JournalBackup> {
    const { path } = this.settings.journal;
    if (path === ':memory:') {
      throw new TroupeError('TROUPE_INVALID_OPTIONS', 'a journal in memory has no backup; give the system a path');
    }
    const backup = backupJournal(this.#path, target);
    this.#backups.add(backup);
    try {
      return await backup;
    } finally {
      this.#backups.delete(backup);
    }
  }

  /** Whether everything sent has had all its consequences, on all threads. */
  async settled(): Promise<boolean> {
    if (!this.#settledHere) return false;
    if (this.crew === undefined) return true;
    // Two looks between which nothing has moved: what one worker had finished, another can't have woken since.
    const first = await this.crew.workers.resting();
    if (!first.idle || !this.#settledHere) return false;
    const second = await this.crew.workers.resting();
    return second.idle && second.activity === first.activity && this.#settledHere;
  }

  get #settledHere(): boolean {
    const { head } = this.window;
    return (
      this.stage.idle &&
      (this.crew === undefined || this.crew.links.unfinished === 0) &&
      this.journal.metrics().entriesWaiting === 0 &&
      this.timers.idle &&
      this.reactions.isSettled(head) &&
      this.sagas.isSettled(head) &&
      this.projections.isSettled(head)
    );
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  stop(timeoutMs: number): Promise<StopReport> {
    this.#stopping ??= this.#shutDown(timeoutMs);
    return this.#stopping;
  }

  async #shutDown(timeoutMs: number): Promise<StopReport> {
    const log = new StopLog(this.facts.here, timeoutMs);
    const { crew } = this;
    const late = new TroupeError(
      'TROUPE_SYSTEM_STOPPED',
      `${this.settings.name} has stopped; the message was not handled within the ${timeoutMs} ms that stop() had`,
    );
    let timersStopped: Promise<void> = Promise.resolve();
    await log.phase('intake', () => {
      this.#frontDoor.close(this.settings.name);
      timersStopped = this.timers.stop();
    });
    // What reactions and sagas have in hand gets half of the time, so that mailboxes have some left.
    await log.phase('reactions', (ms) => this.#inTime(ms, (limitMs) => this.reactions.stop(limitMs)), 1 / 2);
    await log.phase('sagas', (ms) => this.#inTime(ms, (limitMs) => this.sagas.stop(limitMs)), 1 / 2);
    await log.phase('mailboxes', async (ms) => {
      if (crew === undefined) return untilTrue(() => this.stage.idle, ms);
      const { complete, unhandled } = await crew.workers.drain(ms);
      log.unhandled(unhandled);
      return (await untilTrue(() => this.stage.idle, log.leftMs())) && complete;
    });
    log.unhandled(this.stage.unhandled());
    await log.phase('actors', (ms) => this.#inTime(ms, (limitMs) => this.stage.actors.stopAll(limitMs)));
    this.stage.end(late);
    await log.phase('commit', () => this.journal.flushed());
    await log.phase('close', async () => {
      // Folds on workers write their last batches through this thread; one that is stuck ends with its worker.
      const folded = this.projections.stop();
      await within(folded, Math.max(log.leftMs(), LIMITS.workerEndMs));
      await crew?.workers.end();
      crew?.links.end(late);
      crew?.links.close();
      await this.offloads?.close();
      // What has fired has its answer now, be it that there won't be one.
      await within(timersStopped, LIMITS.workerEndMs);
      await folded;
      await this.deadLetters.stop();
      this.#stopped.abort(late);
      this.#deadlines.clear();
      this.events.complete();
      await Promise.allSettled(this.#backups);
      await this.journal.close();
      this.#signals?.release();
    });
    const report = log.report();
    if (!report.complete) this.#tellUnfinished(report);
    this.facts.complete();
    return report;
  }

  /** Whether it has ended within the time that it was given. */
  async #inTime(limitMs: number, run: (limitMs: number) => Promise<void>): Promise<boolean> {
    const startedMs = systemClock.monotonic();
    await run(limitMs);
    return systemClock.monotonic() - startedMs < Math.max(limitMs, 1);
  }

  #tellUnfinished({ unhandled }: StopReport): void {
    const parts = Object.entries(unhandled).map(([name, count]) => `${count} of ${name}`);
    if (parts.length === 0) return;
    this.settings.log.warn(
      `${this.settings.name} has stopped before all messages were handled; not handled: ${parts.join(', ')}; ` +
        'give stop() more time',
    );
  }

  #listenToSignals(): void {
    const { signals } = this.settings;
    if (signals.length > 0) this.#signals = stopOnSignals(signals, () => this.stop(LIMITS.stopTimeoutMs));
  }

  /** Gives the events of a commit to the subscribers of `events`. */
  #publish(firstPosition: number): void {
    const events = this.window.partAfter(firstPosition - 1);
    if (typeof events === 'string') return;
    for (const event of events) this.events.next(event);
  }
}
