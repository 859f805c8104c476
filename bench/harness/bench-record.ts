/**
 * The JSON of a bench run: for `--json`, for charts, and for comparing with an earlier run.
 */
import { ratiosOf, type Row } from './rows.js';

/** What `--json` writes. */
export interface BenchRecord {
  readonly machine: string;
  readonly node: string;
  readonly commit: string;
  /** Short runs scatter more. */
  readonly quick: boolean;
  readonly results: readonly Row[];
  /** By `SUITE.ARM/BASELINE`. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** Of the rows, and where they were measured. */
export function benchRecord(facts: Omit<BenchRecord, 'results' | 'ratios'>, rows: readonly Row[]): BenchRecord {
  const ratios = Object.fromEntries([...ratiosOf(rows)].map(([name, ratio]) => [name, rounded(ratio)]));
  return { ...facts, results: rows.map(roundedRow), ratios };
}

function roundedRow(row: Row): Row {
  return {
    ...row,
    value: rounded(row.value),
    spread: rounded(row.spread),
    p50: rounded(row.p50),
    p99: rounded(row.p99),
    p999: rounded(row.p999),
    cpuUs: rounded(row.cpuUs),
    memoryMb: rounded(row.memoryMb),
  };
}

/** Five digits: more than any bench can tell apart. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
