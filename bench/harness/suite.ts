/**
 * A bench suite: one question about the runtime, and the arms that answer it side by side.
 *
 * One file in bench/suites/ per suite, named for it: `bench/suites/mailbox.ts` exports the suite `mailbox`, and nothing else has
 * to be told. An arm runs in a process of its own, several times, in turns with the others (rounds.ts). It counts
 * what it sent and, by asking whoever did the work, what was processed; where the two differ nothing is shown.
 */

import type { PaceOfSuite } from './pace.js';

/** Rates end in `/s` and more is better; of times and sizes less is better. */
export type Unit = `${string}/s` | 'µs' | 'ms' | 'bytes';

/** What an arm is given. */
export interface ArmContext {
  /** Processor time for the compiler and the caches to settle; not measured. See warm-up.ts. */
  readonly warmupMs: number;
  readonly measureMs: number;
  /** Share of its full size that work of a fixed size shall have: 1, and less with `--quick`. */
  readonly scale: number;
  /** A fresh, empty folder on the disk of the working directory. */
  readonly folder: string;
}

/** What one run of an arm found. */
export interface Measurement {
  /** In the unit of the arm. */
  readonly value: number;
  /** How many timings the quantiles rest on; 1 when only the whole was timed. See `believable` in rows.ts. */
  readonly samples: number;
  /** Microseconds for one operation: of each one, or of a sample of them; where only bursts are timed, the mean of a burst. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Processor time for one operation, in microseconds, of all threads of the process: other programs disturb it less. */
  readonly cpuUs: number;
  /** Greatest resident memory in megabytes, where the work was done in another process than the arm's. */
  readonly memoryMb?: number;
  /** Operations begun, warm-up included. */
  readonly sent: number;
  /** Operations done, as the actor, or the journal, has counted them; warm-up included. */
  readonly processed: number;
}

/** One way to do it: Troupe's, or a baseline's. */
export interface Arm {
  /** Lower case with dashes; says how messages are sent: `tell-bursts-of-1000`. */
  readonly name: string;
  /** What a reader of the row wants to know. */
  readonly question: string;
  readonly unit: Unit;
  /** Arms of this suite that the value is divided by; the first stands in the table. A baseline itself has none. */
  readonly baselines?: readonly string[];
  /** Why it can't run on this machine, as a peer that isn't installed; such an arm is left out, and said to be. */
  unavailable?(): string | undefined;
  /** Left out when all suites are played, and said to be. Named with its suite it is played. */
  readonly onlyAlone?: boolean;
  /** The same, but only when they are played quickly. */
  readonly notQuick?: boolean;
  /** Its library leaves something open: the process is ended once it has reported. Never for an arm of Troupe's. */
  readonly mayLinger?: boolean;
  /** At most so many rounds, where one takes long and finds much the same each time. */
  readonly mostRounds?: number;
  run(context: ArmContext): Promise<Measurement>;
}

export interface Suite {
  /** Lower case with dashes, as its file. */
  readonly name: string;
  readonly question: string;
  /** Where it needs another time than most. */
  readonly pace?: PaceOfSuite;
  readonly arms: readonly Arm[];
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const suites = new WeakSet<object>();

/**
 * Defines a suite; export it from its file.
 *
 * @throws Error when a name is malformed or used twice, or a baseline is missing or has another unit.
 * @example
 * export const sorting = defineSuite({
 *   name: 'sorting',
 *   question: 'What does a typed array win?',
 *   arms: [
 *     { name: 'array', question: 'a plain array', unit: 'sorts/s', run: (context) => countBursts(context, sortArray) },
 *     { name: 'typed', question: 'a Float64Array', unit: 'sorts/s', baselines: ['array'], run: … },
 *   ],
 * });
 */
export function defineSuite(suite: Suite): Suite {
  if (!NAME.test(suite.name)) throw malformed(suite.name, `the name has to look like 'end-to-end'`);
  const units = new Map<string, Unit>();
  for (const { name, unit } of suite.arms) {
    if (!NAME.test(name)) throw malformed(suite.name, `the arm '${name}' has to be called like 'ask-16-in-flight'`);
    if (units.has(name)) throw malformed(suite.name, `two arms are called ${name}; rename one`);
    units.set(name, unit);
  }
  for (const { name, unit, baselines = [] } of suite.arms) {
    for (const baseline of baselines) {
      if (!units.has(baseline) || baseline === name) throw malformed(suite.name, `${name} has no baseline ${baseline}`);
      if (units.get(baseline) !== unit) throw malformed(suite.name, `${name} and ${baseline} need the same unit`);
    }
  }
  const defined = Object.freeze({ ...suite, arms: Object.freeze([...suite.arms]) });
  suites.add(defined);
  return defined;
}

/** Whether a value was made by `defineSuite`. */
export function isSuite(value: unknown): value is Suite {
  return typeof value === 'object' && value !== null && suites.has(value);
}

function malformed(suite: string, what: string): Error {
  return new Error(`bench suite ${suite}: ${what}`);
}
