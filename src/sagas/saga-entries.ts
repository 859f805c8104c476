/**
 * The history of one run: what happened, entry by entry, in the order in which the run was told of it.
 *
 * A step is begun, then done; the entries of several steps may be interleaved. What a compensation does has its
 * number in `of`; only its successes are kept. `History` answers what a replay asks.
 */
import type { WireError } from '../core/wire-error.js';

/** The input of a saga that no event started; the first entry of its history. */
export interface InputEntry {
  readonly input: unknown;
}

/** A step was asked for. */
export interface BegunEntry {
  /** Number of the step, from 0, in the order of the calls. */
  readonly begun: number;
  /** Number of the compensation that asked for it. */
  readonly of?: number | undefined;
  /** What it is, such as `ask payment/42 charge`; a replay has to ask for the same. */
  readonly step: string;
  readonly at: number;
  /** Epoch milliseconds at which a sleep or wait ends. */
  readonly due?: number | undefined;
  /** Of a wait: events behind this position count. */
  readonly after?: number | undefined;
}

/** A step has its outcome: a value, an error, or an event of the journal. */
export interface DoneEntry {
  readonly done: number;
  readonly of?: number | undefined;
  readonly at: number;
  readonly value?: unknown;
  readonly error?: WireError | undefined;
  /** Position of the event that a wait has returned. */
  readonly event?: number | undefined;
}

/** A command that was told or sent has a durable outcome. */
export interface ToldEntry {
  readonly told: number;
  readonly of?: number | undefined;
  readonly at: number;
}

/** The code behind a name was taken. */
export interface PatchedEntry {
  readonly patched: string;
}

/** The run has failed, was cancelled, or its time is up; from here on only compensations run. */
export interface StoppedEntry {
  readonly stopped: 'failed' | 'cancelled' | 'timed-out';
  readonly at: number;
  readonly error: WireError;
}

/** A compensation has succeeded, or was given up by a person. */
export interface CompensatedEntry {
  readonly compensated: number;
  readonly name: string;
  readonly at: number;
  readonly discarded?: boolean | undefined;
}

/** A compensation can't succeed; a person has to look at it. */
export interface ParkedEntry {
  readonly parked: number;
  readonly name: string;
  readonly at: number;
  readonly error: WireError;
}

export type SagaEntry =
  | InputEntry
  | BegunEntry
  | DoneEntry
  | ToldEntry
  | PatchedEntry
  | StoppedEntry
  | CompensatedEntry
  | ParkedEntry;

/** The journaled entries of a run, by what a replay asks for. */
export class History {
  /** What a replay of the main run goes through, in order, up to where it was stopped. */
  readonly main: readonly (BegunEntry | DoneEntry)[];
  readonly patched: ReadonlySet<string>;
  readonly stopped: StoppedEntry | undefined;
  /** By number: compensations that have ended, one way or another. */
  readonly compensations: ReadonlyMap<number, CompensatedEntry | ParkedEntry>;
  readonly input: InputEntry | undefined;
  readonly isEmpty: boolean;
  readonly #begun = new Map<string, BegunEntry>();
  readonly #done = new Map<string, DoneEntry>();
  readonly #told = new Set<string>();

  constructor(entries: readonly SagaEntry[]) {
    const main: (BegunEntry | DoneEntry)[] = [];
    const patched = new Set<string>();
    const compensations = new Map<number, CompensatedEntry | ParkedEntry>();
    let stopped: StoppedEntry | undefined;
    let input: InputEntry | undefined;
    for (const entry of entries) {
      if ('begun' in entry) {
        this.#begun.set(stepKey(entry.of, entry.begun), entry);
        if (entry.of === undefined && stopped === undefined) main.push(entry);
      } else if ('done' in entry) {
        this.#done.set(stepKey(entry.of, entry.done), entry);
        if (entry.of === undefined && stopped === undefined) main.push(entry);
      } else if ('told' in entry) this.#told.add(stepKey(entry.of, entry.told));
      else if ('patched' in entry) patched.add(entry.patched);
      else if ('stopped' in entry) stopped ??= entry;
      else if ('compensated' in entry) compensations.set(entry.compensated, entry);
      else if ('parked' in entry) compensations.set(entry.parked, entry);
      else input = entry;
    }
    this.main = main;
    this.patched = patched;
    this.compensations = compensations;
    this.stopped = stopped;
    this.input = input;
    this.isEmpty = main.length === 0 && stopped === undefined;
  }

  begun(of: number | undefined, step: number): BegunEntry | undefined {
    return this.#begun.get(stepKey(of, step));
  }

  done(of: number | undefined, step: number): DoneEntry | undefined {
    return this.#done.get(stepKey(of, step));
  }

  /** Whether a told command has had its outcome. */
  told(of: number | undefined, step: number): boolean {
    return this.#told.has(stepKey(of, step));
  }

  /** A compensation has written something down that its next try must know. */
  remember(entry: BegunEntry | DoneEntry | ToldEntry): void {
    if ('begun' in entry) this.#begun.set(stepKey(entry.of, entry.begun), entry);
    else if ('done' in entry) this.#done.set(stepKey(entry.of, entry.done), entry);
    else this.#told.add(stepKey(entry.of, entry.told));
  }

  /** What the steps are that have no outcome here. */
  *openSteps(): Generator<string> {
    for (const [key, { step }] of this.#begun) if (!this.#done.has(key) && !this.#told.has(key)) yield step;
  }

  /** Positions of the events that its waits have returned. */
  events(): number[] {
    return Array.from(this.#done.values(), ({ event }) => event).filter((event) => event !== undefined);
  }
}

function stepKey(of: number | undefined, step: number): string {
  return of === undefined ? String(step) : `${of}.${step}`;
}
