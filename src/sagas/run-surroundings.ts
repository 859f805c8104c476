/** What runs take from the engine, and what one begins with. */
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { RecordChange } from '../journal/journal.js';
import type { AskGate } from './ask-gate.js';
import type { CommandSurroundings } from './command-step.js';
import type { PenSurroundings } from './run-journal.js';
import type { RuntimeSaga } from './saga-definition.js';
import type { History } from './saga-entries.js';
import type { EndedHead, SagaHead } from './saga-records.js';
import type { SagaRun } from './saga-run.js';
import type { Turns } from './turns.js';
import type { ChildLink, WaitSurroundings } from './waiting-steps.js';

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
  readonly record: readonly RecordChange[];
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
