/**
 * How a run reads: the header before it, checks, totals and the closing line after it. Pure: facts in, lines out.
 */
import { inspect } from 'node:util';
import type { ScenarioDefinition } from './define-scenario.js';
import { readableAmount, readableCount, readableSeconds } from './readable-numbers.js';
import type { RecordedCheck, ScenarioResult } from './scenario-result.js';
import { type Palette, wrapText } from './terminal.js';

/** How the lines are to look. */
export interface Look {
  readonly width: number;
  readonly palette: Palette;
}

/** What the run was started with, for its header. */
export interface StoryFacts {
  readonly workers: number | 'auto';
  readonly seed: number;
  readonly journal: string;
}

const CHECK_NAME_WIDTH = 56;
const LONGEST_VALUE = 200;

/** Title, goal, method, expected end, and what the run was started with. */
export function headerLines(scenario: ScenarioDefinition, facts: StoryFacts, look: Look): string[] {
  const { palette } = look;
  return [
    '',
    `${palette.bold(scenario.title)}  ${palette.dim(scenario.name)}`,
    '',
    ...purposeLines(scenario, look),
    palette.dim(`  Run       workers ${facts.workers}, seed ${facts.seed}, journal ${facts.journal}`),
    '',
  ];
}

/** Goal, method and expected end, wrapped beside their names. */
export function purposeLines(scenario: ScenarioDefinition, look: Look): string[] {
  return [
    ...labelled('Goal', scenario.goal, look),
    ...labelled('Method', scenario.method, look),
    ...labelled('Expected', scenario.expected, look),
  ];
}

/** Checks with their numbers, the totals, and the line that says how it went. */
export function endLines(
  result: ScenarioResult,
  checks: readonly RecordedCheck[],
  facts: StoryFacts,
  look: Look,
): string[] {
  return [
    '',
    ...checkLines(checks, look),
    ...totalLines(result.totals, look),
    '',
    closingLine(result, facts, look),
    '',
  ];
}

function checkLines(checks: readonly RecordedCheck[], { width, palette }: Look): string[] {
  const nameWidth = Math.min(CHECK_NAME_WIDTH, Math.max(0, ...checks.map(({ name }) => name.length)));
  const lines = [palette.bold('Checks')];
  for (const { name, ok, expected, actual, detail } of checks) {
    if (ok) {
      const seen = detail ?? briefly(actual, width - nameWidth - 6);
      lines.push(`  ${palette.good('✓')} ${seen === '' ? name : `${name.padEnd(nameWidth)}  ${palette.dim(seen)}`}`);
    } else {
      lines.push(`  ${palette.bad('✗')} ${palette.bold(name)}`);
      if (detail !== undefined) lines.push(`      ${detail}`);
      else
        lines.push(
          `      expected  ${palette.good(inFull(expected))}`,
          `      actual    ${palette.bad(inFull(actual))}`,
        );
    }
  }
  return lines;
}

function totalLines(totals: Readonly<Record<string, number>>, look: Look): string[] {
  const entries = Object.entries(totals);
  if (entries.length === 0) return [];
  // A total stays on one line with its number: its spaces don't break.
  const text = entries.map(([name, value]) => `${name}\u00a0${readableCount(value)}`).join(', ');
  return [
    '',
    look.palette.bold('Totals'),
    ...wrapText(text, look.width - 2).map((line) => `  ${line.replaceAll('\u00a0', ' ')}`),
  ];
}

function closingLine(result: ScenarioResult, facts: StoryFacts, { palette }: Look): string {
  const failed = result.checks.filter(({ ok }) => !ok).length;
  const count = result.checks.length;
  const verdict = result.ok
    ? palette.good(`✓ ${readableAmount(count, 'check holds', 'checks hold')}`)
    : palette.bad(`✗ ${readableCount(failed)} of ${readableAmount(count, 'check', 'checks')} failed`);
  const work = [
    result.events > 0 ? readableAmount(result.events, 'event', 'events') : undefined,
    readableSeconds(result.seconds),
    result.events > 0 ? `${readableCount(result.eventsPerSecond)} events/s` : undefined,
    `workers ${facts.workers}`,
    `seed ${facts.seed}`,
  ].filter((part) => part !== undefined);
  return `${verdict}  ${palette.dim(work.join(' · '))}`;
}

function labelled(label: string, text: string, { width, palette }: Look): string[] {
  const [first = '', ...more] = wrapText(text.trim(), width - 12);
  return [`  ${palette.accent(label.padEnd(10))}${first}`, ...more.map((line) => `            ${line}`)];
}

/** A value behind a check that holds: numbers and short texts; of anything longer the check's name says enough. */
function briefly(value: unknown, room: number): string {
  if (value === true) return '';
  const text = inFull(value);
  return text.length <= room ? text : '';
}

function inFull(value: unknown): string {
  if (typeof value === 'number' && Number.isFinite(value)) return readableCount(value);
  const text = inspect(value, {
    depth: 6,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 20,
    maxStringLength: LONGEST_VALUE,
  });
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
