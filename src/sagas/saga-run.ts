/**
 * One living saga: runs the user's function, answers it from the history, and goes on live where that ends.
 *
 * It hears of one outcome in a turn, in the order in which the outcomes were written down, in a replay as in life;
 * so the same calls follow, with the same numbers. What it asks for is written down before it is sent. Once it has
 * failed or was cancelled, nothing but compensations runs (`compensations.ts`), and those only when nothing of it is
 * under way any more.
 */
import type { Clock } from '../core/clock.js';
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import type { AskGate } from './ask-gate.js';
import { derivedStepId } from '../core/ids.js';
import { checkJson } from '../core/json-value.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import { fromWireError, toWireError } from '../core/wire-error.js';
import { asTroupeError } from '../reactions/letter-error.js';
import { firstId, nextRetryId } from '../reactions/retried-command-id.js';
import type { CommandSurroundings } from './command-step.js';
import { type Compensation, Compensations } from './compensations.js';
import { ContinueAsNew, RunContext } from './run-context.js';
import { type PenSurroundings, RunJournal } from './run-journal.js';
import type { RetryPolicy } from './retry-policy.js';
import { ONCE } from './retry-policy.js';
import type { DoneEntry, StoppedEntry } from './saga-entries.js';
import { History } from './saga-entries.js';
import type { RuntimeSaga } from './saga-definition.js';
import type { SagaContext } from './saga-context.js';
import {
  type EndedHead,
  endRecords,
  headRecord,
  type IdleFacts,
  rowKey,
  SAGA_HISTORY,
  type SagaHead,
} from './saga-records.js';
import type { SagaStatus } from './saga-ref.js';
import { Step, type StepOutcome, type StepOwner, type StepWork } from './step.js';
import type { Turns } from './turns.js';
import { ChildStep, type ChildLink, WaitStep, type WaitSurroundings } from './waiting-steps.js';
import type { Wake } from './wake-clock.js';
import { CommandStep } from './command-step.js';

/** What runs take from the engine. */
export interface RunSurroundings extends CommandSurroundings, WaitSurroundings, PenSurroundings {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Logger;
  readonly askTimeoutMs: number;
  child(definition: RuntimeSaga, id: string, input: unknown, parent: SagaRun): ChildLink;
  /** What asks of a definition's sagas pass on their way. */
  askGate(name: string): AskGate | undefined;
  /** A run has come to rest, or has something to do again. */
  busyChanged(run: SagaRun): void;
  /** A run has ended; what it says is durable. */
  ended(run: SagaRun, end: EndedHead): void;
  /** Everything that could run has run, and a person has to look at the rest. */
  parked(run: SagaRun, error: Error): void;
  /** A replay has asked for another step than the one recorded. */
  diverged(run: SagaRun, error: TroupeError): void;
  /** What a compensation that can't succeed leaves. */
  letterOf(run: SagaRun, index: number, name: string, error: TroupeError, refusedId: string | undefined): LetterOfRun;
}

/** A dead letter of a run, and what writes it. */
export interface LetterOfRun {
  readonly record: Parameters<RunJournal['flush']>[0];
  keep(): void;
}

/** What a run begins with. */
export interface RunStart {
  readonly key: string;
  readonly id: string;
  readonly head: SagaHead;
  /** The start event, in today's shape, or the input. */
  readonly input: unknown;
  readonly history: History;
  /** Rows that the history has. */
  readonly rows: number;
  /** Events that its waits have returned, by position. */
  readonly events: ReadonlyMap<number, RecordedEvent>;
  /** No event up to there is one that its waits look for; by number of the step. */
  readonly searchedTo: ReadonlyMap<number, number>;
}

type Phase =
  | 'replaying'
  | 'running'
  /** The run has ended well; what it sent may still be under way. */
  | 'returned'
  /** It has failed or was cancelled; what it sent may still be under way. */
  | 'stopping'
  | 'compensating'
  | 'parked'
  | 'diverged'
  | 'ending'
  | 'gone';

