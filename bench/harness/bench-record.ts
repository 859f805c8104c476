/**
 * The JSON of a bench run: for `--json`, for charts, and for comparing with an earlier run.
 */
import { readFileSync } from 'node:fs';
import { ScenarioInputError } from '../../src/scenario/scenario-input-error.js';
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

/** A record from a file. @throws ScenarioInputError when there is none */
export function readRecord(file: string): BenchRecord {
  let record: unknown;
  try {
    record = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ScenarioInputError(`${file} can't be read as JSON; give a file that --json has written`, { cause });
  }
  // What is asked for here is all that a reader rests on.
  const { results } = Object(record) as { readonly results?: unknown };
  if (Array.isArray(results)) return record as BenchRecord;
  throw new ScenarioInputError(`${file} holds no results; give a file that --json has written`);
}

/** The row of that name, `SUITE.ARM`. */
export function rowNamed(record: BenchRecord, name: string): Row | undefined {
  return record.results.find((row) => `${row.suite}.${row.name}` === name);
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
