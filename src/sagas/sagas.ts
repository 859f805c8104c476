/**
 * All sagas of a system: starts them, keeps those in memory that have something to do, brings back those that
 * events, timers or people wake, and stops them together.
 *
 * A saga is started once it is durable, and what starts it by an event is a reaction, whose checkpoint passes the
 * event only then. So many are at work at a time; the others wait in the journal. Who only waits leaves memory.
 */
import type { StoredTimer } from '../journal/timer-change.js';
import { nanoid } from 'nanoid';
import { describeError } from '../actors/undeliverable.js';
import type { Clock, Timer } from '../core/clock.js';
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import { Deadlines } from '../core/deadlines.js';
import { suggestion } from '../core/did-you-mean.js';
import type { Post } from '../core/envelope.js';
import { checkJson } from '../core/json-value.js';
import { LIMITS } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { RingBuffer } from '../core/ring-buffer.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { fromWireError, toWireError } from '../core/wire-error.js';
import type { Journal } from '../journal/journal.js';
import type { ParkedLetters, ParkedOwner } from '../reactions/parked-letters.js';
import { Pauses } from '../reactions/pauses.js';
import { Reactions } from '../reactions/reactions.js';
import { EventFeed } from '../streams/event-feed.js';
import type { EventWindow } from '../streams/event-window.js';
import { ThrottledLog } from '../streams/throttled-log.js';
import type { TimerService } from '../timers/timer-service.js';
import { Admission } from './admission.js';
import { AskGate } from './ask-gate.js';
import { IdleSagas } from './idle-sagas.js';
import { History } from './saga-entries.js';
import type { RuntimeSaga } from './saga-definition.js';
import type { SagaStartOptions, SagaStatus } from './saga-ref.js';
import {
  type EndedHead,
  endRecords,
  headRecord,
  type IdleFacts,
  rowRecord,
  SAGA_CANCEL,
  type SagaHead,
  sagaKey,
} from './saga-records.js';
import { type LetterOfRun, type RunStart, type RunSurroundings, SagaRun } from './saga-run.js';
import { SagaStore } from './saga-store.js';
import { startedBy, starterName, starterOf } from './saga-starter.js';
import { Turns } from './turns.js';
import type { ChildLink } from './waiting-steps.js';
import { WaitIndex } from './wait-index.js';
import { WaitSearch } from './wait-search.js';
import { WakeClock } from './wake-clock.js';

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

/** Numbers of one saga definition. */
export interface SagaNumbers {
  readonly name: string;
  /** Start events up to here have started their sagas. */
  readonly position: number;
  /** Positions from there to the head. */
  readonly lag: number;
  /** At work, or about to be. */
  readonly running: number;
  readonly waiting: number;
  readonly sleeping: number;
  readonly compensating: number;
  /** A person has to look at them. */
  readonly parked: number;
  /** Since the start of the system. */
  readonly started: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** A saga that needs a person. */
export interface ParkedSaga {
  readonly name: string;
  readonly id: string;
  readonly error: string;
}

interface ResultWaiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

type Counts = { started: number; done: number; failed: number; cancelled: number };

/** Kind of the owners of timers of sagas that left memory. */
const TIMER_KIND = 'saga';
const TIMER_NAME = 'wake';

/** Sagas read from the journal at the same time. */
const LOADS = 64;

/** Milliseconds between two looks for sagas that may leave memory. */
const SWEEP_MS = 1_000;

export class Sagas implements ParkedOwner {
  readonly #options: SagasOptions;
  readonly #definitions: ReadonlyMap<string, RuntimeSaga>;
  readonly #store: SagaStore;
  readonly #index: WaitIndex;
  readonly #search: WaitSearch;
  readonly #idle: IdleSagas;
  readonly #feed: EventFeed;
  readonly #pauses: Pauses;
  readonly #warnings: ThrottledLog;
  readonly #turns = new Turns();
  readonly #wakes: WakeClock;
  readonly #deadlines: Deadlines;
  readonly #around: RunSurroundings;
  /** The reactions that start sagas by events. */
  readonly #starters: Reactions;
  readonly #runs = new Map<string, SagaRun>();
  /** Runs that only wait, and since when; the longest first. */
  readonly #resting = new Map<SagaRun, number>();
  /** Sagas that are durable and wait for their turn; those of this life with what they begin with. */
  readonly #queue = new RingBuffer<string>();
  readonly #queued = new Map<string, RunStart | undefined>();
  /** Of definitions that limit who may begin; theirs come from there into the queue. */
  readonly #gates = new Map<string, Admission>();
  readonly #askGates = new Map<string, AskGate>();
  readonly #loading = new Map<string, Promise<SagaRun | undefined>>();
  readonly #starting = new Map<string, Promise<boolean>>();
  readonly #leaving = new Map<string, Promise<void>>();
  /** Sagas out of memory that only sleep, by name: their timers bring them back. */
  readonly #asleep = new Map<string, number>();
  readonly #results = new Map<string, Set<ResultWaiter>>();
  readonly #counts = new Map<string, Counts>();
  readonly #rested = new Map<SagaRun, (() => void)[]>();
  #moved: (() => void)[] = [];
  #roomWaiters: (() => void)[] = [];
  /** Letters of compensations under retry: their runs stay in memory. */
  readonly #held = new Set<string>();
  #busy = 0;
  #taking = false;
  #sweep: Timer | undefined;
  #unfollow: (() => void) | undefined;
  #stopping: Promise<void> | undefined;
  readonly #runPrefix: string;
  #runCount = 0;

