/**
 * What `stop()` has done: its phases in order, and what could not be finished in time.
 *
 * Each phase gets a part of what is left of the deadline, so that one that hangs leaves time for those behind it.
 */
import { systemClock } from '../core/clock.js';
import type { FactSink } from '../core/runtime-fact.js';

/** One phase of `stop()`. */
export interface StopPhase {
  /** `intake`, `reactions`, `sagas`, `mailboxes`, `actors`, `commit`, `close`. */
  readonly phase: string;
  /** How long it took. */
  readonly ms: number;
  /** False when its time was up before it had finished. */
  readonly complete: boolean;
}

/** What `stop()` resolves with. */
export interface StopReport {
  /** Whether everything was finished in time. */
  readonly complete: boolean;
  readonly phases: readonly StopPhase[];
  /** Messages that were not handled, and failed with TROUPE_SYSTEM_STOPPED, by definition. */
  readonly unhandled: Readonly<Record<string, number>>;
}

export class StopLog {
  readonly #facts: FactSink;
  readonly #deadlineMs: number;
  readonly #phases: StopPhase[] = [];
  readonly #unhandled: Record<string, number> = {};

  constructor(facts: FactSink, timeoutMs: number) {
    this.#facts = facts;
    this.#deadlineMs = systemClock.monotonic() + timeoutMs;
  }

  /** What is left of the deadline. */
  leftMs(): number {
    return Math.max(0, this.#deadlineMs - systemClock.monotonic());
  }

  /**
   * Runs a phase.
   *
   * @param run gets the milliseconds it has, and resolves with whether it has finished; nothing: it has
   * @param share of what is left that it may use
   */
  async phase(phase: string, run: (ms: number) => Promise<boolean | void> | void, share = 1): Promise<void> {
    const startedMs = systemClock.monotonic();
    const complete = (await run(this.leftMs() * share)) !== false;
    const done = { phase, ms: systemClock.monotonic() - startedMs, complete };
    this.#phases.push(done);
    this.#facts.tell({ kind: 'stop-phase', ...done });
  }

  /** Messages that will not be handled any more. */
  unhandled(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) {
      if (count > 0) this.#unhandled[name] = (this.#unhandled[name] ?? 0) + count;
    }
  }

  report(): StopReport {
    const complete = this.#phases.every((phase) => phase.complete) && Object.keys(this.#unhandled).length === 0;
    return { complete, phases: this.#phases, unhandled: this.#unhandled };
  }
}
