/**
 * The table for people: one line for each row, columns aligned, what it is measured against at the end of the line.
 */
import type { Palette } from '../../src/scenario/terminal.js';
import { believable, ratioTo, type Row } from './rows.js';
import type { Suite } from './suite.js';

/** Lines of a suite's table; empty when it has no rows. */
export function tableLines(suite: Suite, all: readonly Row[], palette: Palette): string[] {
  const rows = all.filter((row) => row.suite === suite.name);
  if (rows.length === 0) return [];
  const cells = rows.map((row) => {
    const { spread, p50, p99, p999, cpuUs } = believable(row);
    return [
      row.name,
      readableValue(row.value),
      row.unit,
      spread === undefined ? UNKNOWN : `±${Math.round(spread * 100)} %`,
      ...[p50, p99, p999, cpuUs].map((value) => (value === undefined ? UNKNOWN : readableValue(value))),
      `${Math.round(row.memoryMb)} MB`,
      ratioText(row, rows),
    ];
  });
  const table = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((line) => (line[column] ?? '').length)));
  const lines = table.map((line) =>
    line
      .map((text, column) => (LEFT.has(column) ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const [heading = '', ...body] = lines;
  return [
    `${palette.bold(suite.name)}  ${suite.question}`,
    palette.dim(`  ${heading}`),
    ...body.map((line) => `  ${line}`),
  ];
}

/** What the columns are, once below all tables. */
export const LEGEND =
  'Value: the median over the rounds, ± half the distance between the worst and the best round. p50, p99, p99.9: µs for ' +
  'one operation (where only bursts are timed, the mean within a burst); cpu: processor time for one operation, all ' +
  'threads; memory: the most that the process had. –: not known, or too few timings to tell. Of rates a high ratio is ' +
  'good, of times a low one.';

const HEADINGS = ['', 'value', 'unit', 'spread', 'p50 µs', 'p99 µs', 'p99.9', 'cpu µs', 'memory', 'ratio'];
const LEFT = new Set([0, 2, 9]);
const UNKNOWN = '–';

/** `0.31 of ring-bursts-of-1000`; several behind one another, a baseline without a row left out. */
function ratioText(row: Row, rows: readonly Row[]): string {
  return row.baselines
    .flatMap((name) => {
      const ratio = ratioTo(row, name, rows);
      return ratio === undefined ? [] : [`${readableValue(ratio)} of ${name}`];
    })
    .join(', ');
}

const ROUNDED = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 3 });
const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** Three digits that mean something: `45,100,000`, `412`, `0.0224`. */
export function readableValue(value: number): string {
  return Math.abs(value) >= 100 && Math.abs(value) < 1_000 ? WHOLE.format(value) : ROUNDED.format(value);
}
