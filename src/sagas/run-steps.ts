/**
 * The steps of one run: numbered in the order of the calls, written down before they begin, and over once.
 *
 * A step is open until it has its outcome, and under way as long as it may do something outside, whether anybody
 * still awaits it or not. Steps of a compensation are numbered on their own. Hot path; watched by the bench suite
 * `sagas`.
 */
import { derivedStepId } from '../core/ids.js';
import { fromWireError } from '../core/wire-error.js';
import { firstId, nextRetryId } from '../reactions/retried-command-id.js';
import { CommandStep } from './command-step.js';
import type { Compensations } from './compensations.js';
import { ONCE, type RetryPolicy } from './retry-policy.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { DoneEntry, History } from './saga-entries.js';
import type { IdleWait } from './saga-records.js';
import type { SagaRun } from './saga-run.js';
import { Step, type StepOutcome, type StepOwner, type StepWork } from './step.js';
import { doneEntry, isRejection, keptOutcome, tellStep } from './step-outcome.js';
import { ChildStep, WaitStep } from './waiting-steps.js';

export class RunSteps implements StepOwner {
  readonly #around: RunSurroundings;
  readonly #run: SagaRun;
  readonly #compensations: Compensations;
  #history: History;
  /** Steps of the main run without an outcome, and those of the compensation that runs. */
  readonly #open = new Map<string, Step>();
  /** Steps of which something is under way. */
  readonly #underWay = new Set<Step>();
  /** How many of these are other sagas. */
  #children = 0;
  #next = 0;
  #quiet: (() => void) | undefined;

  constructor(around: RunSurroundings, run: SagaRun, compensations: Compensations, history: History) {
    this.#around = around;
    this.#run = run;
    this.#compensations = compensations;
    this.#history = history;
  }

  // What the context asks for.

  open(label: string, work: StepWork): Step {
    const run = this.#run;
    run.admit();
    const number = this.#next;
    const of = this.#compensations.running;
    const recorded = this.#history.begun(of, number);
    const step = new Step(of, number, label, work, recorded);
    if (run.isDeaf) return step;
    this.#next += 1;
    if (recorded !== undefined && recorded.step !== label) {
      run.diverge(number, recorded.step, label);
      return step;
    }
    this.#open.set(keyOf(step), step);
    if (run.replaying) return step;
    const done = of === undefined ? undefined : this.#history.done(of, number);
    if (done !== undefined) this.repeat(step, done);
    else this.begin(step);
    return step;
  }

  /** Number of the step that will be asked for next. */
  get next(): number {
    return this.#next;
  }