  constructor(options: SagasOptions) {
    this.#options = options;
    const { definitions, journal, window, timers, clock, log, present, post, deadLetters, askTimeoutMs } = options;
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    this.#store = new SagaStore(journal, present);
    this.#index = new WaitIndex(window);
    this.#pauses = new Pauses(clock);
    this.#warnings = new ThrottledLog(log, clock, 'warn');
    this.#wakes = new WakeClock(clock);
    this.#deadlines = new Deadlines(clock);
    this.#runPrefix = `${Math.max(0, Math.floor(clock.now())).toString(36).padStart(9, '0')}${nanoid(4).replaceAll('~', '-')}`;
    const pen = { journal, pauses: this.#pauses, warnings: this.#warnings };
    this.#search = new WaitSearch({ ...pen, index: this.#index, moved: () => this.#tellMoved() });
    this.#idle = new IdleSagas(this.#index, this.#search, (key) => this.#wake(key));
    this.#feed = new EventFeed(window, journal, { after: window.head });
    this.#around = {
      ...pen,
      post,
      deadlines: this.#deadlines,
      clock,
      log,
      letters: deadLetters,
      askTimeoutMs,
      wakes: this.#wakes,
      index: this.#index,
      search: this.#search,
      present,
      turns: this.#turns,
      caughtUp: () => this.#caughtUp(),
      child: (definition, id, input, parent) => this.#childLink(definition, id, input, parent),
      askGate: (name) => this.#askGates.get(name),
      busyChanged: (run) => this.#busyChanged(run),
      ended: (run, end) => this.#ended(run, end),
      parked: (run, error) => this.#parked(run, error),
      diverged: (run, error) => this.#diverged(run, error),
      letterOf: (run, index, name, error, refusedId) => this.#letterOf(run, index, name, error, refusedId),
    };
    this.#starters = new Reactions({
      ...options,
      definitions: definitions
        .filter(({ options: { startOn } }) => startOn !== undefined)
        .map((definition) => starterOf(definition, (event, id) => this.#startByEvent(definition, event, id))),
    });
    for (const { name, options: settings } of definitions) {
      const { flow } = settings;
      if (flow.concurrency !== undefined || flow.rate !== undefined) {
        this.#gates.set(name, new Admission(flow, clock, () => this.#next()));
      }
      if (flow.asks !== undefined) this.#askGates.set(name, new AskGate(flow.asks));
    }
    if (definitions.length > 0) timers.serve(TIMER_KIND, (timer) => this.#timerFired(timer));
  }

  /** Lets those go on that an earlier run of the system has left; the dead letters have to be loaded before. */
  async start(): Promise<void> {
    if (this.#definitions.size === 0) return;
    const { window, clock } = this.#options;
    this.#unfollow = window.follow(() => this.#take());
    const unknown = new Map<string, number>();
    const limited: { readonly key: string; readonly head: SagaHead }[] = [];
    for await (const { key, head } of this.#store.heads()) {
      const name = nameIn(key);
      const gate = this.#gates.get(name);
      if (!this.#definitions.has(name)) unknown.set(name, (unknown.get(name) ?? 0) + 1);
      else if (head.idle === undefined && gate !== undefined) limited.push({ key, head });
      else {
        // Who sleeps or waits has begun; a parked one has given its place away.
        if (head.idle?.state !== 'parked') gate?.hold(key, head.lane ?? '');
        if (head.idle === undefined || (head.idle.due ?? Infinity) <= clock.now()) this.#enqueue(key, undefined);
        else this.#rest(key, head.idle);
      }
    }
    // Runs are numbered in order of their starts, so those that had begun get their places back first.
    limited.sort((a, b) => (a.head.run < b.head.run ? -1 : 1));
    for (const { key, head } of limited) this.#await(key, undefined, head.lane);
    for (const [name, count] of unknown) {
      this.#options.log.warn(
        `${count} sagas ${name} have not ended, and no such saga is in the cast: export it again, so that they go on`,
      );
    }
    await this.#cancelRequests();
    this.#take();
    this.#next();
    await this.#starters.start();
  }

  /** Whether nobody is at work: those that sleep, wait or are parked don't count. */
  isSettled(head: number): boolean {
    if (this.#definitions.size === 0) return true;
    if (!this.#starters.isSettled(head)) return false;
    let queued = this.#queued.size;
    // Those that wait for others which sleep or wait do so, too.
    for (const gate of this.#gates.values()) if (gate.blocked) queued -= gate.waiting;
    if (this.#busy + queued + this.#loading.size + this.#starting.size > 0) return false;
    if (!this.#index.atHead || !this.#search.idle || this.#leaving.size > 0) return false;
    for (const run of this.#runs.values()) if (!run.written) return false;
    return true;
  }

  metrics(): SagaNumbers[] {
    const starters = new Map(this.#starters.metrics().map((one) => [one.name, one]));
    const { head } = this.#options.window;
    const numbers = new Map(
      Array.from(this.#definitions.keys(), (name) => {
        const { started, done, failed, cancelled } = this.#countsOf(name);
        const zero = { running: 0, waiting: 0, sleeping: 0, compensating: 0, parked: 0 };
        const { position, lag } = starters.get(starterName(name)) ?? { position: head, lag: 0 };
        return [name, { name, position, lag, ...zero, started, done, failed, cancelled }];
      }),
    );
    const count = (key: string, state: SagaStatus['state']): void => {
      const one = numbers.get(nameIn(key));
      if (one === undefined) return;
      if (state === 'waiting' || state === 'sleeping' || state === 'compensating' || state === 'parked')
        one[state] += 1;
      else one.running += 1;
    };
    for (const key of this.#queued.keys()) count(key, 'running');
    for (const key of this.#loading.keys()) if (!this.#runs.has(key)) count(key, 'running');
    for (const [key, run] of this.#runs) count(key, run.status().state);
    for (const [key, { facts }] of this.#idle.entries()) count(key, facts.state);
    for (const [name, asleep] of this.#asleep) {
      const one = numbers.get(name);
      if (one !== undefined) one.sleeping += asleep;
    }
    return [...numbers.values()];
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
    return this.#start(key, id, head, input);
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

  async status(name: string, id: string): Promise<SagaStatus> {
    this.#known(name);
    const key = sagaKey(name, id);
    const here = this.#statusHere(key);
    if (here !== undefined) return here;
    await this.#leaving.get(key);
    const { end, head } = await this.#store.find(key);
    if (end !== undefined) {
      return {
        state: end.state,
        since: end.endedAt,
        ...(end.error === undefined ? {} : { error: fromWireError(end.error) }),
      };
    }
    if (head?.idle !== undefined && !this.#isHere(key)) return statusOf(head.idle);
    const since = head?.startedAt ?? this.#options.clock.now();
    return this.#statusHere(key) ?? { state: head === undefined ? 'not-started' : 'running', since };
  }

  /** Resolves with what the run returned, once it has. */
  async result(name: string, id: string): Promise<unknown> {
    this.#known(name);
    const key = sagaKey(name, id);
    let waiter: ResultWaiter | undefined;
    const result = new Promise<unknown>((resolve, reject) => {
      waiter = { resolve, reject };
    });
    // Made by the promise's executor.
    const listed = waiter as unknown as ResultWaiter;
    const waiting = this.#results.get(key) ?? new Set();
    this.#results.set(key, waiting.add(listed));
    const standing = this.#standingError(key);
    if (standing !== undefined) this.#settle(key, listed, standing);
    else if (!this.#isHere(key)) {
      const { end } = await this.#store.find(key);
      if (end !== undefined) this.#settle(key, listed, end);
    }
    if (this.#stopping !== undefined) this.#settle(key, listed, this.#stopped(key));
    return result;
  }

  /** Whether a letter is about one of these sagas. */
  owns(letter: DeadLetter): boolean {
    return this.#definitions.has(letter.target.name) || this.#definitions.has(startedBy(letter.target.name));
  }

  async retry(letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    if (!this.#definitions.has(letter.target.name)) return this.#starters.retry(letter, trace);
    const { run, index } = await this.#ofLetter(letter);
    if (index !== undefined) {
      await run.retryParked(index, letter, trace);
      return this.#letGo(run);
    }
    const { key } = run;
    run.leave();
    this.#forgetRun(run);
    const again = await this.#bring(key);
    if (again !== undefined) await again.settledReplay();
    if (again?.hasDiverged !== true) await this.#eraseLetter(letter.id);
  }

  async discard(letter: DeadLetter): Promise<void> {
    if (!this.#definitions.has(letter.target.name)) return this.#starters.discard(letter);
    const { run, index } = await this.#ofLetter(letter);
    if (index !== undefined) {
      await run.discardParked(index, letter.id);
      return this.#letGo(run);
    }
    // Given up as it stands, without compensation.
    const { key, head } = run;
    const end: EndedHead = {
      run: head.run,
      generation: head.generation,
      startedAt: head.startedAt,
      endedAt: this.#options.clock.now(),
      state: 'failed',
      error: toWireError(run.error),
    };
    const { journal, deadLetters } = this.#options;
    await journal.writeRecords([...endRecords(key, end), deadLetters.erasure(letter.id)]);
    deadLetters.forget(letter.id);
    run.leave();
    this.#ended(run, end);
  }

  /** Begins nothing any more; what is under way gets until the deadline, and everything goes on at the next start. */
  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#stop(timeoutMs);
    // Those that wait for room look again, and find that there is none any more.
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
    return this.#stopping;
  }

  async #stop(timeoutMs: number): Promise<void> {
    this.#unfollow?.();
    this.#sweep?.cancel();
    for (const gate of this.#gates.values()) gate.end();
    this.#wakes.end();
    for (const run of this.#runs.values()) run.freeze();
    await this.#starters.stop(timeoutMs);
    const deadline = new Pauses(this.#options.clock);
    const late = deadline.wait(timeoutMs).then(() => true);
    for (;;) {
      const busy = [...this.#runs.values()].some((run) => !run.quiet);
      if (!busy && this.#starting.size === 0) break;
      if ((await Promise.race([late, this.#pause()])) === true) break;
    }
    deadline.end();
    for (const run of this.#runs.values()) run.leave();
    for (const [key, waiters] of this.#results) for (const one of waiters) one.reject(this.#stopped(key));
    this.#results.clear();
    this.#pauses.end();
    this.#deadlines.clear();
    this.#warnings.close();
  }

  // Starting.

  async #startByEvent(definition: RuntimeSaga, event: RecordedEvent, id: string): Promise<void> {
    const { name } = definition;
    this.#refuseWhenStopping(name, id);
    const { position, correlationId, metadata } = event;
    const head = { byEvent: true, position, correlationId, causationId: event.id, metadata };
    // Events wait in the journal for their turn.
    while (this.#backlogOf(name) >= LIMITS.sagaConcurrency) {
      await this.#room();
      this.#refuseWhenStopping(name, id);
    }
    await this.#start(sagaKey(name, id), id, head, event);
  }

  #start(
    key: string,
    id: string,
    facts: Omit<SagaHead, 'run' | 'generation' | 'startedAt'>,
    input: unknown,
  ): Promise<boolean> {
    const underWay = this.#starting.get(key);
    if (underWay !== undefined) return underWay.then(() => false);
    if (this.#isHere(key)) return Promise.resolve(false);
    const starting = this.#startNew(key, id, facts, input).finally(() => this.#starting.delete(key));
    this.#starting.set(key, starting);
    return starting;
  }

  async #startNew(
    key: string,
    id: string,
    { metadata, ...facts }: Omit<SagaHead, 'run' | 'generation' | 'startedAt'>,
    input: unknown,
  ): Promise<boolean> {
    const { head: known, end } = await this.#store.find(key);
    if (known !== undefined || end !== undefined) return false;
    this.#runCount += 1;
    const head: SagaHead = {
      ...facts,
      ...(metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }),
      run: `${this.#runPrefix}${this.#runCount.toString(36).padStart(8, '0')}`,
      generation: 0,
      startedAt: this.#options.clock.now(),
      ...this.#laneOf(key, input),
    };
    const first = head.byEvent ? [] : [{ input }];
    const rows = first.length === 0 ? [] : [rowRecord(head.run, 0, first)];
    await this.#options.journal.writeRecords([headRecord(key, head), ...rows]);
    this.#countsOf(nameIn(key)).started += 1;
    const start = { key, id, head, input, history: new History(first), rows: rows.length };
    this.#await(key, { ...start, events: new Map(), searchedTo: new Map() }, head.lane);
    this.#next();
    return true;
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
    if (typeof id !== 'string' || id === '' || sagaKey(name, id) === parent.key) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `saga ${parent.key}: run ${name}/${showValue(id)}; give the id of another saga`,
      );
    }
    const { correlationId, causationId, metadata } = parent.head;
    const head = { byEvent: false, position: this.#options.window.head, correlationId, causationId, metadata };
    return {
      run: async () => {
        await this.#start(sagaKey(name, id), id, head, input);
        return this.result(name, id);
      },
      cancel: (reason) => this.cancel(name, id, reason),
    };
  }

  // Who is in memory.

  /** A saga waits for its turn: first until its definition lets it begin, then for one of the places of all of them. */
  #await(key: string, start: RunStart | undefined, lane = ''): void {
    const gate = this.#gates.get(nameIn(key));
    if (gate === undefined) return this.#enqueue(key, start);
    this.#queued.set(key, this.#queued.size < LIMITS.sagaConcurrency ? start : undefined);
    gate.offer(key, lane);
  }

  /** Sagas of a definition that wait for their turn. */
  #backlogOf(name: string): number {
    const gate = this.#gates.get(name);
    if (gate !== undefined) return gate.waiting;
    let limited = 0;
    for (const one of this.#gates.values()) limited += one.waiting;
    return this.#queued.size - limited;
  }

  /** The key by which a definition limits its sagas, if it does. */
  #laneOf(key: string, input: unknown): { readonly lane?: string } {
    const laneOf = this.#definitions.get(nameIn(key))?.options.flow.concurrency?.key;
    if (laneOf === undefined) return {};
    const lane = laneOf(input);
    if (typeof lane === 'string') return { lane };
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `saga ${key}: its option concurrency.key gave ${showValue(lane)}; return a text`,
      { details: { saga: key } },
    );
  }

  /** Another one may have the place of this one. */
  #leavesWork(key: string): void {
    const gate = this.#gates.get(nameIn(key));
    if (gate === undefined) return;
    gate.release(key);
    if (gate.waiting > 0) this.#turns.next(() => this.#next());
  }

  /** Those whose definitions let them begin come into the queue. */
  #admit(): void {
    for (const gate of this.#gates.values()) {
      while (this.#busy + this.#loading.size + this.#queue.size < LIMITS.sagaConcurrency) {
        const key = gate.next();
        if (key === undefined) break;
        this.#queue.push(key);
      }
    }
  }

  #enqueue(key: string, start: RunStart | undefined): void {
    // Beyond some, what it begins with is read again when its turn has come.
    this.#queued.set(key, this.#queued.size < LIMITS.sagaConcurrency ? start : undefined);
    this.#queue.push(key);
  }

  #next(): void {
    if (this.#stopping !== undefined) return;
    this.#admit();
    while (this.#busy + this.#loading.size < LIMITS.sagaConcurrency) {
      const key = this.#queue.peek();
      if (key === undefined) break;
      if (this.#queued.has(key)) {
        const start = this.#queued.get(key);
        if (start === undefined && this.#loading.size >= LOADS) break;
        this.#queued.delete(key);
        if (start !== undefined) this.#begin(start);
        else void this.#load(key);
      }
      this.#queue.shift();
    }
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }

  #begin(start: RunStart): SagaRun | undefined {
    const definition = this.#definitions.get(nameIn(start.key));
    if (definition === undefined) return undefined;
    this.#gates.get(definition.name)?.hold(start.key, start.head.lane ?? '');
    const run = new SagaRun(this.#around, definition, start);
    this.#runs.set(start.key, run);
    run.begin();
    return run;
  }

  /** The saga in memory, whatever it takes; undefined: there is none that has not ended. */
  async #bring(key: string): Promise<SagaRun | undefined> {
    await this.#starting.get(key);
    const run = this.#runs.get(key);
    if (run !== undefined) return run;
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    if (this.#queued.has(key)) {
      const start = this.#queued.get(key);
      this.#queued.delete(key);
      if (start !== undefined) return this.#begin(start);
      return this.#load(key);
    }
    if (this.#idle.get(key) !== undefined) return this.#load(key);
    const { head } = await this.#store.find(key);
    if (head === undefined) return this.#runs.get(key);
    return this.#runs.get(key) ?? this.#load(key);
  }

  #load(key: string): Promise<SagaRun | undefined> {
    const underWay = this.#loading.get(key);
    if (underWay !== undefined) return underWay;
    this.#idle.remove(key);
    const loading = this.#loadNow(key).finally(() => {
      this.#loading.delete(key);
      this.#next();
    });
    this.#loading.set(key, loading);
    return loading;
  }

  async #loadNow(key: string): Promise<SagaRun | undefined> {
    await this.#leaving.get(key);
    for (let failures = 1; ; failures += 1) {
      try {
        const { head } = await this.#store.find(key);
        if (head === undefined || this.#stopping !== undefined) return undefined;
        const start = await this.#store.load(key, key.slice(nameIn(key).length + 1), head);
        if (this.#stopping !== undefined) return undefined;
        const run = this.#begin(start);
        if (head.idle !== undefined && run !== undefined) {
          const cleared = { kind: 'cleared' as const, owner: ownerOf(key), name: TIMER_NAME };
          if (head.idle.state === 'sleeping' && head.idle.waits?.length === 0) this.#countAsleep(nameIn(key), -1);
          run.pen.flush([headRecord(key, run.head)], head.idle.due === undefined ? [] : [cleared]);
        }
        return run;
      } catch (error) {
        this.#warnings.write('load', `saga ${key} can't be read from the journal; trying again`, { error });
        await this.#pauses.wait(Math.min(LIMITS.loadBackoffMaxMs, LIMITS.loadBackoffMinMs * 2 ** failures));
        if (this.#pauses.ended) return undefined;
      }
    }
  }

  #wake(key: string): void {
    if (this.#idle.remove(key)) void this.#load(key);
  }

  async #timerFired(timer: StoredTimer): Promise<'done'> {
    const key = timer.owner.slice(TIMER_KIND.length + 1);
    // Whoever is here has been woken by something else.
    if (this.#stopping === undefined && !this.#runs.has(key) && !this.#queued.has(key)) await this.#load(key);
    return 'done';
  }

  #busyChanged(run: SagaRun): void {
    if (run.busy) {
      this.#busy += 1;
      this.#resting.delete(run);
      return;
    }
    this.#busy -= 1;
    for (const resolve of this.#rested.get(run)?.splice(0) ?? []) resolve();
    if (this.#runs.get(run.key) === run) {
      this.#resting.set(run, this.#options.clock.monotonic());
      this.#sweepLater();
    }
    if (this.#queued.size > 0) this.#turns.next(() => this.#next());
  }

  #sweepLater(): void {
    this.#sweep ??= this.#options.clock.setTimer(
      SWEEP_MS,
      () => {
        this.#sweep = undefined;
        this.#passivate();
        if (this.#resting.size > 0 && this.#stopping === undefined) this.#sweepLater();
      },
      true,
    );
  }

  /** Those that have only waited for long enough leave memory, and the longest of too many. */
  #passivate(): void {
    const now = this.#options.clock.monotonic();
    let tooMany = this.#resting.size - LIMITS.sagasIdleInMemory;
    for (const [run, since] of this.#resting) {
      if (tooMany <= 0 && now - since < run.definition.options.passivateAfterMs) continue;
      if (this.#passivateOne(run)) tooMany -= 1;
    }
  }

  #passivateOne(run: SagaRun): boolean {
    const facts = run.idleFacts();
    if (facts === undefined) return false;
    const { key, pen } = run;
    run.head = { ...run.head, idle: facts };
    const { due } = facts;
    const timer: StoredTimer = {
      owner: ownerOf(key),
      name: TIMER_NAME,
      setting: `${run.head.run} ${facts.since} ${pen.rows}`,
      wakeAt: Math.ceil(due ?? 0),
      body: '{}',
    };
    pen.flush([headRecord(key, run.head)], due === undefined ? [] : [{ kind: 'set', timer }]);
    run.leave();
    this.#forgetRun(run);
    const left = pen.durable().then(() => {
      this.#leaving.delete(key);
    });
    this.#leaving.set(key, left);
    this.#rest(key, facts);
    return true;
  }

  /** What is out of memory costs memory only if an event may wake it. */
  #rest(key: string, facts: IdleFacts): void {
    if (facts.state === 'sleeping' && facts.waits?.length === 0) this.#countAsleep(nameIn(key), 1);
    else this.#idle.add(key, facts);
  }

  #countAsleep(name: string, difference: number): void {
    this.#asleep.set(name, (this.#asleep.get(name) ?? 0) + difference);
  }

  #forgetRun(run: SagaRun): void {
    if (this.#runs.get(run.key) === run) this.#runs.delete(run.key);
    this.#resting.delete(run);
  }

  // What becomes of runs.

  #ended(run: SagaRun, end: EndedHead): void {
    this.#forgetRun(run);
    run.leave();
    this.#leavesWork(run.key);
    this.#countsOf(run.definition.name)[end.state] += 1;
    for (const waiter of this.#results.get(run.key) ?? []) this.#settle(run.key, waiter, end);
  }

  #parked(run: SagaRun, error: Error): void {
    this.#leavesWork(run.key);
    for (const waiter of this.#results.get(run.key) ?? []) this.#settle(run.key, waiter, error);
    if (!this.#held.has(run.key)) this.#shelve(run);
  }

  /** A parked saga needs no memory but for what is known of it. */
  #shelve(run: SagaRun): void {
    const { idle } = run.head;
    const { key, pen } = run;
    run.leave();
    this.#forgetRun(run);
    this.#leaving.set(
      key,
      pen.durable().then(() => {
        this.#leaving.delete(key);
      }),
    );
    if (idle !== undefined) this.#idle.add(key, idle);
  }

  #letGo(run: SagaRun): void {
    this.#held.delete(run.key);
    if (run.status().state === 'parked') this.#shelve(run);
  }

  #diverged(run: SagaRun, error: TroupeError): void {
    this.#leavesWork(run.key);
    const { deadLetters, journal } = this.#options;
    const { name } = run.definition;
    const draft = deadLetters.draft(
      {
        id: `parked>${run.key}>diverged`,
        target: { name, id: run.id },
        type: 'diverged',
        payload: error.details,
        error: describeError(error),
      },
      { correlationId: run.head.correlationId, causationId: run.head.causationId },
    );
    deadLetters.keep(draft);
    journal.writeRecords([draft.record]).catch((failure: unknown) => {
      // The next replay diverges again, and writes it then.
      this.#warnings.write('write failed', `saga ${run.key}: that it diverged could not be written`, {
        error: failure,
      });
    });
    for (const waiter of this.#results.get(run.key) ?? []) this.#settle(run.key, waiter, error);
  }

  #letterOf(run: SagaRun, index: number, name: string, error: TroupeError, refusedId: string | undefined): LetterOfRun {
    const { deadLetters } = this.#options;
    const draft = deadLetters.draft(
      {
        id: `parked>${run.key}>${index}`,
        target: { name: run.definition.name, id: run.id },
        type: name,
        payload: { compensation: index, name },
        error: describeError(error),
      },
      {
        commandId: refusedId,
        correlationId: run.head.correlationId,
        causationId: run.head.causationId,
        metadata: run.head.metadata,
      },
    );
    return { record: [draft.record], keep: () => deadLetters.keep(draft) };
  }

  /** The run that a letter is about, standing still; `index` of its compensation, undefined when it diverged. */
  async #ofLetter(letter: DeadLetter): Promise<{ readonly run: SagaRun; readonly index: number | undefined }> {
    const { name, id } = letter.target;
    this.#refuseWhenStopping(name, id);
    const key = sagaKey(name, id);
    this.#held.add(key);
    const run = await this.#bring(key);
    if (run === undefined) {
      this.#held.delete(key);
      await this.#eraseLetter(letter.id);
      throw new TroupeError('TROUPE_INVALID_OPTIONS', `saga ${key} has ended; its dead letter ${letter.id} is void`);
    }
    await this.#untilRested(run);
    // Written by `#letterOf` and `#diverged`.
    const { compensation } = letter.payload as { readonly compensation?: number };
    return { run, index: compensation };
  }

  async #eraseLetter(id: string): Promise<void> {
    const { journal, deadLetters } = this.#options;
    await journal.writeRecords([deadLetters.erasure(id)]);
    deadLetters.forget(id);
  }

  #untilRested(run: SagaRun): Promise<void> {
    if (!run.busy) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#rested.get(run) ?? [];
      waiting.push(() => {
        this.#rested.delete(run);
        resolve();
      });
      this.#rested.set(run, waiting);
    });
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

  // Events.

  /** Brings events to those who wait for them. */
  #take(): void {
    if (this.#taking || this.#stopping !== undefined) return;
    this.#taking = true;
    queueMicrotask(() => void this.#takeAll());
  }

  async #takeAll(): Promise<void> {
    for (let failures = 0; this.#stopping === undefined; ) {
      try {
        const pulled = this.#feed.pull(LIMITS.readPage);
        if (pulled === undefined) break;
        const page = pulled instanceof Promise ? await pulled : pulled;
        failures = 0;
        for (const event of page.events) this.#index.take(event);
        this.#index.skipTo(page.searchedTo);
      } catch (error) {
        failures += 1;
        this.#warnings.write('read', 'events that sagas may wait for can not be read; trying again', { error });
        await this.#pauses.wait(Math.min(LIMITS.loadBackoffMaxMs, LIMITS.loadBackoffMinMs * 2 ** failures));
      }
    }
    this.#taking = false;
    this.#tellMoved();
    if (!this.#feed.atHead) this.#take();
  }

  async #caughtUp(): Promise<void> {
    await this.#options.journal.flushed();
    while (!(this.#index.atHead && this.#search.idle) && this.#stopping === undefined) {
      await new Promise<void>((resolve) => {
        this.#moved.push(resolve);
      });
    }
  }

  #tellMoved(): void {
    for (const resolve of this.#moved.splice(0)) resolve();
  }

  // Small parts.

  #statusHere(key: string): SagaStatus | undefined {
    const run = this.#runs.get(key);
    if (run !== undefined) return run.status();
    const facts = this.#idle.get(key);
    if (facts !== undefined) return statusOf(facts);
    if (!this.#queued.has(key) && !this.#loading.has(key)) return undefined;
    return { state: 'running', since: this.#queued.get(key)?.head.startedAt ?? this.#options.clock.now() };
  }

  #isHere(key: string): boolean {
    return this.#runs.has(key) || this.#queued.has(key) || this.#loading.has(key) || this.#idle.get(key) !== undefined;
  }

  /** The error that a saga stands still with. */
  #standingError(key: string): Error | undefined {
    const status = this.#statusHere(key);
    return status?.state === 'parked' ? status.error : undefined;
  }

  #settle(key: string, waiter: ResultWaiter, end: EndedHead | Error): void {
    const waiting = this.#results.get(key);
    if (waiting?.delete(waiter) === true && waiting.size === 0) this.#results.delete(key);
    if (end instanceof Error) waiter.reject(end);
    else if (end.state === 'done') waiter.resolve(end.result);
    else waiter.reject(fromWireError(end.error ?? toWireError(undefined)));
  }

  #countsOf(name: string): Counts {
    let counts = this.#counts.get(name);
    if (counts === undefined) {
      counts = { started: 0, done: 0, failed: 0, cancelled: 0 };
      this.#counts.set(name, counts);
    }
    return counts;
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

  #room(): Promise<void> {
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
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

function statusOf({ state, since, waitingFor, error }: IdleFacts): SagaStatus {
  return {
    state,
    since,
    ...(waitingFor === undefined ? {} : { waitingFor }),
    ...(error === undefined ? {} : { error: fromWireError(error) }),
  };
}

function nameIn(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function ownerOf(key: string): string {
  return `${TIMER_KIND}>${key}`;
}
