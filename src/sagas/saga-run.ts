/**
 * One living saga: runs the user's function, answers it from the history, and goes on live where that ends.
 *
 * It hears of one outcome in a turn (run-inbox.ts), in the order in which the outcomes were written down, in a replay
 * as in life; so the same calls follow, with the same numbers (run-steps.ts). Once it has failed or was cancelled,
 * nothing but compensations runs (compensations.ts), and those only when nothing of it is under way any more.
 */
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import { checkJson } from '../core/json-value.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import { fromWireError, toWireError } from '../core/wire-error.js';
import type { RecordChange } from '../journal/journal.js';
import { asTroupeError } from '../reactions/letter-error.js';
import { type Compensation, Compensations } from './compensations.js';
import { ReturnedEvents } from './returned-events.js';
import { RunContext } from './run-context.js';
import { divergenceOf } from './run-divergence.js';
import { ContinueAsNew, endOf, erasureOf, nextHead } from './run-end.js';
import { type Delivery, type Listener, RunInbox } from './run-inbox.js';
import { RunJournal } from './run-journal.js';
import { RunSteps } from './run-steps.js';
import { RunStop } from './run-stop.js';
import type { RunStart, RunSurroundings } from './run-surroundings.js';
import type { SagaContext } from './saga-context.js';
import type { RuntimeSaga } from './saga-definition.js';
import { History, type StoppedEntry } from './saga-entries.js';
import { type EndedHead, endRecords, headRecord, type IdleFacts, type SagaHead } from './saga-records.js';
import type { SagaStatus } from './saga-ref.js';
import { tellStep } from './step-outcome.js';

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

const RUNNING = { state: 'running' } as const;
const NOTHING: Pick<SagaStatus, 'waitingFor'> = {};

export class SagaRun implements Listener {
  readonly definition: RuntimeSaga;
  readonly key: string;
  readonly id: string;
  head: SagaHead;
  /** The time that user code sees. */
  nowMs: number;
  /** Of the last step. */
  since: number;
  readonly pen: RunJournal;
  readonly steps: RunSteps;
  readonly inbox: RunInbox;
  readonly returned: ReturnedEvents;
  readonly #stop: RunStop;
  readonly #around: RunSurroundings;
  readonly #compensations: Compensations;
  #input: unknown;
  #history: History;
  #phase: Phase = 'replaying';
  readonly #patches = new Set<string>();
  readonly #unpatched = new Set<string>();
  /** How the user's function ended during a replay. */
  #verdict: { readonly value: unknown } | { readonly thrown: unknown } | undefined;
  #result: unknown;
  /** Whether it has come to its end, and not only left memory. */
  #over = false;
  /** Whether the replay has told everything that is recorded. */
  #atEnd = false;
  /** Whether it went on live; else what is under way is from an earlier life. */
  #wentOn = false;
  #frozen = false;
  #wasBusy = false;
  #divergence: TroupeError | undefined;