  /** The id of the step that will be asked for next. */
  nextId(): string {
    return this.idOf(this.#next);
  }

  idOf(step: number | string): string {
    const { id, definition, head } = this.#run;
    const of = this.#compensations.running;
    return derivedStepId({ saga: definition.name, id, generation: head.generation, of, step });
  }

  /** The id of the command that the next step sends. */
  commandIdFor(given: string | undefined): string {
    const id = given ?? this.nextId();
    const { refusedId } = this.#compensations;
    return refusedId !== undefined && firstId(refusedId) === id ? nextRetryId(refusedId) : id;
  }

  /** A compensation is tried again as a whole. */
  inCompensation(policy: RetryPolicy): RetryPolicy {
    if (this.#compensations.running === undefined) return policy;
    return { ...policy, attempts: Math.min(policy.attempts, ONCE.attempts) };
  }

  // How one goes.

  /** Writes down that a step begins, unless an earlier life has, and has it begin. */
  begin(step: Step): void {
    if (this.#history.told(step.of, step.number)) {
      this.#open.delete(keyOf(step));
      return;
    }
    const run = this.#run;
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
      run.pen.add(begun);
      if (step.of !== undefined) this.#history.remember(begun);
      run.since = begun.at;
    }
    const { kind } = step.work;
    if (kind === 'work' || kind === 'child') this.#startsOut(step);
    step.work.begin(step, begun);
    // A command has had it written down before it was sent.
    if (run.pen.hasEntries) this.#around.turns.next(() => run.pen.flush());
    run.noteBusy();
  }

  /** Tells the run what the history says. */
  repeat(step: Step, entry: DoneEntry): void {
    step.settled = true;
    // A sent command had been taken by its mailbox; whether it has an outcome is another question.
    if (!(step.work instanceof CommandStep && step.work.plan.how === 'send')) this.#open.delete(keyOf(step));
    this.#run.turnClockTo(entry.at);
    if (entry.event !== undefined) {
      const event = this.#run.returned.again(entry.event);
      step.resolve(event === undefined ? undefined : this.#around.present(event));
    } else if (entry.error !== undefined) step.reject(fromWireError(entry.error));
    else step.resolve(entry.value);
  }

  finished(step: Step, outcome: StepOutcome): void {
    const run = this.#run;
    if (step.settled || run.isGone) return;
    if (step.of !== this.#compensations.running) return this.released(step);
    if (run.frozen && 'error' in outcome && !isRejection(outcome.error)) return this.released(step);
    step.settled = true;
    this.#open.delete(keyOf(step));
    if (!(step.work instanceof CommandStep) || step.work.plan.how === 'ask') this.#comesBack(step);
    const at = this.#around.clock.now();
    const kept = keptOutcome(run.key, step, outcome);
    if (step.of !== undefined) this.#finishedCompensating(step, kept, at);
    else if (!run.isStopped) {
      run.pen.add(doneEntry(step, kept, at));
      if (run.frozen) run.pen.flush();
      // What happened outside is durable before anything follows from it.
      const durable = !(step.work.kind === 'work' && !(step.work instanceof CommandStep));
      run.inbox.push({ kind: 'outcome', step, outcome: kept, at, durable });
    }
    run.look();
  }

  told(step: Step): void {
    const run = this.#run;
    if (run.isGone) return;
    this.#comesBack(step);
    this.#open.delete(keyOf(step));
    step.settled = true;
    const entry = { told: step.number, of: step.of, at: this.#around.clock.now() };
    run.pen.add(entry);
    if (step.of !== undefined) this.#history.remember(entry);
    this.#flushSoon();
    run.look();
  }

  released(step: Step): void {
    if (this.#run.isGone) return;
    this.#comesBack(step);
    this.#run.look();
  }

  #finishedCompensating(step: Step, outcome: StepOutcome, at: number): void {
    if ('error' in outcome) {
      if (isRejection(outcome.error) && step.work instanceof CommandStep) {
        this.#compensations.refused(step.work.plan.facts.commandId);
      }
      return tellStep(step, outcome);
    }
    const entry = doneEntry(step, outcome, at);
    this.#run.pen.add(entry);
    this.#history.remember(entry);
    this.#flushSoon();
    this.#run.nowMs = at;
    tellStep(step, outcome);
  }

  #startsOut(step: Step): void {
    if (this.#underWay.has(step)) return;
    this.#underWay.add(step);
    if (step.work.kind === 'child') this.#children += 1;
  }

  #comesBack(step: Step): void {
    if (this.#underWay.delete(step) && step.work.kind === 'child') this.#children -= 1;
  }

  #flushSoon(): void {
    const { pen, frozen } = this.#run;
    if (frozen) pen.flush();
    else this.#around.turns.next(() => pen.flush());
  }

  // All of them.

  /** The open step of the main run with this number. */
  openAt(number: number): Step | undefined {
    return this.#open.get(String(number));
  }

  /** Whether nothing is under way. */
  get areQuiet(): boolean {
    return this.#underWay.size === 0;
  }

  /** Whether nothing is under way but other sagas. */
  get onlyChildren(): boolean {
    return this.#underWay.size === this.#children;
  }

  /** Resolves when nothing is under way. */
  quiet(): Promise<void> {
    if (this.areQuiet) return Promise.resolve();
    return new Promise((resolve) => {
      this.#quiet = resolve;
    });
  }

  /** Something may have come to its end. */
  noteQuiet(): void {
    if (this.areQuiet) this.#quiet?.();
  }

  /** The replay is over: what has no outcome begins, or begins again; only what acts, if the run has returned. */
  goOn(returned: boolean): void {
    for (const step of this.#open.values()) {
      const { kind } = step.work;
      if (!returned || kind === 'work' || kind === 'child') this.begin(step);
    }
  }

  /**
   * The run is stopped: what is under way is given up, and all else let go.
   *
   * @param again commands that were told in an earlier life go out again
   * @param error what whoever awaits a step gets; undefined: nothing
   */
  stop(again: boolean, error: (() => Error) | undefined): void {
    for (const step of this.#open.values()) {
      const { work } = step;
      const isTold = work instanceof CommandStep && work.plan.how !== 'ask';
      if (again && isTold) this.begin(step);
      if (this.#underWay.has(step)) work.giveUp(step);
      else work.abandon();
      if (error !== undefined && !step.settled) step.reject(error());
    }
  }

  freeze(): void {
    for (const step of new Set([...this.#open.values(), ...this.#underWay])) {
      if (this.#underWay.has(step)) step.work.freeze(step);
      else step.work.abandon();
    }
  }

  /** Nothing is heard of any of them any more. */
  abandon(): void {
    this.#quiet = undefined;
    for (const step of [...this.#open.values(), ...this.#underWay]) step.work.abandon();
    this.#open.clear();
    this.#underWay.clear();
    this.#children = 0;
  }

  /** Nobody waits for an event or a time any more. */
  giveUpWaiting(): void {
    for (const step of this.#open.values()) {
      const { kind } = step.work;
      if (kind === 'sleep' || kind === 'wait') step.work.abandon();
    }
  }

  /** Steps are numbered from 0 again. */
  renumber(): void {
    this.#next = 0;
  }

  /** Those that have no outcome are nobody's any more. */
  forgetOpen(): void {
    this.#open.clear();
  }

  turnTo(history: History): void {
    this.#history = history;
    this.#open.clear();
    this.#next = 0;
  }

  /** Adds the keys of the sagas that this one waits for, or will again when its replay is through. */
  addChildren(keys: Set<string>): void {
    for (const { work, label } of this.#open.values()) if (work instanceof ChildStep) keys.add(childKey(label));
    for (const label of this.#history.openSteps()) if (label.startsWith(RUN)) keys.add(childKey(label));
  }

  /** What the run waits for. */
  resting(): { readonly state: 'running' | 'waiting' | 'sleeping'; readonly waitingFor?: string } {
    let state: 'running' | 'sleeping' = 'running';
    for (const { work, label } of this.#open.values()) {
      if (work instanceof WaitStep) return { state: 'waiting', waitingFor: work.type };
      if (work instanceof ChildStep) return { state: 'waiting', waitingFor: childKey(label) };
      if (work.kind === 'sleep') state = 'sleeping';
    }
    return { state };
  }

  /** The events that it waits for, and when its first time is up; undefined while an event is looked for. */
  waits(): { readonly waits: readonly IdleWait[]; readonly due: number } | undefined {
    const waits: IdleWait[] = [];
    let due = Infinity;
    for (const step of this.#open.values()) {
      due = Math.min(due, step.begun?.due ?? Infinity);
      if (!(step.work instanceof WaitStep)) continue;
      const { searchedTo, type, aggregateId, correlationId } = step.work;
      if (searchedTo === undefined) return undefined;
      waits.push({ step: step.number, type, aggregateId, correlationId, searchedTo });
    }
    return { waits, due };
  }
}

/** Before the key of another saga, in the label of the step that runs it. */
const RUN = 'run ';

function childKey(label: string): string {
  return label.slice(RUN.length);
}

function keyOf({ of, number }: Step): string {
  return of === undefined ? String(number) : `${of}.${number}`;
}
