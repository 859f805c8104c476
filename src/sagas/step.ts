/**
 * One step of a run: its promise, which the run awaits, and its work, which leads to an outcome.
 *
 * In a replay the outcome comes from the history and the work never begins. Live, the work begins once the step is
 * written down, and reports to the run, which journals the outcome before it tells it.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { BegunEntry } from './saga-entries.js';

/** What became of a step. */
export type StepOutcome = { readonly value: unknown } | { readonly error: unknown } | { readonly event: RecordedEvent };

/** What a step waits for; only `work` keeps its saga from coming to rest. */
export type StepKind = 'work' | 'sleep' | 'wait' | 'child';

/** What leads to the outcome of a step. */
export interface StepWork {
  readonly kind: StepKind;
  /** What is written down with the beginning. */
  facts(): Pick<BegunEntry, 'due' | 'after'>;
  begin(step: Step, begun: BegunEntry): void;
  /** The outcome isn't wanted any more: reports `released` as soon as nothing is under way. */
  giveUp(step: Step): void;
  /** The system stops: no try begins any more; reports `released` when nothing is under way, unless there is an outcome. */
  freeze(step: Step): void;
  /** The run leaves memory, or the system has stopped: nothing is reported any more. */
  abandon(): void;
}

/** Who steps report to. */
export interface StepOwner {
  /** The step has its outcome. */
  finished(step: Step, outcome: StepOutcome): void;
  /** A command that was told or sent has a durable outcome. */
  told(step: Step): void;
  /** Nothing of a step that was given up is under way any more. */
  released(step: Step): void;
}

export class Step {
  /** Number of the compensation that it belongs to. */
  readonly of: number | undefined;
  readonly number: number;
  readonly label: string;
  readonly work: StepWork;
  readonly promise: Promise<unknown>;
  begun: BegunEntry | undefined;
  /** Whether the promise has its outcome, or one is on its way to it. */
  settled = false;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;

  constructor(of: number | undefined, number: number, label: string, work: StepWork, begun: BegunEntry | undefined) {
    this.of = of;
    this.number = number;
    this.label = label;
    this.work = work;
    this.begun = begun;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // A step that nobody awaits may fail without ending the process; its outcome stands in the history.
    this.promise.catch(ignore);
  }
}

function ignore(): void {
  // Whoever awaits the step hears of it.
}