  constructor(around: RunSurroundings, definition: RuntimeSaga, start: RunStart) {
    this.#around = around;
    this.definition = definition;
    this.key = start.key;
    this.id = start.id;
    this.head = start.head;
    this.nowMs = start.head.startedAt;
    this.since = start.head.startedAt;
    this.#input = start.input;
    this.#history = start.history;
    for (const name of start.history.patched) this.#patches.add(name);
    this.pen = new RunJournal(around, start.key, start.head.run, start.rows);
    this.returned = new ReturnedEvents(start);
    this.inbox = new RunInbox(around.turns, this.pen, this);
    this.#stop = new RunStop(around, this);
    this.#compensations = new Compensations(around, this, start.history);
    this.steps = new RunSteps(around, this, this.#compensations, start.history);
  }

  get replaying(): boolean {
    return this.#phase === 'replaying';
  }

  /** Whether it has left memory. */
  get isGone(): boolean {
    return this.#phase === 'gone';
  }

  /** Whether nothing that it asks for counts any more. */
  get isDeaf(): boolean {
    return this.#frozen || this.#phase === 'gone' || this.#phase === 'diverged';
  }

  /** Whether the system stops: it is told nothing any more. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** Whether it has failed, was cancelled, or has run out of time. */
  get isStopped(): boolean {
    return this.#stop.entry !== undefined;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether it has something to do, or waits for what it has sent. */
  get busy(): boolean {
    switch (this.#phase) {
      case 'running':
        return !this.steps.onlyChildren || this.inbox.busy;
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
    return this.#divergence ?? this.#stop.cause;
  }

  /** Whether it stands still, because its replay went another way. */
  get hasDiverged(): boolean {
    return this.#divergence !== undefined;
  }

  /** Where it is; `status` says more. */
  get state(): SagaStatus['state'] {
    switch (this.#phase) {
      case 'replaying':
      case 'running':
      case 'returned':
        return this.#resting().state;
      case 'stopping':
      case 'compensating':
        return 'compensating';
      case 'parked':
      case 'diverged':
        return 'parked';
      default:
        return 'running';
    }
  }

  status(): SagaStatus {
    const { state, since, error } = this;
    const { waitingFor } = state === 'waiting' ? this.#resting() : NOTHING;
    return {
      state,
      since,
      ...(waitingFor === undefined ? {} : { waitingFor }),
      ...(error === undefined || (state !== 'compensating' && state !== 'parked') ? {} : { error }),
    };
  }

  /** Begins, or goes on where the history ends. */
  begin(): void {
    this.noteBusy();
    void this.#replay();
  }

  /** Resolves when the replay is through, or stands still. */
  async settledReplay(): Promise<void> {
    while (this.replaying && !this.#frozen) await this.#turn();
  }

  // What the context asks for; steps are asked for of `steps`.

  /** Whether anything may be asked for now. @throws what the run was stopped with */
  admit(): void {
    switch (this.#phase) {
      case 'replaying':
        return;
      case 'running':
        if (this.isStopped) throw this.#stop.error();
        return;
      case 'compensating':
        if (this.#compensations.running !== undefined) return;
        throw this.#stop.error();
      case 'stopping':
        throw this.#stop.error();
      case 'diverged':
        return;
      case 'gone':
        if (!this.#over) return;
        throw this.#tooLate();
      case 'parked':
      case 'returned':
      case 'ending':
        throw this.#tooLate();
    }
  }

  #tooLate(): TroupeError {
    return new TroupeError(
      'TROUPE_ACTOR_STOPPED',
      `${this.key}: the run has ended, and nothing can be asked for any more; await what the run starts`,
    );
  }

  readyToSend(): Promise<void> | undefined {
    // What this rests on is queued before it; only when that has failed has it to be waited for.
    this.pen.flush();
    return this.pen.broken ? this.pen.durable() : undefined;
  }

  register(compensation: Omit<Compensation, 'index'>): void {
    this.admit();
    if (this.#compensations.running !== undefined) {
      throw new TroupeError('TROUPE_INVALID_OPTIONS', `${this.key}: a compensation can't register another one`);
    }
    this.#compensations.register(compensation);
  }

  patched(name: string): boolean {
    this.admit();
    if (this.#patches.has(name)) return true;
    // Once told that it is on the old code, it stays there, wherever it asks again.
    if (this.#unpatched.has(name)) return false;
    if (this.#phase === 'replaying' && !this.#atEnd) {
      this.#unpatched.add(name);
      return false;
    }
    this.#patches.add(name);
    this.pen.add({ patched: name });
    return true;
  }

  /** The position behind which waits for a type look. */
  waitsBehind(type: string): number {
    return Math.max(this.head.position, this.head.after?.[type] ?? 0);
  }

  searchedTo(): number {
    return this.#compensations.running === undefined ? this.returned.searchedTo(this.steps.next) : 0;
  }

  concerns(event: RecordedEvent): boolean {
    const { of } = this.definition.options;
    return of === undefined || of.some(({ name }) => name === event.aggregate);
  }

  // What comes from outside.

  /**
   * Has it stopped and compensated; resolves when that is durable. A run that is over already goes its way; one that
   * stands still, because its replay diverged, is stopped by the replay that comes through.
   */
  async cancel(reason: string): Promise<void> {
    if (!this.isStopped && !['returned', 'ending', 'gone'].includes(this.#phase)) {
      const error = new TroupeError('TROUPE_SAGA_CANCELLED', `saga ${this.key} was cancelled: ${reason}`, {
        details: { saga: this.definition.name, id: this.id, reason },
      });
      this.#stop.request('cancelled', error);
    }
    await this.durable();
  }

  /** Resolves when everything that it wants to have written is durable. */
  durable(): Promise<void> {
    return this.pen.durable();
  }

  /** Runs a parked compensation again; resolves when that is over. */
  async retryParked(index: number, letter: DeadLetter, trace: DeadLetterTrace): Promise<void> {
    this.#enter('compensating');
    await this.#compensations.retry(index, letter.id, trace.commandId);
    this.#afterCompensations();
  }

  /** Compensations that are parked. */
  get parkedCompensations(): readonly number[] {
    return this.#compensations.allParked;
  }

  /** Gives a parked compensation up. @param letterId undefined: its letter is gone already */
  discardParked(index: number, letterId: string | undefined): Promise<void> {
    this.#enter('compensating');
    this.#compensations.discard(index, letterId);
    this.#afterCompensations();
    return this.pen.durable();
  }

  /** Nothing is told to the run any more; what is under way may still be written down. */
  freeze(): void {
    this.#frozen = true;
    this.pen.flush();
    this.#stop.disarm();
    this.#compensations.freeze();
    this.steps.freeze();
    this.#stop.abort(new TroupeError('TROUPE_SYSTEM_STOPPED', `saga ${this.key} goes on at the next start`));
  }

  /** Whether nothing of it is under way, after `freeze`. */
  get quiet(): boolean {
    return this.steps.onlyChildren && this.pen.clean;
  }

  /** Leaves memory; what is under way is not heard of any more. */
  leave(): void {
    this.#phase = 'gone';
    this.#frozen = true;
    this.#stop.disarm();
    this.#compensations.freeze();
    this.steps.abandon();
    this.noteBusy();
  }

  /** Why it may leave memory now, and what brings it back; undefined: it may not. */
  idleFacts(): IdleFacts | undefined {
    if (this.busy || this.#phase !== 'running' || !this.pen.clean || !this.steps.areQuiet) return undefined;
    const waiting = this.steps.waits();
    if (waiting === undefined) return undefined;
    const due = Math.min(this.#stop.dueMs, waiting.due);
    const { state, waitingFor } = this.#resting();
    if (state !== 'waiting' && state !== 'sleeping') return undefined;
    const { waits } = waiting;
    return { state, since: this.since, waitingFor, due: due === Infinity ? undefined : due, waits };
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
      const step = this.steps.openAt(number);
      if ('begun' in entry) {
        if (number >= this.steps.next) return this.diverge(number, entry.step, undefined);
      } else if (step !== undefined) {
        try {
          this.steps.repeat(step, entry);
        } catch (error) {
          return this.#standStill(asTroupeError(error, `saga ${this.key}: the outcome of step ${number}`));
        }
        await this.#turn();
      }
    }
    if (this.#phase !== 'replaying' || this.#frozen) return;
    this.returned.dropRecorded();
    // A run that had been stopped: only what was told goes out again, and compensations run.
    if (stopped !== undefined) {
      this.#stop.again(stopped);
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
    if (this.isStopped) return this.inbox.pump();
    this.#wentOn = true;
    this.steps.goOn(verdict !== undefined);
    if (verdict === undefined) this.#stop.arm();
    else if ('value' in verdict) this.#returned(verdict.value);
    else this.#threw(verdict.thrown);
    this.pen.flush();
    this.look();
  }

  #returned(value: unknown): void {
    if (this.#phase === 'replaying') {
      this.#verdict = { value };
      return;
    }
    if (this.#phase !== 'running' || this.isStopped) return;
    try {
      checkJson(value, `saga ${this.key}: its result`);
    } catch (error) {
      return this.#threw(error);
    }
    this.#returns(value);
  }

  #threw(thrown: unknown): void {
    if (this.#phase === 'replaying') {
      this.#verdict = { thrown };
      return;
    }
    if (this.#phase !== 'running' || this.isStopped) return;
    if (thrown instanceof ContinueAsNew) return this.#returns(thrown);
    this.#deliverStop(this.#stop.failed(thrown));
  }

  #returns(result: unknown): void {
    this.#result = result;
    this.steps.giveUpWaiting();
    this.#stop.disarm();
    this.#enter('returned');
    this.look();
  }

  #deliverStop(entry: StoppedEntry): void {
    this.#enter('stopping');
    this.turnClockTo(entry.at);
    this.#stop.disarm();
    const error = entry.stopped === 'failed' ? undefined : () => this.#stop.error();
    if (error !== undefined) this.#stop.abort(error());
    this.steps.stop(!this.#wentOn, error);
    this.#around.turns.next(() => this.look());
  }

  /** Goes on when nothing is under way any more. */
  look(): void {
    if (!this.#frozen && !this.inbox.turnTaken && this.steps.areQuiet) {
      if (this.#phase === 'returned') this.#end();
      else if (this.#phase === 'stopping') void this.#compensate();
    }
    this.steps.noteQuiet();
    this.noteBusy();
  }

  async #compensate(): Promise<void> {
    this.#enter('compensating');
    this.steps.forgetOpen();
    if (await this.#compensations.run()) this.#afterCompensations();
  }

  #afterCompensations(): void {
    if (this.#frozen || this.#phase !== 'compensating') return;
    const { parked } = this.#compensations;
    if (parked === undefined) return this.#end();
    this.since = this.#around.clock.now();
    const facts = { state: 'parked' as const, since: this.since, error: this.#stop.entry?.error };
    this.head = { ...this.head, idle: facts };
    this.pen.flush([headRecord(this.key, this.head)]);
    this.#enter('parked');
    this.#around.parked(this, this.#stop.cause ?? fromWireError(toWireError(undefined)));
  }

  #end(): void {
    if (this.#result instanceof ContinueAsNew) return this.#continue(this.#result.input);
    this.#enter('ending');
    const end = endOf(this.head, this.#around.clock.now(), this.#stop.entry, this.#result);
    this.pen.flush(this.endRecords(end));
    void this.pen.durable().then(() => {
      if (this.#phase !== 'ending') return;
      this.#over = true;
      this.#around.ended(this, end);
    });
  }

  /** What is written at its end. */
  endRecords(end: EndedHead): RecordChange[] {
    const { historyMs } = this.definition.options.keep;
    return endRecords(this.key, end, historyMs === Infinity ? undefined : this.pen.rowsSoon);
  }

  /** Begins anew under the same id, with an empty history. */
  #continue(input: unknown): void {
    const before = erasureOf(this.head.run, this.pen.rows);
    this.head = nextHead(this.head, this.returned.renew());
    this.pen.turnTo(this.head.run);
    this.pen.add({ input });
    this.pen.flush([headRecord(this.key, this.head), ...before]);
    this.#input = input;
    this.#history = new History([]);
    this.#result = undefined;
    this.#verdict = undefined;
    this.steps.turnTo(this.#history);
    this.#patches.clear();
    this.#unpatched.clear();
    this.#compensations.clear();
    this.#wentOn = false;
    this.#enter('replaying');
    void this.#replay();
  }

  /** What was asked for differs from what is recorded. */
  diverge(number: number, recorded: string, asked: string | undefined): void {
    if (this.#phase !== 'diverged') this.#standStill(divergenceOf(this, number, recorded, asked));
  }

  /** It stands still until somebody has looked at it. */
  #standStill(error: TroupeError): void {
    this.#divergence = error;
    this.since = this.#around.clock.now();
    this.steps.abandon();
    this.#compensations.freeze();
    this.#enter('diverged');
    this.#around.diverged(this, error);
  }

  // Small parts.

  /** In a replay the history is told first, and one that diverged has told only a part of it. */
  get listens(): boolean {
    return !this.isDeaf && !this.replaying;
  }

  hear(delivery: Delivery): void {
    if (delivery.kind === 'stop') return this.#deliverStop(delivery.entry);
    this.turnClockTo(delivery.at);
    tellStep(delivery.step, delivery.outcome);
  }

  /** User code is told of something that happened then. */
  turnClockTo(at: number): void {
    this.nowMs = at;
    this.since = at;
  }

  #resting(): Pick<SagaStatus, 'waitingFor'> & { readonly state: 'running' | 'waiting' | 'sleeping' } {
    return this.#phase !== 'running' || this.busy ? RUNNING : this.steps.resting();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.noteBusy();
  }

  noteBusy(): void {
    const { busy } = this;
    if (busy === this.#wasBusy) return;
    this.#wasBusy = busy;
    this.#around.busyChanged(this);
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#around.turns.next(resolve));
  }
}