/** What is told to the run, one in a turn. */
type Delivery =
  | {
      readonly kind: 'outcome';
      readonly step: Step;
      readonly outcome: StepOutcome;
      readonly at: number;
      durable: boolean;
    }
  | { readonly kind: 'stop'; readonly entry: StoppedEntry; durable: boolean };

export class SagaRun implements StepOwner {
  readonly definition: RuntimeSaga;
  readonly key: string;
  readonly id: string;
  head: SagaHead;
  nowMs: number;
  readonly pen: RunJournal;
  readonly #around: RunSurroundings;
  readonly #compensations: Compensations;
  readonly #abort = new AbortController();
  #input: unknown;
  #history: History;
  #events: ReadonlyMap<number, RecordedEvent>;
  #searchedTo: ReadonlyMap<number, number>;
  #phase: Phase = 'replaying';
  /** Steps of the main run without an outcome, and those of the compensation that runs. */
  readonly #open = new Map<string, Step>();
  /** Steps of which something is under way. */
  readonly #underWay = new Set<Step>();
  readonly #claimed = new Set<number>();
  readonly #claimedTo = new Map<string, number>();
  readonly #patches = new Set<string>();
  readonly #deliveries: Delivery[] = [];
  #turnTaken = false;
  #next = 0;
  /** Number of the compensation that runs. */
  #of: number | undefined;
  /** Ids of commands that were rejected in an earlier try that a person has asked to repeat. */
  #refusedId: string | undefined;
  #lastRejectedId: string | undefined;
  /** How the user's function ended during a replay. */
  #verdict: { readonly value: unknown } | { readonly thrown: unknown } | undefined;
  #result: unknown;
  #stop: StoppedEntry | undefined;
  /** Whether the replay has told everything that is recorded. */
  #atEnd = false;
  /** Whether it went on live; else what is under way is from an earlier life. */
  #wentOn = false;
  #frozen = false;
  #wasBusy = false;
  #since: number;
  #quiet: (() => void) | undefined;
  #divergence: TroupeError | undefined;
  #deadline: Wake | undefined;

  constructor(around: RunSurroundings, definition: RuntimeSaga, start: RunStart) {
    this.#around = around;
    this.definition = definition;
    this.key = start.key;
    this.id = start.id;
    this.head = start.head;
    this.nowMs = start.head.startedAt;
    this.#since = start.head.startedAt;
    this.#input = start.input;
    this.#history = start.history;
    this.#events = start.events;
    this.#searchedTo = start.searchedTo;
    for (const name of start.history.patched) this.#patches.add(name);
    this.pen = new RunJournal(around, start.key, start.head.run, start.rows);
    this.#compensations = new Compensations(around, this, start.history);
  }

