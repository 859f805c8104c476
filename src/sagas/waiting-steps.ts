/** Steps that only wait: for a time, for an event, for another saga. Nothing is under way for them anywhere. */
import type { Clock } from '../core/clock.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { TroupeError } from '../core/troupe-error.js';
import type { BegunEntry } from './saga-entries.js';
import type { Step, StepOwner, StepWork } from './step.js';
import type { Waiter, WaitIndex } from './wait-index.js';
import type { WaitSearch } from './wait-search.js';
import type { Wake, WakeClock } from './wake-clock.js';

/** What waiting steps take from the engine. */
export interface WaitSurroundings {
  readonly clock: Clock;
  readonly wakes: WakeClock;
  readonly index: WaitIndex;
  readonly search: WaitSearch;
  /** Resolves when everything committed up to now has been offered to those who wait. */
  caughtUp(): Promise<void>;
  readonly present: (event: RecordedEvent) => RecordedEvent;
}

/** A sleep: over when its time has come by the wall clock. */
export class SleepStep implements StepWork {
  readonly kind = 'sleep';
  readonly #around: WaitSurroundings;
  readonly #owner: StepOwner;
  readonly #durationMs: number;
  #wake: Wake | undefined;

  constructor(around: WaitSurroundings, owner: StepOwner, durationMs: number) {
    this.#around = around;
    this.#owner = owner;
    this.#durationMs = durationMs;
  }

  facts(): Pick<BegunEntry, 'due' | 'after'> {
    return { due: this.#around.clock.now() + this.#durationMs };
  }

  begin(step: Step, { due = 0 }: BegunEntry): void {
    const { clock, wakes } = this.#around;
    if (due <= clock.now()) this.#owner.finished(step, { value: undefined });
    else this.#wake = wakes.at(due, () => this.#owner.finished(step, { value: undefined }));
  }

  giveUp(): void {
    this.#wake?.cancel();
  }

  freeze(): void {
    this.abandon();
  }

  abandon(): void {
    this.#wake?.cancel();
  }
}

/** Which event a wait means. */
export interface WaitPlan {
  /** Of the step, for people. */
  readonly where: string;
  readonly type: string;
  readonly aggregateId: string | undefined;
  readonly correlationId: string | undefined;
  readonly filter: ((event: RecordedEvent) => boolean) | undefined;
  readonly timeoutMs: number;
  /** Events up to this position don't count; undefined: up to where the journal is when the wait begins. */
  readonly after: number | undefined;
  /** An earlier life of the run has seen that it is no event up to here. */
  readonly searchedTo: number;
  /** Takes the event for this wait, unless another wait of the run has returned it. */
  readonly claim: (event: RecordedEvent) => boolean;
  readonly concerns: (event: RecordedEvent) => boolean;
}

/** A wait for an event. */
export class WaitStep implements StepWork, Waiter {
  readonly kind = 'wait';
  readonly plan: WaitPlan;
  readonly type: string;
  readonly aggregateId: string | undefined;
  readonly correlationId: string | undefined;
  readonly #around: WaitSurroundings;
  readonly #owner: StepOwner;
  #step: Step | undefined;
  #due = Infinity;
  #wake: Wake | undefined;
  #searching = false;

  constructor(around: WaitSurroundings, owner: StepOwner, plan: WaitPlan) {
    this.#around = around;
    this.#owner = owner;
    this.plan = plan;
    this.type = plan.type;
    this.aggregateId = plan.aggregateId;
    this.correlationId = plan.correlationId;
  }

  /** Every event up to here is known not to be the one; undefined while that is being looked for. */
  get searchedTo(): number | undefined {
    return this.#searching ? undefined : this.#around.index.position;
  }

  facts(): Pick<BegunEntry, 'due' | 'after'> {
    const { clock, index } = this.#around;
    const { timeoutMs, after } = this.plan;
    return {
      ...(timeoutMs === Infinity ? {} : { due: clock.now() + timeoutMs }),
      ...(after === undefined ? { after: index.head } : {}),
    };
  }

  begin(step: Step, { due = Infinity, after = this.plan.after ?? 0 }: BegunEntry): void {
    this.#step = step;
    this.#due = due;
    const { index, search, wakes } = this.#around;
    const from = Math.max(after, this.plan.searchedTo);
    if (!index.add(this, from)) {
      this.#searching = true;
      search.add(this, from);
    }
    if (this.#step !== undefined && due < Infinity) this.#wake = wakes.at(due, () => void this.#expire(step));
  }

  giveUp(): void {
    this.abandon();
  }

  freeze(): void {
    this.abandon();
  }

  abandon(): void {
    this.#step = undefined;
    this.#wake?.cancel();
    this.#around.index.remove(this);
    this.#around.search.remove(this);
  }

  listed(): void {
    this.#searching = false;
  }

  offer(event: RecordedEvent): boolean {
    const step = this.#step;
    if (step === undefined) return true;
    const { filter, concerns, claim } = this.plan;
    // What was committed when the time was up came too late, also when nobody was here to see it.
    if (event.recordedAt > this.#due || !concerns(event)) return false;
    try {
      const presented = this.#around.present(event);
      if (filter !== undefined && !filter(presented)) return false;
      if (!claim(event)) return false;
      this.#end();
      this.#owner.finished(step, { event: presented });
    } catch (error) {
      this.#end();
      this.#owner.finished(step, { error });
    }
    return true;
  }

  /** The time is up; an event that was committed before may still be on its way here. */
  async #expire(step: Step): Promise<void> {
    await this.#around.caughtUp();
    if (this.#step === undefined) return;
    const { where, timeoutMs } = this.plan;
    this.#around.index.remove(this);
    this.#end();
    this.#owner.finished(step, {
      error: new TroupeError('TROUPE_SAGA_TIMEOUT', `${where}: no such event within ${timeoutMs} ms`, {
        details: { type: this.type, timeoutMs },
      }),
    });
  }

  #end(): void {
    this.#step = undefined;
    this.#wake?.cancel();
  }
}

/** What a child is asked through. */
export interface ChildLink {
  /** Starts it, unless it has been started, and resolves with its result. */
  run(): Promise<unknown>;
  cancel(reason: string): Promise<void>;
}

/** A wait for another saga. */
export class ChildStep implements StepWork {
  readonly kind = 'child';
  readonly #owner: StepOwner;
  readonly #link: ChildLink;
  #unwanted = false;
  #abandoned = false;

  constructor(owner: StepOwner, link: ChildLink) {
    this.#owner = owner;
    this.#link = link;
  }

  facts(): Pick<BegunEntry, 'due' | 'after'> {
    return {};
  }

  begin(step: Step): void {
    this.#link.run().then(
      (value) => this.#report(step, { value }),
      (error: unknown) => this.#report(step, { error }),
    );
  }

  giveUp(): void {
    this.#unwanted = true;
    // Whether that comes through or not: it has ended when its result says so.
    this.#link.cancel('the saga that ran it has been stopped').catch(() => undefined);
  }

  freeze(): void {
    this.abandon();
  }

  abandon(): void {
    this.#abandoned = true;
  }

  #report(step: Step, outcome: { readonly value: unknown } | { readonly error: unknown }): void {
    if (this.#abandoned) return;
    if (this.#unwanted) this.#owner.released(step);
    else this.#owner.finished(step, outcome);
  }
}
