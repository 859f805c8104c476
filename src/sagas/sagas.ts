/**
 * All sagas of a system, put together: what starts them, keeps those in memory that have something to do, brings back
 * those that events, timers or people wake, and stops them together.
 *
 * A saga is started once it is durable (saga-starts.ts), and what starts it by an event is a reaction, whose checkpoint
 * passes the event only then. So many are at work at a time; the others wait in the journal (work-queue.ts). Who only
 * waits leaves memory (saga-memory.ts).
 */
import type { Clock } from '../core/clock.js';
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import { Deadlines } from '../core/deadlines.js';
import { suggestion } from '../core/did-you-mean.js';
import type { Post } from '../core/envelope.js';
import { isGivenText } from '../core/given-text.js';
import { checkJson } from '../core/json-value.js';
import { LIMITS } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Journal } from '../journal/journal.js';
import type { ParkedLetters, ParkedOwner } from '../reactions/parked-letters.js';
import { Pauses } from '../reactions/pauses.js';
import { Reactions } from '../reactions/reactions.js';
import type { EventWindow } from '../streams/event-window.js';
import { ThrottledLog } from '../streams/throttled-log.js';
import type { TimerService } from '../timers/timer-service.js';
import { AskGate } from './ask-gate.js';
import { EventBringer } from './event-bringer.js';
import { IdleSagas } from './idle-sagas.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { RuntimeSaga } from './saga-definition.js';
import { SagaInquiries } from './saga-inquiries.js';
import { SagaLetters } from './saga-letters.js';
import { SagaMemory } from './saga-memory.js';
import { SagaCounts, type SagaNumbers } from './saga-numbers.js';
import { type EndedHead, nameIn, SAGA_CANCEL, SAGA_TIMER, sagaKey } from './saga-records.js';
import type { SagaStartOptions, SagaStatus } from './saga-ref.js';
import { SagaResults } from './saga-results.js';
import { SagaRetention } from './saga-retention.js';
import { reviveSagas } from './saga-revival.js';
import type { SagaRun } from './saga-run.js';
import { startedBy, starterName, starterOf } from './saga-starter.js';
import { SagaStarts } from './saga-starts.js';
import { SagaStore } from './saga-store.js';
import { Turns } from './turns.js';
import { WaitIndex } from './wait-index.js';
import { WaitSearch } from './wait-search.js';
import type { ChildLink } from './waiting-steps.js';
import { WakeClock } from './wake-clock.js';
import { WorkQueue } from './work-queue.js';

/** What sagas need of the system that they run in. */
export interface SagasOptions {
  readonly definitions: readonly RuntimeSaga[];
  readonly journal: Journal;
  readonly window: EventWindow;
  readonly timers: Pick<TimerService, 'serve'>;
  /** Where commands go; it takes them until the sagas have stopped. */
  readonly post: Post;
  readonly deadLetters: ParkedLetters;
  readonly clock: Clock;
  readonly log: Logger;
  readonly askTimeoutMs: number;
  readonly present: (event: RecordedEvent) => RecordedEvent;
}

/** A saga that needs a person. */
export interface ParkedSaga {
  readonly name: string;
  readonly id: string;
  readonly error: string;
}

export class Sagas implements ParkedOwner {
  readonly #options: SagasOptions;
  readonly #definitions: ReadonlyMap<string, RuntimeSaga>;
  readonly #store: SagaStore;
  readonly #search: WaitSearch;
  readonly #idle: IdleSagas;
  readonly #events: EventBringer;
  readonly #pauses: Pauses;
  readonly #warnings: ThrottledLog;
  readonly #turns = new Turns();
  readonly #wakes: WakeClock;
  readonly #deadlines: Deadlines;
  /** The reactions that start sagas by events. */
  readonly #starters: Reactions;
  readonly #memory: SagaMemory;
  readonly #queue: WorkQueue;
  readonly #starts: SagaStarts;
  readonly #letters: SagaLetters;
  readonly #retention: SagaRetention;
  /** Those that an earlier run of the system has left at work, until each has been read; it may wait for others. */
  #left: readonly string[] = [];
  readonly #askGates = new Map<string, AskGate>();
  readonly #results: SagaResults;
  readonly #inquiries: SagaInquiries;
  readonly #counts = new SagaCounts();
  #stopping: Promise<void> | undefined;