  get replaying(): boolean {
    return this.#phase === 'replaying';
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether it has something to do, or waits for what it has sent. */
  get busy(): boolean {
    switch (this.#phase) {
      case 'running':
        return this.#underWay.size > this.#children() || this.#deliveries.length > 0 || this.#turnTaken;
      case 'parked':
      case 'diverged':
      case 'gone':
        return false;
      default:
        return true;
    }
  }

  /** Whether what it wants to have written is durable. */
  get written(): boolean {
    return this.pen.clean;
  }

  /** The error that it failed with, as far as that is known. */
  get error(): Error | undefined {
    if (this.#divergence !== undefined) return this.#divergence;
    return this.#stop === undefined ? undefined : fromWireError(this.#stop.error);
  }

  /** Whether it stands still, because its replay went another way. */
  get hasDiverged(): boolean {
    return this.#divergence !== undefined;
  }

  status(): SagaStatus {
    const since = this.#since;
    const error = this.error;
    const withError = error === undefined ? {} : { error };
    switch (this.#phase) {
      case 'replaying':
      case 'running':
      case 'returned':
        return { ...this.#restingStatus(), since };
      case 'stopping':
      case 'compensating':
        return { state: 'compensating', since, ...withError };
      case 'parked':
      case 'diverged':
        return { state: 'parked', since, ...withError };
      default:
        return { state: 'running', since };
    }
  }

  /** Begins, or goes on where the history ends. */
  begin(): void {
    this.#noteBusy();
    void this.#replay();
  }

  /** Resolves when the replay is through, or stands still. */
  async settledReplay(): Promise<void> {
    while (this.replaying && !this.#frozen) await this.#turn();
  }

  // What the context asks for.

  /** Whether anything may be asked for now. @throws what the run was stopped with */
  admit(): void {
    const { key } = this;
    switch (this.#phase) {
      case 'replaying':
        return;
      case 'running':
        if (this.#stop !== undefined) throw this.#stopError();
        return;
      case 'compensating':
        if (this.#of !== undefined) return;
        throw this.#stopError();
      case 'stopping':
        throw this.#stopError();
      case 'diverged':
      case 'gone':
        return;
      case 'parked':
      case 'returned':
      case 'ending':
        throw new TroupeError(
          'TROUPE_ACTOR_STOPPED',
          `${key}: the run has ended, and nothing can be asked for any more; await what the run starts`,
        );
    }
  }

  open(label: string, work: StepWork): Step {
    this.admit();
    const number = this.#next;
    const recorded = this.#history.begun(this.#of, number);
    const step = new Step(this.#of, number, label, work, recorded);
    if (this.#frozen || this.#phase === 'gone' || this.#phase === 'diverged') return step;
    this.#next += 1;
    if (recorded !== undefined && recorded.step !== label) {
      this.#diverge(number, recorded.step, label);
      return step;
    }
    this.#open.set(keyOf(step), step);
    if (this.#phase === 'replaying') return step;
    const done = step.of === undefined ? undefined : this.#history.done(step.of, number);
    if (done !== undefined) this.#repeat(step, done);
    else this.#beginStep(step);
    return step;
  }

  /** The id of the step that will be asked for next. */
  nextStepId(): string {
    return this.idOf(this.#next);
  }

  idOf(step: number | string): string {
    const { id, definition, head } = this;
    return derivedStepId({ saga: definition.name, id, generation: head.generation, of: this.#of, step });
  }

  /** The id of the command that the next step sends. */
  commandIdFor(given: string | undefined): string {
    const id = given ?? this.nextStepId();
    return this.#refusedId !== undefined && firstId(this.#refusedId) === id ? nextRetryId(this.#refusedId) : id;
  }

  /** A compensation is tried again as a whole. */
  inCompensation(policy: RetryPolicy): RetryPolicy {
    return this.#of === undefined ? policy : { ...policy, attempts: Math.min(policy.attempts, ONCE.attempts) };
  }

  readyToSend(): Promise<void> | undefined {
    // What this rests on is queued before it; only when that has failed has it to be waited for.
    this.pen.flush();
    return this.pen.broken ? this.pen.durable() : undefined;
  }

  register(compensation: Omit<Compensation, 'index'>): void {
    this.admit();
    if (this.#of !== undefined) {
      throw new TroupeError('TROUPE_INVALID_OPTIONS', `${this.key}: a compensation can't register another one`);
    }
    this.#compensations.register(compensation);
  }

  patched(name: string): boolean {
    this.admit();
    if (this.#patches.has(name)) return true;
    if (this.#phase === 'replaying' && !this.#atEnd) return false;
    this.#patches.add(name);
    this.pen.add({ patched: name });
    return true;
  }

  /** The position behind which waits for a type look. */
  waitsBehind(type: string): number {
    return Math.max(this.head.position, this.head.after?.[type] ?? 0);
  }

  searchedTo(): number {
    return this.#of === undefined ? (this.#searchedTo.get(this.#next) ?? 0) : 0;
  }

  /** Takes an event for one wait; false: another wait has returned it. */
  claim(event: RecordedEvent): boolean {
    if (this.#claimed.has(event.position)) return false;
    this.#claim(event);
    return true;
  }

  concerns(event: RecordedEvent): boolean {
    const { of } = this.definition.options;
    return of === undefined || of.some(({ name }) => name === event.aggregate);
  }

  // What steps report.

  finished(step: Step, outcome: StepOutcome): void {
    if (step.settled || this.#phase === 'gone') return;
    if (step.of !== this.#of) return this.released(step);
    if (this.#frozen && 'error' in outcome && !isRejection(outcome.error)) return this.released(step);
    step.settled = true;
    this.#open.delete(keyOf(step));
    if (!(step.work instanceof CommandStep) || step.work.plan.how === 'ask') this.#underWay.delete(step);
    const at = this.#around.clock.now();
    const kept = this.#keptOutcome(step, outcome);
    if (step.of !== undefined) this.#finishedCompensating(step, kept, at);
    else if (this.#stop === undefined) {
      this.pen.add(doneEntry(step, kept, at));
      // What happened outside is durable before anything follows from it.
      const durable = !(step.work.kind === 'work' && !(step.work instanceof CommandStep));
      this.#deliveries.push({ kind: 'outcome', step, outcome: kept, at, durable });
      if (this.#frozen) this.pen.flush();
      this.#pump();
    }
    this.#look();
  }

  told(step: Step): void {
    if (this.#phase === 'gone') return;
    this.#underWay.delete(step);
    this.#open.delete(keyOf(step));
    step.settled = true;
    const entry = { told: step.number, of: step.of, at: this.#around.clock.now() };
    this.pen.add(entry);
    if (step.of !== undefined) this.#history.remember(entry);
    if (this.#frozen) this.pen.flush();
    else this.#around.turns.next(() => this.pen.flush());
    this.#look();
  }

  released(step: Step): void {
    if (this.#phase === 'gone') return;
    this.#underWay.delete(step);
    this.#look();
  }

  // What comes from outside.

  /** Has it stopped and compensated; resolves when that is durable. A run that is over already goes its way. */
  async cancel(reason: string): Promise<void> {
    if (this.#stop === undefined && !['returned', 'ending', 'gone', 'diverged'].includes(this.#phase)) {
      const error = new TroupeError('TROUPE_SAGA_CANCELLED', `saga ${this.key} was cancelled: ${reason}`, {
        details: { saga: this.definition.name, id: this.id, reason },
      });
      this.#requestStop('cancelled', error);
    }
    await this.pen.durable();
  }

  /** Runs a parked compensation again; resolves when that is over. */
  async retryParked(index: number, letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    this.#enter('compensating');
    this.#refusedId = trace.commandId;
    await this.#compensations.retry(index, letter.id);
    this.#refusedId = undefined;
    this.#afterCompensations();
  }

  /** Gives a parked compensation up. */
  discardParked(index: number, letterId: string): Promise<void> {
    this.#enter('compensating');
    this.#compensations.discard(index, letterId);
    this.#afterCompensations();
    return this.pen.durable();
  }

  /** Nothing is told to the run any more; what is under way may still be written down. */
  freeze(): void {
    this.#frozen = true;
    this.pen.flush();
    this.#deadline?.cancel();
    this.#compensations.freeze();
    for (const step of new Set([...this.#open.values(), ...this.#underWay])) {
      if (this.#underWay.has(step)) step.work.freeze(step);
      else step.work.abandon();
    }
    this.#abort.abort(new TroupeError('TROUPE_SYSTEM_STOPPED', `saga ${this.key} goes on at the next start`));
  }

  /** Whether nothing of it is under way, after `freeze`. */
  get quiet(): boolean {
    return this.#underWay.size === this.#children() && this.pen.clean;
  }

  /** Leaves memory; what is under way is not heard of any more. */
  leave(): void {
    this.#phase = 'gone';
    this.#frozen = true;
    this.#deadline?.cancel();
    this.#compensations.freeze();
    for (const step of [...this.#open.values(), ...this.#underWay]) step.work.abandon();
    this.#open.clear();
    this.#underWay.clear();
    this.#noteBusy();
  }

  /** Why it may leave memory now, and what brings it back; undefined: it may not. */
  idleFacts(): IdleFacts | undefined {
    if (this.busy || this.#phase !== 'running' || !this.pen.clean || this.#underWay.size > 0) return undefined;
    const waits = [];
    let due = this.#dueMs();
    for (const step of this.#open.values()) {
      due = Math.min(due, step.begun?.due ?? Infinity);
      if (!(step.work instanceof WaitStep)) continue;
      const { searchedTo, type, aggregateId, correlationId } = step.work;
      if (searchedTo === undefined) return undefined;
      waits.push({ step: step.number, type, aggregateId, correlationId, searchedTo });
    }
    const { state, waitingFor } = this.#restingStatus();
    if (state !== 'waiting' && state !== 'sleeping') return undefined;
    return { state, since: this.#since, waitingFor, due: due === Infinity ? undefined : due, waits };
  }

  // The life of the run.

  async #replay(): Promise<void> {
    const { main, stopped } = this.#history;
    this.#atEnd = main.length === 0 && stopped === undefined;
    this.#call();
    await this.#turn();
    for (const [place, entry] of main.entries()) {
      if (this.#phase !== 'replaying') return;
      this.#atEnd = place === main.length - 1 && stopped === undefined;
      const number = 'begun' in entry ? entry.begun : entry.done;
      const step = this.#open.get(String(number));
      if ('begun' in entry) {
        if (number >= this.#next) return this.#diverge(number, entry.step, undefined);
      } else if (step !== undefined) {
        try {
          this.#repeat(step, entry);
        } catch (error) {
          return this.#standStill(asTroupeError(error, `saga ${this.key}: the outcome of step ${number}`));
        }
        await this.#turn();
      }
    }
    if (this.#phase !== 'replaying' || this.#frozen) return;
    this.#events = new Map();
    // A run that had been stopped: only what was told goes out again, and compensations run.
    if (stopped !== undefined) {
      this.#stop = stopped;
      this.#deliverStop(stopped);
    } else this.#goOn();
  }

  #call(): void {
    const { run } = this.definition.options;
    // The context has the members of the typed interface; which types there are, the definitions say.
    const context = new RunContext(this, this.#around) as unknown as SagaContext;
    new Promise((resolve) => {
      resolve(run(context, this.#input));
    }).then(
      (value) => this.#returned(value),
      (thrown: unknown) => this.#threw(thrown),
    );
  }

  /** The end of the history: what has no outcome yet begins, or begins again. */
  #goOn(): void {
    const verdict = this.#verdict;
    this.#enter('running');
    // It was cancelled meanwhile.
    if (this.#stop !== undefined) return this.#pump();
    this.#wentOn = true;
    for (const step of this.#open.values()) {
      const { kind } = step.work;
      if (verdict === undefined || kind === 'work' || kind === 'child') this.#beginStep(step);
    }
    if (verdict === undefined) {
      const due = this.#dueMs();
      if (due < Infinity) this.#deadline = this.#around.wakes.at(due, () => this.#timeUp());
    } else if ('value' in verdict) this.#returned(verdict.value);
    else this.#threw(verdict.thrown);
    this.pen.flush();
    this.#look();
  }

  #beginStep(step: Step): void {
    if (this.#history.told(step.of, step.number)) {
      this.#open.delete(keyOf(step));
      return;
    }
    let { begun } = step;
    if (begun === undefined) {
      begun = {
        begun: step.number,
        of: step.of,
        step: step.label,
        at: this.#around.clock.now(),
        ...step.work.facts(),
      };
      step.begun = begun;
      this.pen.add(begun);
      if (step.of !== undefined) this.#history.remember(begun);
      this.#since = begun.at;
    }
    const { kind } = step.work;
    if (kind === 'work' || kind === 'child') this.#underWay.add(step);
    step.work.begin(step, begun);
    this.#around.turns.next(() => this.pen.flush());
    this.#noteBusy();
  }

  /** Tells the run what the history says. */
  #repeat(step: Step, entry: DoneEntry): void {
    step.settled = true;
    // A sent command had been taken by its mailbox; whether it has an outcome is another question.
    if (!(step.work instanceof CommandStep && step.work.plan.how === 'send')) this.#open.delete(keyOf(step));
    this.nowMs = entry.at;
    this.#since = entry.at;
    if (entry.event !== undefined) {
      const event = this.#events.get(entry.event);
      if (event !== undefined) this.#claim(event);
      step.resolve(event === undefined ? undefined : this.#around.present(event));
    } else if (entry.error !== undefined) step.reject(fromWireError(entry.error));
    else step.resolve(entry.value);
  }

  #returned(value: unknown): void {
    if (this.#phase === 'replaying') {
      this.#verdict = { value };
      return;
    }
    if (this.#phase !== 'running' || this.#stop !== undefined) return;
    try {
      checkJson(value, `saga ${this.key}: its result`);
    } catch (error) {
      return this.#threw(error);
    }
    this.#result = value;
    this.#giveUpWaiting();
    this.#enter('returned');
    this.#look();
  }

  #threw(thrown: unknown): void {
    if (this.#phase === 'replaying') {
      this.#verdict = { thrown };
      return;
    }
    if (this.#phase !== 'running' || this.#stop !== undefined) return;
    if (thrown instanceof ContinueAsNew) {
      this.#result = thrown;
      this.#giveUpWaiting();
      this.#enter('returned');
      this.#look();
      return;
    }
    const at = this.#around.clock.now();
    this.#stop = { stopped: 'failed', at, error: toWireError(thrown) };
    this.pen.add(this.#stop);
    this.pen.flush();
    this.#deliverStop(this.#stop);
  }

  #timeUp(): void {
    if (this.#stop !== undefined) return;
    const { timeoutMs } = this.definition.options;
    const text = `saga ${this.key} has not ended within ${timeoutMs} ms; it is compensated`;
    this.#requestStop('timed-out', new TroupeError('TROUPE_SAGA_TIMEOUT', text, { details: { timeoutMs } }));
  }

  /** Writes down that it stops, and tells the run when its turn has come and that is durable. */
  #requestStop(stopped: 'cancelled' | 'timed-out', error: TroupeError): void {
    this.#stop = { stopped, at: this.#around.clock.now(), error: toWireError(error) };
    this.pen.add(this.#stop);
    this.pen.flush();
    this.#deliveries.push({ kind: 'stop', entry: this.#stop, durable: false });
    this.#pump();
    this.#noteBusy();
  }

  #deliverStop(entry: StoppedEntry): void {
    this.#enter('stopping');
    this.nowMs = entry.at;
    this.#since = entry.at;
    const error = this.#stopError();
    this.#deadline?.cancel();
    if (entry.stopped !== 'failed') this.#abort.abort(error);
    const again = !this.#wentOn;
    for (const step of this.#open.values()) {
      const { work } = step;
      const isTold = work instanceof CommandStep && work.plan.how !== 'ask';
      if (again && isTold) this.#beginStep(step);
      if (this.#underWay.has(step)) work.giveUp(step);
      else work.abandon();
      if (entry.stopped !== 'failed' && !step.settled) step.reject(this.#stopError());
    }
    this.#around.turns.next(() => this.#look());
  }

  /** What the user's code gets for everything that it asks for after a stop. */
  #stopError(): TroupeError {
    const entry = this.#stop;
    if (entry === undefined || entry.stopped === 'failed') {
      return new TroupeError('TROUPE_SAGA_CANCELLED', `saga ${this.key} has failed, and goes no further`);
    }
    return asTroupeError(fromWireError(entry.error), `saga ${this.key}`);
  }

  #giveUpWaiting(): void {
    for (const step of this.#open.values()) {
      const { kind } = step.work;
      if (kind === 'sleep' || kind === 'wait') step.work.abandon();
    }
    this.#deadline?.cancel();
  }

  /** Goes on when nothing is under way any more. */
  #look(): void {
    if (!this.#frozen && !this.#turnTaken && this.#underWay.size === 0) {
      if (this.#phase === 'returned') this.#end();
      else if (this.#phase === 'stopping') void this.#compensate();
    }
    if (this.#underWay.size === 0) this.#quiet?.();
    this.#noteBusy();
  }

  async #compensate(): Promise<void> {
    this.#enter('compensating');
    this.#open.clear();
    if (await this.#compensations.run()) this.#afterCompensations();
  }

  #afterCompensations(): void {
    if (this.#frozen || this.#phase !== 'compensating') return;
    const parked = this.#compensations.parked;
    if (parked === undefined) return this.#end();
    const at = this.#around.clock.now();
    this.#since = at;
    const facts = { state: 'parked' as const, since: at, error: this.#stop?.error };
    this.head = { ...this.head, idle: facts };
    this.pen.flush([headRecord(this.key, this.head)]);
    this.#enter('parked');
    this.#around.parked(this, fromWireError(this.#stop?.error ?? toWireError(undefined)));
  }

  #end(): void {
    if (this.#result instanceof ContinueAsNew) return this.#continue(this.#result.input);
    this.#enter('ending');
    const { run, generation, startedAt } = this.head;
    const stop = this.#stop;
    const end: EndedHead = {
      run,
      generation,
      startedAt,
      endedAt: this.#around.clock.now(),
      ...(stop === undefined
        ? { state: 'done', result: this.#result }
        : { state: stop.stopped === 'cancelled' ? 'cancelled' : 'failed', error: stop.error }),
    };
    this.pen.flush(endRecords(this.key, end));
    void this.pen.durable().then(() => {
      if (this.#phase === 'ending') this.#around.ended(this, end);
    });
  }

  /** Begins anew under the same id, with an empty history. */
  #continue(input: unknown): void {
    const generation = this.head.generation + 1;
    const after = { ...this.head.after, ...Object.fromEntries(this.#claimedTo) };
    const before = this.head.run;
    const first = before.replace(/~\d+$/, '');
    this.head = { ...this.head, generation, run: `${first}~${generation}`, byEvent: false, after };
    const rows = Array.from({ length: this.pen.rows }, (_, row) => rowKey(before, row));
    this.pen.turnTo(this.head.run);
    this.pen.add({ input });
    this.pen.flush([
      headRecord(this.key, this.head),
      ...rows.map((key) => ({ kind: SAGA_HISTORY, key, value: undefined })),
    ]);
    this.#input = input;
    this.#history = new History([]);
    this.#searchedTo = new Map();
    this.#result = undefined;
    this.#verdict = undefined;
    this.#next = 0;
    this.#open.clear();
    this.#patches.clear();
    this.#compensations.clear();
    this.#wentOn = false;
    this.#enter('replaying');
    void this.#replay();
  }

  /** What was asked for differs from what is recorded. It stands still until somebody has looked at it. */
  #diverge(number: number, recorded: string, asked: string | undefined): void {
    if (this.#phase === 'diverged') return;
    const place = asked === undefined ? '' : placeOfCall();
    const error = new TroupeError(
      'TROUPE_SAGA_DIVERGED',
      `saga ${this.key}: step ${number} is recorded as "${recorded}", but the replay ` +
        `${asked === undefined ? 'does not ask for it' : `asks for "${asked}"${place}`}; ` +
        'bring back the code that it was started with (for changes use ctx.patched), then retry its dead letter',
      { details: { saga: this.definition.name, id: this.id, step: number, recorded, asked: asked ?? null, place } },
    );
    this.#standStill(error);
  }

  #standStill(error: TroupeError): void {
    this.#divergence = error;
    this.#since = this.#around.clock.now();
    for (const step of [...this.#open.values(), ...this.#underWay]) step.work.abandon();
    this.#open.clear();
    this.#underWay.clear();
    this.#compensations.freeze();
    this.#enter('diverged');
    this.#around.diverged(this, error);
  }

  // Small parts.

  #pump(): void {
    const next = this.#deliveries[0];
    // In a replay the history is told first.
    if (next === undefined || this.#turnTaken || this.#frozen || this.#phase === 'gone' || this.replaying) return;
    if (!next.durable) {
      this.pen.flush();
      void this.pen.durable().then(() => {
        next.durable = true;
        this.#pump();
      });
      return;
    }
    this.#deliveries.shift();
    this.#turnTaken = true;
    this.#around.turns.next(() => {
      this.#turnTaken = false;
      this.pen.flush();
      this.#pump();
      this.#look();
    });
    if (next.kind === 'stop') return this.#deliverStop(next.entry);
    const { step, outcome, at } = next;
    this.nowMs = at;
    this.#since = at;
    tell(step, outcome);
  }

  #finishedCompensating(step: Step, outcome: StepOutcome, at: number): void {
    if ('error' in outcome) {
      if (isRejection(outcome.error) && step.work instanceof CommandStep) {
        this.#lastRejectedId = step.work.plan.facts.commandId;
      }
      return tell(step, outcome);
    }
    const entry = doneEntry(step, outcome, at);
    this.pen.add(entry);
    this.#history.remember(entry);
    if (this.#frozen) this.pen.flush();
    else this.#around.turns.next(() => this.pen.flush());
    this.nowMs = at;
    tell(step, outcome);
  }

  /** Called by the compensations. */
  beginCompensation(index: number): void {
    this.#of = index;
    this.#next = 0;
    this.#lastRejectedId = undefined;
  }

  /** Resolves when nothing that the compensation has sent is under way. */
  compensationQuiet(): Promise<void> {
    if (this.#underWay.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#quiet = resolve;
    });
  }

  endCompensation(): void {
    this.#quiet = undefined;
    for (const step of this.#open.values()) step.work.abandon();
    this.#open.clear();
    for (const step of this.#underWay) step.work.abandon();
    this.#underWay.clear();
    this.#of = undefined;
  }

  /** The id of the command that was rejected in the compensation that runs. */
  get lastRejectedId(): string | undefined {
    return this.#lastRejectedId;
  }

  /** What the run is told, in the form that the history keeps. */
  #keptOutcome(step: Step, outcome: StepOutcome): StepOutcome {
    if (!('value' in outcome)) return outcome;
    const { value } = outcome;
    try {
      checkJson(value, `saga ${this.key}: the outcome of ${step.label}`);
    } catch (error) {
      return { error };
    }
    // A copy, so that what the run does to it can't change the history.
    return typeof value === 'object' && value !== null
      ? { value: JSON.parse(JSON.stringify(value)) as unknown }
      : outcome;
  }

  #claim(event: RecordedEvent): void {
    this.#claimed.add(event.position);
    this.#claimedTo.set(event.type, Math.max(this.#claimedTo.get(event.type) ?? 0, event.position));
  }

  #restingStatus(): { state: 'running' | 'waiting' | 'sleeping'; waitingFor?: string } {
    if (this.#phase !== 'running' || this.busy) return { state: 'running' };
    let state: 'running' | 'sleeping' = 'running';
    for (const { work, label } of this.#open.values()) {
      if (work instanceof WaitStep) return { state: 'waiting', waitingFor: work.type };
      if (work instanceof ChildStep) return { state: 'waiting', waitingFor: label.replace(/^run /, '') };
      if (work.kind === 'sleep') state = 'sleeping';
    }
    return { state };
  }

  #children(): number {
    let count = 0;
    for (const { work } of this.#underWay) if (work.kind === 'child') count += 1;
    return count;
  }

  #dueMs(): number {
    return this.head.startedAt + this.definition.options.timeoutMs;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#noteBusy();
  }

  #noteBusy(): void {
    const { busy } = this;
    if (busy === this.#wasBusy) return;
    this.#wasBusy = busy;
    this.#around.busyChanged(this);
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#around.turns.next(resolve));
  }
}

function keyOf({ of, number }: Step): string {
  return of === undefined ? String(number) : `${of}.${number}`;
}

function tell(step: Step, outcome: StepOutcome): void {
  if ('error' in outcome) step.reject(outcome.error);
  else step.resolve('event' in outcome ? outcome.event : outcome.value);
}

function doneEntry({ number, of }: Step, outcome: StepOutcome, at: number): DoneEntry {
  if ('error' in outcome) return { done: number, of, at, error: toWireError(outcome.error) };
  if ('event' in outcome) return { done: number, of, at, event: outcome.event.position };
  return { done: number, of, at, value: outcome.value };
}

function isRejection(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TROUPE_REJECTED';
}

/** Where in the user's code a step was asked for. */
function placeOfCall(): string {
  const lines = (new Error('here').stack ?? '').split('\n').slice(1);
  const line = lines.find((one) => !/[/\\]sagas[/\\]/.test(one) && one.includes(':'));
  return line === undefined ? '' : ` (${line.trim()})`;
}
