/**
 * What has changed between two runs beyond the noise of either. Pure.
 *
 * The noise of a row is how far its rounds lie apart, in both runs together, and at least 5 %, or 30 % where one of the
 * runs had fewer than three rounds. Where both runs have the ratio to a baseline, that is compared and not the value:
 * machines and neighbours differ from run to run, ratios less.
 */
import type { BenchRecord } from './bench-record.js';
import type { Row } from './rows.js';
import { readableValue } from './table.js';

/** Two runs of a quiet machine lie this far apart. */
const LEAST_NOISE = 0.05;
/** With fewer rounds nobody knows how far they would lie apart. */
const ENOUGH_ROUNDS = 3;
const NOISE_OF_FEW_ROUNDS = 0.3;

/** One row, or ratio, that has changed. */
export interface Change {
  /** `SUITE.ARM`, or `SUITE.ARM/BASELINE` where ratios are compared. */
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** Change as a share of what was before. */
  readonly by: number;
  readonly noise: number;
  readonly isBetter: boolean;
}

/** All that has changed beyond the noise, the largest change first. */
export function changesBetween(before: BenchRecord, after: BenchRecord): Change[] {
  const changes: Change[] = [];
  for (const row of after.results) {
    const earlier = find(before, row.suite, row.name);
    if (earlier === undefined || earlier.unit !== row.unit) continue;
    const [baseline] = row.baselines;
    const ratio = `${row.suite}.${row.name}/${baseline ?? ''}`;
    const [was, is] = [before.ratios[ratio], after.ratios[ratio]];
    const least = Math.min(row.rounds, earlier.rounds) < ENOUGH_ROUNDS ? NOISE_OF_FEW_ROUNDS : LEAST_NOISE;
    const noise = Math.max(least, earlier.spread + row.spread);
    const change =
      was === undefined || is === undefined || baseline === undefined
        ? changeOf(`${row.suite}.${row.name}`, earlier.value, row.value, noise, row)
        : changeOf(ratio, was, is, noise + noiseOf(before, after, row.suite, baseline), row);
    if (Math.abs(change.by) > change.noise) changes.push(change);
  }
  return changes.sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
}

/** The changes for people, and how many rows were compared. */
export function comparisonLines(before: BenchRecord, after: BenchRecord): string[] {
  const compared = after.results.filter((row) => find(before, row.suite, row.name)?.unit === row.unit).length;
  const changes = changesBetween(before, after);
  const lines = changes.map(
    ({ name, before: was, after: is, by, noise, isBetter }) =>
      `  ${isBetter ? 'better' : 'worse '}  ${name}: ${readableValue(was)} → ${readableValue(is)} ` +
      `(${by > 0 ? '+' : ''}${Math.round(by * 100)} %, noise ±${Math.round(noise * 100)} %)`,
  );
  const since = `commit ${before.commit}, Node ${before.node}`;
  const other = before.machine === after.machine ? '' : `; on another machine (${before.machine}): look at ratios only`;
  return [`Against ${since}: ${changes.length} of ${compared} rows changed beyond the noise${other}`, ...lines];
}

function changeOf(name: string, before: number, after: number, noise: number, { unit }: Row): Change {
  const by = (after - before) / before;
  return { name, before, after, by, noise, isBetter: unit.endsWith('/s') ? by > 0 : by < 0 };
}

function noiseOf(before: BenchRecord, after: BenchRecord, suite: string, name: string): number {
  return (find(before, suite, name)?.spread ?? 0) + (find(after, suite, name)?.spread ?? 0);
}

function find(record: BenchRecord, suite: string, name: string): Row | undefined {
  return record.results.find((row) => row.suite === suite && row.name === name);
}
