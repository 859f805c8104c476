/**
 * Which sagas are in memory: those that have something to do, and for a while those that only wait.
 *
 * A saga is in one place at a time: queued, being read, a run, leaving, or out of memory and known by what brings it
 * back. Who only sleeps costs nothing then but a durable timer; who waits for an event costs its entry in the index.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { StoredTimer } from '../journal/timer-change.js';
import { backoffMs } from '../reactions/backoff.js';
import type { Pauses } from '../reactions/pauses.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import type { IdleSagas } from './idle-sagas.js';
import type { RunStart, RunSurroundings } from './run-surroundings.js';
import type { RuntimeSaga } from './saga-definition.js';
import { headRecord, idIn, type IdleFacts, nameIn, sagaOfTimer, timerOwner } from './saga-records.js';
import { SagaRun } from './saga-run.js';
import type { SagaStore } from './saga-store.js';
import type { Turns } from './turns.js';
import type { WorkQueue } from './work-queue.js';

/** Name of the timer of a saga that left memory. */
const TIMER_NAME = 'wake';

/** Sagas read from the journal at the same time. */
const LOADS = 64;

/** Milliseconds between two looks for sagas that may leave memory. */
const SWEEP_MS = 1_000;

export interface SagaMemoryOptions {
  readonly definitions: ReadonlyMap<string, RuntimeSaga>;
  readonly store: SagaStore;
  readonly idle: IdleSagas;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly warnings: ThrottledLog;
}

export class SagaMemory {
  readonly #options: SagaMemoryOptions;
  readonly #runs = new Map<string, SagaRun>();
  /** Runs that only wait, and since when; the longest first. */
  readonly #resting = new Map<SagaRun, number>();
  readonly #loading = new Map<string, Promise<SagaRun | undefined>>();
  readonly #leaving = new Map<string, Promise<void>>();
  /** Sagas out of memory that only sleep, by name: their timers bring them back. */
  readonly #asleep = new Map<string, number>();
  /** Sagas that only slept when an earlier run ended, and whose time had come before this one: nobody counted them. */
  readonly #overslept = new Set<string>();
  readonly #rested = new Map<SagaRun, (() => void)[]>();
  #around!: RunSurroundings;
  #queue!: WorkQueue;
  #busy = 0;
  #sweep: Timer | undefined;
  #ended = false;

  constructor(options: SagaMemoryOptions) {
    this.#options = options;
  }

  /** Before anything else: what runs take, and where those wait that have no place yet. */
  join(around: RunSurroundings, queue: WorkQueue): void {
    this.#around = around;
    this.#queue = queue;
  }

  /** Nobody is read or leaves any more. */
  end(): void {
    this.#ended = true;
    this.#sweep?.cancel();
  }

  get runs(): ReadonlyMap<string, SagaRun> {
    return this.#runs;
  }

  /** At work or being read. */
  get working(): number {
    return this.#busy + this.#loading.size;
  }

  get mayLoad(): boolean {
    return this.#loading.size < LOADS;
  }

  get loading(): IterableIterator<string> {
    return this.#loading.keys();
  }

  get asleep(): ReadonlyMap<string, number> {
    return this.#asleep;
  }

