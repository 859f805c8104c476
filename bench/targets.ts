/**
 * What Troupe's rows are meant to reach: ratios to a baseline of the same run, and a few sizes that stand alone.
 *
 * The README shows each with what the stored run has reached, met or not. Ratios were chosen on a machine with two
 * processors; how many threads win anything depends on how many there are.
 */
import { type BenchRecord, rowNamed } from './harness/bench-record.js';

/** One thing to be reached. */
export interface Target {
  /** `SUITE.ARM`. */
  readonly row: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The baseline that the value is divided by; without one it is taken as it is. */
  readonly of?: string;
  /** What is looked at. Default `value`; `seconds` is the time that all of the row's work took. */
  readonly figure?: 'value' | 'p99' | 'memoryMb' | 'seconds';
}

/** In the order of the README. */
export const TARGETS: readonly Target[] = [
  { row: 'mailbox.tell-bursts-of-1000', atLeast: 0.3, of: 'ring-bursts-of-1000' },
  { row: 'mailbox.tell-bursts-of-1000', atLeast: 1, of: 'erlang-bursts-of-1000' },
  { row: 'mailbox.tell-bursts-of-1000', atLeast: 10, of: 'nact-bursts-of-1000' },
  { row: 'mailbox.tell-bursts-of-1000', atLeast: 10, of: 'xstate-machine-bursts-of-1000' },
  { row: 'mailbox.tell-bursts-of-1000', atLeast: 1.5, of: 'xstate-transition-bursts-of-1000' },
  { row: 'mailbox.ping-pong', atLeast: 1.35, of: 'erlang-ping-pong' },
  { row: 'mailbox.ask-1-in-flight', atLeast: 1.5, of: 'erlang-call' },
  { row: 'mailbox.quiet-beside-flooded', atMost: 5, of: 'quiet-alone' },
  { row: 'mailbox.quiet-beside-flooded', atMost: 5_000, figure: 'p99' },
  { row: 'spawn.spawn-tell-stop', atLeast: 300_000 },
  { row: 'spawn.idle-actors', atMost: 1_024 },
  { row: 'threads.tell', atLeast: 0.4, of: 'raw-batches-of-256' },
  { row: 'threads.tell', atLeast: 4, of: 'raw-single-posts' },
  { row: 'threads.tell', atLeast: 10, of: 'comedy-tell' },
  { row: 'threads.tell-between-workers', atLeast: 0.4, of: 'raw-batches-of-256' },
  { row: 'threads.tell-between-workers', atLeast: 4, of: 'raw-single-posts' },
  { row: 'threads.ask-256-in-flight', atLeast: 3, of: 'raw-round-trips-256-in-flight' },
  { row: 'threads.ask-256-in-flight', atLeast: 8, of: 'comedy-256-in-flight' },
  { row: 'threads.ask-256-in-flight', atLeast: 8, of: 'comlink-256-in-flight' },
  { row: 'threads.ask-256-in-flight', atLeast: 8, of: 'piscina-256-in-flight' },
  { row: 'threads.ask-1-in-flight', atMost: 1.4, of: 'raw-round-trip' },
  { row: 'journal.commands-1000-in-flight', atLeast: 0.3, of: 'raw-1000-in-flight' },
  { row: 'journal.commands-1000-in-flight', atLeast: 100_000 },
  { row: 'journal.commands-1000-in-flight', atLeast: 100, of: 'emmett-1-an-append' },
  { row: 'journal.commands-1000-in-flight', atLeast: 5, of: 'emmett-100-an-append' },
  { row: 'journal.hot-aggregate-1000-in-flight', atLeast: 0.5, of: 'commands-1000-in-flight' },
  { row: 'journal.command-1-in-flight', atMost: 1.5, of: 'raw-1-in-flight' },
  { row: 'recovery.one-aggregate', atLeast: 500_000 },
  { row: 'recovery.many-aggregates', atLeast: 0.25, of: 'parse-and-apply' },
  { row: 'end-to-end.year-2-workers', atMost: 20, figure: 'seconds' },
  { row: 'end-to-end.year-2-workers', atMost: 600, figure: 'memoryMb' },
  { row: 'end-to-end.app-loop-1-worker', atMost: 20 },
];

/** A target beside what a run has reached; undefined where the run lacks the row or its baseline. */
export interface Verdict {
  readonly target: Target;
  readonly reached: number | undefined;
  readonly isMet: boolean;
}

/** All targets, in their order. */
export function verdictsOn(record: BenchRecord): Verdict[] {
  return TARGETS.map((target) => {
    const reached = reachedBy(record, target);
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = target;
    return { target, reached, isMet: reached !== undefined && reached >= atLeast && reached <= atMost };
  });
}

/** `at least 0.3 of ring-bursts-of-1000`, `p99 at most 5,000 µs`. */
export function targetText({ atLeast, atMost, of, figure = 'value' }: Target, unit: string): string {
  const bound = atLeast === undefined ? `at most ${exact(atMost ?? 0)}` : `at least ${exact(atLeast)}`;
  if (of !== undefined) return `${bound} of \`${of}\``;
  if (figure === 'value') return `${bound} ${unit}`;
  if (figure === 'p99') return `p99 ${bound} µs`;
  return figure === 'seconds' ? `${bound} s` : `${bound} MB`;
}

function exact(value: number): string {
  return value.toLocaleString('en-GB');
}

function reachedBy(record: BenchRecord, { row, of, figure = 'value' }: Target): number | undefined {
  if (of !== undefined) return record.ratios[`${row}/${of}`];
  const found = rowNamed(record, row);
  if (found === undefined) return undefined;
  return figure === 'seconds' ? found.processed / found.rounds / found.value : found[figure];
}
