/** Outcomes of steps: the form in which a history keeps them, and how the run is told of them. */
import { copyJson } from '../core/json-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { toWireError } from '../core/wire-error.js';
import type { DoneEntry } from './saga-entries.js';
import type { Step, StepOutcome } from './step.js';

/** What the run is told, in the form that the history keeps. */
export function keptOutcome(key: string, { label }: Step, outcome: StepOutcome): StepOutcome {
  if (!('value' in outcome)) return outcome;
  try {
    // A copy, so that what the run does to it can't change the history.
    return { value: copyJson(outcome.value, `saga ${key}: the outcome of ${label}`) };
  } catch (error) {
    return { error };
  }
}

export function doneEntry({ number, of }: Step, outcome: StepOutcome, at: number): DoneEntry {
  if ('error' in outcome) return { done: number, of, at, error: toWireError(outcome.error) };
  if ('event' in outcome) return { done: number, of, at, event: outcome.event.position };
  return { done: number, of, at, value: outcome.value };
}

export function tellStep(step: Step, outcome: StepOutcome): void {
  if ('error' in outcome) step.reject(outcome.error);
  else step.resolve('event' in outcome ? outcome.event : outcome.value);
}

export function isRejection(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TROUPE_REJECTED';
}
