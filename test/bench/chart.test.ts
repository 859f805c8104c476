/** The chart of the README. */
import { expect } from 'chai';
import type { BenchRecord } from '../../bench/harness/bench-record.js';
import { chartSvg } from '../../bench/harness/chart.js';

const facts = { question: 'a & b?', unit: 'messages/s' as const, spread: 0, rounds: 1, samples: 1, p50: 1, p99: 1 };
const more = { p999: 1, cpuUs: 1, memoryMb: 1, sent: 1, processed: 1 };
const record: BenchRecord = {
  machine: 'm <1>',
  node: 'v20',
  commit: 'abc',
  quick: true,
  results: [
    { ...facts, ...more, suite: 's', name: 'tell', value: 25, baselines: ['ring', 'gone'] },
    { ...facts, ...more, suite: 's', name: 'ring', value: 100, baselines: [] },
  ],
  ratios: { 's.tell/ring': 0.25 },
};

describe('the bench chart', () => {
  it('draws bars as long as the values, against those baselines that the run has', () => {
    const svg = chartSvg(record, ['s.tell', 's.unknown']);
    const widths = [...svg.matchAll(/<rect x="300"[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths).to.have.lengthOf(2);
    expect((widths[0] ?? 0) / (widths[1] ?? 1)).to.be.closeTo(0.25, 0.001);
  });

  it('says where it was measured, and escapes what would be markup', () => {
    const svg = chartSvg(record, ['s.tell']);
    expect(svg).to.contain('m &lt;1&gt;; Node v20; commit abc; a short run').and.contain('a &amp; b?');
  });
});