  constructor(options: SagasOptions) {
    this.#options = options;
    const { definitions, journal, window, timers, clock, log, present, deadLetters } = options;
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    this.#store = new SagaStore(journal, present);
    this.#pauses = new Pauses(clock);
    this.#warnings = new ThrottledLog(log, clock, 'warn');
    this.#wakes = new WakeClock(clock);
    this.#deadlines = new Deadlines(clock);
    this.#results = new SagaResults(clock);
    const pen = { journal, pauses: this.#pauses, warnings: this.#warnings };
    const index = new WaitIndex(window);
    this.#search = new WaitSearch({ ...pen, index, moved: () => this.#events.tellMoved() });
    this.#events = new EventBringer({ ...pen, window, index, search: this.#search });
    this.#idle = new IdleSagas(index, this.#search, (key) => this.#memory.wake(key));
    this.#memory = new SagaMemory({
      ...pen,
      clock,
      definitions: this.#definitions,
      store: this.#store,
      idle: this.#idle,
      turns: this.#turns,
    });
    this.#queue = new WorkQueue({
      clock,
      definitions: this.#definitions,
      turns: this.#turns,
      working: () => this.#memory.working,
      mayLoad: () => this.#memory.mayLoad,
      begin: (start) => this.#memory.begin(start),
      load: (key) => void this.#memory.load(key),
    });
    this.#memory.join(this.#surroundings(index), this.#queue);
    this.#inquiries = new SagaInquiries({
      clock,
      store: this.#store,
      memory: this.#memory,
      queue: this.#queue,
      idle: this.#idle,
      results: this.#results,
    });
    this.#starts = new SagaStarts({
      journal,
      clock,
      store: this.#store,
      queue: this.#queue,
      isHere: (key) => this.#inquiries.isHere(key),
      started: (key) => this.#counts.add(nameIn(key), 'started'),
    });
    this.#letters = new SagaLetters({
      ...pen,
      clock,
      letters: deadLetters,
      memory: this.#memory,
      bring: (key) => this.#bring(key),
      ended: (run, end) => this.#ended(run, end),
    });
    this.#retention = new SagaRetention({
      ...pen,
      clock,
      definitions: this.#definitions,
      needed: () => this.#neededEnds(),
    });
    this.#starters = new Reactions({
      ...options,
      definitions: definitions
        .filter(({ options: { startOn } }) => startOn !== undefined)
        .map((definition) => starterOf(definition, (event, id) => this.#startByEvent(definition, event, id))),
    });
    for (const { name, options: settings } of definitions) {
      if (settings.flow.asks !== undefined) this.#askGates.set(name, new AskGate(settings.flow.asks));
    }
    if (definitions.length > 0) timers.serve(SAGA_TIMER, (timer) => this.#memory.timerFired(timer));
  }

  #surroundings(index: WaitIndex): RunSurroundings {
    const { journal, clock, log, present, post, deadLetters, askTimeoutMs } = this.#options;
    return {
      journal,
      pauses: this.#pauses,
      warnings: this.#warnings,
      post,
      deadlines: this.#deadlines,
      clock,
      log,
      letters: deadLetters,
      askTimeoutMs,
      wakes: this.#wakes,
      index,
      search: this.#search,
      present,
      turns: this.#turns,
      caughtUp: () => this.#events.caughtUp(),
      child: (definition, id, input, parent) => this.#childLink(definition, id, input, parent),
      askGate: (name) => this.#askGates.get(name),
      busyChanged: (run) => this.#memory.busyChanged(run),
      ended: (run, end) => this.#ended(run, end),
      parked: (run, error) => {
        this.#queue.release(run.key);
        this.#results.settleAll(run.key, error);
        this.#letters.parked(run);
      },
      diverged: (run, error) => {
        this.#queue.release(run.key);
        this.#letters.diverged(run, error);
        this.#results.settleAll(run.key, error);
      },
      letterOf: (run, place, name, error, refusedId) => this.#letters.letterOf(run, place, name, error, refusedId),
    };
  }

  /** Lets those go on that an earlier run of the system has left; the dead letters have to be loaded before. */
  async start(): Promise<void> {
    if (this.#definitions.size === 0) return;
    const { clock, log } = this.#options;
    this.#events.start();
    const { left, parked } = await reviveSagas({
      definitions: this.#definitions,
      store: this.#store,
      queue: this.#queue,
      memory: this.#memory,
      clock,
      log,
    });
    this.#left = left;
    for (const key of this.#letters.withoutLetter(parked)) await this.#letters.giveUp(key);
    await this.#cancelRequests();
    this.#events.take();
    this.#queue.next();
    this.#retention.start();
    await this.#starters.start();
  }

  /** Whether nobody is at work: those that sleep, wait or are parked don't count. */
  isSettled(head: number): boolean {
    if (this.#definitions.size === 0) return true;
    if (!this.#starters.isSettled(head) || this.#queue.moving + this.#starts.size > 0) return false;
    return this.#events.idle && this.#memory.isSettled;
  }

  metrics(): SagaNumbers[] {
    const starters = new Map(this.#starters.metrics().map((one) => [one.name, one]));
    const { head } = this.#options.window;
    const tally = this.#counts.tally(this.#definitions.keys(), (name) => {
      const { position, lag } = starters.get(starterName(name)) ?? { position: head, lag: 0 };
      return { position, lag };
    });
    const { runs, loading, asleep } = this.#memory;
    for (const key of this.#queue.keys()) tally.countKey(key, 'running');
    for (const key of loading) if (!runs.has(key)) tally.countKey(key, 'running');
    for (const run of runs.values()) tally.count(run.definition.name, run.state);
    for (const [key, { facts }] of this.#idle.entries()) tally.countKey(key, facts.state);
    for (const [name, many] of asleep) tally.count(name, 'sleeping', many);
    return tally.numbers;
  }

  /** What needs a person. */
  problems(): ParkedSaga[] {
    return [...this.#definitions.keys()].flatMap((name) =>
      [name, starterName(name)]
        .flatMap((owner) => this.#options.deadLetters.parkedOf(owner))
        .map(({ letter }) => ({ name, id: letter.target.id, error: letter.error?.message ?? '' })),
    );
  }

  /** Starts a saga by hand; false: it has been started before. */
  async startByHand(name: string, id: string, input: unknown, options: SagaStartOptions = {}): Promise<boolean> {
    this.#refuseWhenStopping(name, id);
    this.#known(name);
    const key = sagaKey(name, id);
    checkJson(input, `saga ${key}: the input`);
    const { correlationId = key, metadata } = options;
    const head = { byEvent: false, position: this.#options.window.head, correlationId, causationId: null, metadata };
    return this.#starts.start(key, id, head, input);
  }

  async cancel(name: string, id: string, reason: string): Promise<void> {
    this.#refuseWhenStopping(name, id);
    this.#known(name);
    const key = sagaKey(name, id);
    let run = await this.#bring(key);
    if (run === undefined && this.#definitions.get(name)?.options.startOn !== undefined) {
      // Its start event may be committed, and on its way to here.
      await this.#startsTaken();
      run = await this.#bring(key);
    }
    if (run !== undefined) return run.cancel(reason);
    if (this.#idle.get(key) !== undefined) return;
    const { end } = await this.#store.find(key);
    if (end !== undefined) return;
    throw new TroupeError(
      'TROUPE_ACTOR_STOPPED',
      `saga ${key} has not been started, so there is nothing to cancel; when an event starts it, wait for that first`,
      { details: { saga: name, id } },
    );
  }

  status(name: string, id: string): Promise<SagaStatus> {
    this.#known(name);
    return this.#inquiries.status(sagaKey(name, id));
  }

  /** Resolves with what the run returned, once it has. */
  async result(name: string, id: string): Promise<unknown> {
    this.#known(name);
    const key = sagaKey(name, id);
    return this.#inquiries.result(key, () => (this.#stopping === undefined ? undefined : this.#stopped(key)));
  }

  /** Whether a letter is about one of these sagas. */
  owns(letter: DeadLetter): boolean {
    return this.#definitions.has(letter.target.name) || this.#definitions.has(startedBy(letter.target.name));
  }

  async retry(letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    const { name, id } = letter.target;
    if (!this.#definitions.has(name)) return this.#starters.retry(letter, trace);
    this.#refuseWhenStopping(name, id);
    return this.#letters.retry(letter, trace);
  }

  async discard(letter: DeadLetter): Promise<void> {
    const { name, id } = letter.target;
    if (!this.#definitions.has(name)) return this.#starters.discard(letter);
    this.#refuseWhenStopping(name, id);
    return this.#letters.discard(letter);
  }

  /** Begins nothing any more; what is under way gets until the deadline, and everything goes on at the next start. */
  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#stop(timeoutMs);
    return this.#stopping;
  }

  async #stop(timeoutMs: number): Promise<void> {
    const { runs } = this.#memory;
    this.#events.end();
    this.#memory.end();
    this.#queue.end();
    this.#wakes.end();
    for (const run of runs.values()) run.freeze();
    await Promise.all([this.#starters.stop(timeoutMs), this.#retention.stop()]);
    const deadline = new Pauses(this.#options.clock);
    const late = deadline.wait(timeoutMs).then(() => true);
    for (;;) {
      const busy = [...runs.values()].some((run) => !run.quiet);
      if (!busy && this.#starts.size === 0) break;
      if ((await Promise.race([late, this.#pause()])) === true) break;
    }
    deadline.end();
    for (const run of runs.values()) run.leave();
    this.#results.refuseAll((key) => this.#stopped(key));
    this.#pauses.end();
    this.#deadlines.clear();
    this.#warnings.close();
  }

  // Who starts sagas.

  async #startByEvent(definition: RuntimeSaga, event: RecordedEvent, id: string): Promise<void> {
    const { name } = definition;
    this.#refuseWhenStopping(name, id);
    const { position, correlationId, metadata } = event;
    const head = { byEvent: true, position, correlationId, causationId: event.id, metadata };
    // Events wait in the journal for their turn.
    while (this.#queue.backlogOf(name) >= LIMITS.sagaConcurrency) {
      await this.#queue.room();
      this.#refuseWhenStopping(name, id);
    }
    await this.#starts.start(sagaKey(name, id), id, head, event);
  }

  #childLink(definition: RuntimeSaga, id: string, input: unknown, parent: SagaRun): ChildLink {
    const name: unknown = (Object(definition) as { readonly name?: unknown }).name;
    if (typeof name !== 'string') {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `saga ${parent.key}: run ${showValue(definition)}; give a definition made by saga()`,
      );
    }
    this.#known(name);
    checkJson(input, `saga ${parent.key}: the input of ${name}`);
    if (!isGivenText(id) || sagaKey(name, id) === parent.key) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `saga ${parent.key}: run ${name}/${showValue(id)}; give the id of another saga`,
      );
    }
    const { correlationId, causationId, metadata } = parent.head;
    const head = { byEvent: false, position: this.#options.window.head, correlationId, causationId, metadata };
    return {
      run: async () => {
        await this.#retention.settled();
        await this.#starts.start(sagaKey(name, id), id, head, input);
        return this.result(name, id);
      },
      cancel: (reason) => this.cancel(name, id, reason),
    };
  }

  async #cancelRequests(): Promise<void> {
    const { journal } = this.#options;
    for (const { key, value } of await journal.readRecords(SAGA_CANCEL)) {
      if (!this.#definitions.has(nameIn(key))) continue;
      const { reason = 'cancelled by hand' } = value as { readonly reason?: string };
      const run = await this.#bring(key);
      await run?.cancel(reason);
      await journal.writeRecords([{ kind: SAGA_CANCEL, key, value: undefined }]);
    }
  }

  // Small parts.

  /** The saga in memory, whatever it takes; undefined: there is none that has not ended. */
  async #bring(key: string): Promise<SagaRun | undefined> {
    await this.#starts.over(key);
    return this.#memory.bring(key);
  }

  /** Keys of sagas whose ends others wait for; not known before those that were left at work have been read. */
  #neededEnds(): ReadonlySet<string> | undefined {
    this.#left = this.#left.filter(
      (key) => this.#queue.has(key) || this.#memory.isLoading(key) || !this.#definitions.has(nameIn(key)),
    );
    if (this.#left.length > 0) return undefined;
    const needed = new Set<string>();
    for (const run of this.#memory.runs.values()) run.steps.addChildren(needed);
    return needed;
  }

  #ended(run: SagaRun, end: EndedHead): void {
    this.#memory.forget(run);
    this.#queue.release(run.key);
    this.#counts.add(run.definition.name, end.state);
    this.#results.settleAll(run.key, end);
  }

  /** Resolves when the start events committed so far have started their sagas. */
  async #startsTaken(): Promise<void> {
    const { window, clock, askTimeoutMs } = this.#options;
    const { head } = window;
    const untilMs = clock.monotonic() + askTimeoutMs;
    while (!this.#starters.isSettled(head) && this.#stopping === undefined && clock.monotonic() < untilMs) {
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#turns.next(resolve));
  }

  #stopped(key: string): TroupeError {
    return new TroupeError('TROUPE_SYSTEM_STOPPED', `saga ${key} goes on at the next start: the system has stopped`);
  }

  #known(name: string): void {
    if (this.#definitions.has(name)) return;
    throw new TroupeError(
      'TROUPE_UNKNOWN_ACTOR',
      `no saga is named ${name}${suggestion(name, this.#definitions.keys())}; export its definition from the cast`,
      { details: { name } },
    );
  }

  #refuseWhenStopping(name: string, id: string): void {
    if (this.#stopping !== undefined) throw this.#stopped(sagaKey(name, id));
  }
}
