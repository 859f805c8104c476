/**
 * A bar chart in text: one line per row, bars to an eighth of a character.
 */
import { readableCount } from './readable-numbers.js';
import type { ScenarioBar } from './scenario-context.js';

/** How a chart is drawn. */
export interface BarChartOptions {
  /** Characters a line has room for. */
  readonly lineWidth: number;
  /** Characters of the longest bar; default: what the line has room for, at most 40. */
  readonly width?: number;
  /** Puts colour on a bar. */
  paint(bar: string): string;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LETTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });
const LONGEST_BAR = 40;
const LONGEST_LABEL = 28;

/** The lines of a bar chart, the longest bar for the greatest value. */
export function barChart(rows: readonly ScenarioBar[], options: BarChartOptions): string[] {
  const labels = rows.map((row) => shorten(row.label, LONGEST_LABEL));
  const texts = rows.map((row) => row.text ?? readableCount(row.value));
  const labelWidth = longest(labels);
  const room = options.lineWidth - labelWidth - longest(texts) - 6;
  const width = Math.max(1, Math.floor(options.width ?? Math.min(LONGEST_BAR, Math.max(8, room))));
  const greatest = Math.max(0, ...rows.map((row) => row.value).filter(Number.isFinite));

  return rows.map((row, index) => {
    const bar = drawBar(greatest > 0 ? row.value / greatest : 0, width);
    const label = labels[index] ?? '';
    const padding = ' '.repeat(labelWidth - lengthOf(label));
    return `  ${label}${padding}  ${options.paint(bar)}${' '.repeat(width - bar.length)}  ${texts[index] ?? ''}`;
  });
}

/** A bar of `share` (0 to 1) of `width` characters; what is more than nothing shows. */
function drawBar(share: number, width: number): string {
  if (!(share > 0)) return '';
  const eighths = Math.max(1, Math.round(Math.min(1, share) * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

function shorten(text: string, length: number): string {
  const letters = lettersOf(text);
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join('')}…`;
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(lengthOf));
}

function lengthOf(text: string): number {
  return lettersOf(text).length;
}

/** What people see as letters: one with an accent, or an emoji, is one. */
function lettersOf(text: string): string[] {
  return Array.from(LETTERS.segment(text), ({ segment }) => segment);
}
