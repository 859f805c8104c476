/**
 * From the runs of the arms to the rows that are shown, and the ratios between them. Pure.
 *
 * A row is the median over rounds of what each round found. An arm that failed, or that did not process what it sent,
 * has no row, and whatever would be divided by it has no ratio.
 */
import type { ArmRuns } from './rounds.js';
import { median, spread } from './statistics.js';
import type { Unit } from './suite.js';

/** One row: of the table, and of `results` in the JSON. */
export interface Row {
  readonly suite: string;
  readonly name: string;
  readonly question: string;
  readonly unit: Unit;
  /** The median over the rounds. */
  readonly value: number;
  /** Half the distance between the worst and the best round, as a share of `value`. */
  readonly spread: number;
  readonly rounds: number;
  /** Timings, over all rounds. */
  readonly samples: number;
  /** Microseconds per operation; see `Measurement`. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly cpuUs: number;
  /** Greatest resident memory of a process that ran the arm. */
  readonly memoryMb: number;
  readonly sent: number;
  readonly processed: number;
  readonly baselines: readonly string[];
}

/** Rows in the order of the arms. */
export function rowsOf(runs: readonly ArmRuns[]): Row[] {
  return runs.filter(({ failure, reports }) => failure === undefined && reports.length > 0).map(rowOf);
}

/** Value of a row divided by that of its baseline, by `SUITE.ARM/BASELINE`: of rates more is better, of times less. */
export function ratiosOf(rows: readonly Row[]): Map<string, number> {
  const ratios = new Map<string, number>();
  for (const row of rows) {
    for (const name of row.baselines) {
      const ratio = ratioTo(row, name, rows);
      if (ratio !== undefined) ratios.set(`${row.suite}.${row.name}/${name}`, ratio);
    }
  }
  return ratios;
}

/** Undefined when the baseline has no row. */
export function ratioTo(row: Row, baseline: string, rows: readonly Row[]): number | undefined {
  const found = rows.find(({ suite, name }) => suite === row.suite && name === baseline);
  return found === undefined ? undefined : row.value / found.value;
}

/** Timings in a round below which a quantile is chance, by its name. */
const TIMINGS = { p50: 5, p99: 100, p999: 1_000 } as const;

/** What of a row can be believed: a quantile that rests on enough timings, a spread of more than one round. */
export function believable(
  row: Pick<Row, 'spread' | 'rounds' | 'samples' | 'p50' | 'p99' | 'p999' | 'cpuUs'>,
): Partial<Pick<Row, 'spread' | 'p50' | 'p99' | 'p999' | 'cpuUs'>> {
  const each = row.samples / row.rounds;
  return {
    ...(row.rounds > 1 ? { spread: row.spread } : {}),
    ...(each >= TIMINGS.p50 ? { p50: row.p50 } : {}),
    ...(each >= TIMINGS.p99 ? { p99: row.p99 } : {}),
    ...(each >= TIMINGS.p999 ? { p999: row.p999 } : {}),
    ...(row.cpuUs > 0 ? { cpuUs: row.cpuUs } : {}),
  };
}

function rowOf({ suite, arm, reports }: ArmRuns): Row {
  const values = reports.map(({ value }) => value);
  const total = (pick: (report: ArmRuns['reports'][number]) => number): number =>
    reports.reduce((sum, report) => sum + pick(report), 0);
  return {
    suite,
    name: arm.name,
    question: arm.question,
    unit: arm.unit,
    value: median(values),
    spread: spread(values),
    rounds: reports.length,
    samples: total(({ samples }) => samples),
    p50: median(reports.map(({ p50 }) => p50)),
    p99: median(reports.map(({ p99 }) => p99)),
    p999: median(reports.map(({ p999 }) => p999)),
    cpuUs: median(reports.map(({ cpuUs }) => cpuUs)),
    memoryMb: Math.max(...reports.map(({ memoryMb }) => memoryMb)),
    sent: total(({ sent }) => sent),
    processed: total(({ processed }) => processed),
    baselines: arm.baselines ?? [],
  };
}
