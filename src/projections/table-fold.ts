/**
 * The fold of one table, wherever it runs: on this thread (`projection-engine.ts`), or on a worker
 * (`threads/remote-fold.ts`). The projection that it belongs to can't tell.
 */
import type { EngineListener, EngineStart } from './projection-engine.js';
import type { ProjectionFault } from './projection-fault.js';
import type { ProjectionPlan } from './projection-plan.js';
import type { SqliteViewTable } from './sqlite-view-table.js';

export interface TableFold {
  /** Every event up to here is in the rows that readers see. */
  readonly position: number;
  /** Why it has stopped; undefined while it runs. */
  readonly fault: ProjectionFault | undefined;
  /** The failure that it is trying to get over, if there is one. */
  readonly trouble: unknown;
  /** Whether `stop()` was called. */
  readonly ended: boolean;
  start(): void;
  /** Somebody waits: what has come takes no time for company. */
  hurry(): void;
  /** Finishes the batch under way and writes the checkpoint; a second call waits for the first. */
  stop(): Promise<void>;
}

/** What a fold is made of. */
export interface FoldFacts {
  readonly plan: ProjectionPlan;
  readonly table: SqliteViewTable;
  readonly start: EngineStart;
  readonly listener: EngineListener;
}

/** Makes a fold, not started yet. */
export type FoldMaker = (facts: FoldFacts) => TableFold;
