/**
 * The chart of a run as SVG: each of Troupe's rows above what it is measured against, longest bar first. Pure.
 *
 * Bars are compared only within their group, because units and magnitudes differ between groups. No script, no font of
 * its own, and colours that can be told apart in a light and in a dark page.
 */
import { type BenchRecord, rowNamed } from './bench-record.js';
import type { Row } from './rows.js';
import { readableValue } from './table.js';

const WIDTH = 860;
const LABEL = 300;
const BAR = WIDTH - LABEL - 130;
const LINE = 18;
const GAP = 26;

/** @param wanted `SUITE.ARM` of the rows to show, in order; those that the run lacks are left out. */
export function chartSvg(record: BenchRecord, wanted: readonly string[]): string {
  const parts: string[] = [];
  let y = 40;
  for (const name of wanted) {
    const row = rowNamed(record, name);
    if (row === undefined) continue;
    const group = [row, ...row.baselines.flatMap((baseline) => find(record, row.suite, baseline))];
    const most = Math.max(...group.map(({ value }) => value));
    parts.push(text(10, y + 12, `${row.suite}: ${row.question} (${row.unit})`, 'title'));
    y += LINE;
    for (const one of group) {
      const width = Math.max(1, (one.value / most) * BAR);
      parts.push(
        text(LABEL - 8, y + 13, one === row ? `troupe: ${one.name}` : one.name, 'label'),
        `<rect x="${LABEL}" y="${y + 2}" width="${width.toFixed(1)}" height="${LINE - 4}" class="${one === row ? 'own' : 'other'}"/>`,
        text(LABEL + width + 6, y + 13, readableValue(one.value), 'value'),
      );
      y += LINE;
    }
    y += GAP - LINE + 8;
  }
  const { machine, node, commit, quick } = record;
  const facts = `${machine}; Node ${node}; commit ${commit}${quick ? '; a short run' : ''}. Of µs and bytes less is better.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.label{text-anchor:end}',
    '.own{fill:#1f6feb}.other{fill:#9aa4af}rect.page{fill:#fff}</style>',
    `<rect class="page" width="${WIDTH}" height="${y}"/>`,
    text(10, 20, facts, 'value'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function find(record: BenchRecord, suite: string, name: string): Row[] {
  return record.results.filter((row) => row.suite === suite && row.name === name);
}

function text(x: number, y: number, content: string, kind: 'title' | 'label' | 'value'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x.toFixed(0)}" y="${y}" class="${kind}">${escaped}</text>`;
}