  /** Whether nobody is at work, on the way in or on the way out. */
  get isSettled(): boolean {
    if (this.working > 0 || this.#leaving.size > 0) return false;
    for (const run of this.#runs.values()) if (!run.written) return false;
    return true;
  }

  isLoading(key: string): boolean {
    return this.#loading.has(key);
  }

  /** Resolves when what it wrote on leaving is durable. */
  async left(key: string): Promise<void> {
    await this.#leaving.get(key);
  }

  begin(start: RunStart): SagaRun | undefined {
    const definition = this.#options.definitions.get(nameIn(start.key));
    if (definition === undefined) return undefined;
    this.#queue.hold(start.key, start.head.lane);
    const run = new SagaRun(this.#around, definition, start);
    this.#runs.set(start.key, run);
    run.begin();
    return run;
  }

  /** The saga in memory, whatever it takes; undefined: there is none that has not ended. */
  async bring(key: string): Promise<SagaRun | undefined> {
    const run = this.#runs.get(key);
    if (run !== undefined) return run;
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    if (this.#queue.has(key)) {
      const start = this.#queue.startOf(key);
      this.#queue.take(key);
      if (start !== undefined) return this.begin(start);
      return this.load(key);
    }
    if (this.#options.idle.get(key) !== undefined) return this.load(key);
    const { head } = await this.#options.store.find(key);
    if (head === undefined) return this.#runs.get(key);
    return this.#runs.get(key) ?? this.load(key);
  }

  load(key: string): Promise<SagaRun | undefined> {
    const underWay = this.#loading.get(key);
    if (underWay !== undefined) return underWay;
    this.#options.idle.remove(key);
    const loading = this.#loadNow(key).finally(() => {
      this.#loading.delete(key);
      this.#queue.next();
    });
    this.#loading.set(key, loading);
    return loading;
  }

  async #loadNow(key: string): Promise<SagaRun | undefined> {
    await this.#leaving.get(key);
    const { store, warnings, pauses } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        const { head } = await store.find(key);
        if (head === undefined || this.#ended) return undefined;
        const start = await store.load(key, idIn(key), head);
        if (this.#ended) return undefined;
        const run = this.begin(start);
        if (head.idle !== undefined && run !== undefined) {
          const cleared = { kind: 'cleared' as const, owner: timerOwner(key), name: TIMER_NAME };
          if (onlySleeps(head.idle) && !this.#overslept.delete(key)) this.#countAsleep(nameIn(key), -1);
          run.pen.flush([headRecord(key, run.head)], head.idle.due === undefined ? [] : [cleared]);
        }
        return run;
      } catch (error) {
        warnings.write('load', `saga ${key} can't be read from the journal; trying again`, { error });
        await pauses.wait(backoffMs(failures, LIMITS.loadBackoffMinMs, LIMITS.loadBackoffMaxMs));
        if (pauses.ended) return undefined;
      }
    }
  }

  /** An event may be the one that it waits for. */
  wake(key: string): void {
    if (this.#options.idle.remove(key)) void this.load(key);
  }

  async timerFired(timer: StoredTimer): Promise<'done'> {
    const key = sagaOfTimer(timer.owner) ?? '';
    // Whoever is here has been woken by something else.
    if (!this.#ended && !this.#runs.has(key) && !this.#queue.has(key)) await this.load(key);
    return 'done';
  }

  busyChanged(run: SagaRun): void {
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
    if (!this.#queue.isEmpty) this.#options.turns.next(() => this.#queue.next());
  }

  untilRested(run: SagaRun): Promise<void> {
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

  /** What is out of memory costs memory only if an event may wake it. */
  rest(key: string, facts: IdleFacts): void {
    if (onlySleeps(facts)) this.#countAsleep(nameIn(key), 1);
    else this.#options.idle.add(key, facts);
  }

  /** One that an earlier run has left out of memory is queued at once, for its time has come. */
  overslept(key: string, facts: IdleFacts): void {
    if (onlySleeps(facts)) this.#overslept.add(key);
  }

  /** A parked saga needs no memory but for what is known of it. */
  shelve(run: SagaRun): void {
    const { idle } = run.head;
    this.forget(run);
    this.#leavesWith(run);
    if (idle !== undefined) this.#options.idle.add(run.key, idle);
  }

  /** The run is over for this process. */
  forget(run: SagaRun): void {
    if (this.#runs.get(run.key) === run) this.#runs.delete(run.key);
    this.#resting.delete(run);
    run.leave();
  }

  #sweepLater(): void {
    this.#sweep ??= this.#options.clock.setTimer(
      SWEEP_MS,
      () => {
        this.#sweep = undefined;
        this.#passivate();
        if (this.#resting.size > 0 && !this.#ended) this.#sweepLater();
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
    const { due } = facts;
    // It would have to come back at once.
    if (due !== undefined && due - this.#options.clock.now() < 2 * LIMITS.sagaWakeAheadMs) return false;
    const { key, pen } = run;
    run.head = { ...run.head, idle: facts };
    const timer: StoredTimer = {
      owner: timerOwner(key),
      name: TIMER_NAME,
      setting: `${run.head.run} ${facts.since} ${pen.rows}`,
      // Reading it takes its time, on a busy disk more; what is due then waits in memory for the moment.
      wakeAt: Math.ceil(due ?? 0) - LIMITS.sagaWakeAheadMs,
      body: '{}',
    };
    pen.flush([headRecord(key, run.head)], due === undefined ? [] : [{ kind: 'set', timer }]);
    this.forget(run);
    this.#leavesWith(run);
    this.rest(key, facts);
    return true;
  }

  /** Until it is durable, what it has written must not be read. */
  #leavesWith({ key, pen }: SagaRun): void {
    this.#leaving.set(
      key,
      pen.durable().then(() => {
        this.#leaving.delete(key);
      }),
    );
  }

  #countAsleep(name: string, difference: number): void {
    this.#asleep.set(name, (this.#asleep.get(name) ?? 0) + difference);
  }
}

function onlySleeps({ state, waits }: IdleFacts): boolean {
  return state === 'sleeping' && waits?.length === 0;
}
