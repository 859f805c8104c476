/** What counts as a change between two runs. */
import { expect } from 'chai';
import type { BenchRecord } from '../../bench/harness/bench-record.js';
import { changesBetween, comparisonLines } from '../../bench/harness/comparison.js';
import type { Row } from '../../bench/harness/rows.js';

const row = (facts: Partial<Row>): Row => ({
  suite: 's',
  name: 'a',
  question: 'a?',
  unit: 'messages/s',
  value: 100,
  spread: 0,
  rounds: 3,
  samples: 3,
  p50: 1,
  p99: 1,
  p999: 1,
  cpuUs: 1,
  memoryMb: 1,
  sent: 1,
  processed: 1,
  baselines: [],
  ...facts,
});
const record = (results: Row[], ratios: Record<string, number> = {}): BenchRecord => ({
  machine: 'm',
  node: 'v20',
  commit: 'abc',
  quick: false,
  results,
  ratios,
});

describe('comparing bench runs', () => {
  it('shows nothing within the noise of both runs, and at least 5 %', () => {
    expect(changesBetween(record([row({})]), record([row({ value: 104 })]))).to.be.empty;
    const noisy = row({ value: 125, spread: 0.2 });
    expect(changesBetween(record([row({ spread: 0.1 })]), record([noisy]))).to.be.empty;
  });

  it('shows what lies beyond, the largest first, and knows that of times less is better', () => {
    const before = record([row({}), row({ name: 'b', unit: 'µs' })]);
    const after = record([row({ value: 120 }), row({ name: 'b', unit: 'µs', value: 150 })]);
    const changes = changesBetween(before, after);
    expect(changes.map(({ name, isBetter }) => [name, isBetter])).to.deep.equal([
      ['s.b', false],
      ['s.a', true],
    ]);
    expect(comparisonLines(before, after)[0]).to.contain('commit abc').and.contain('2 of 2 rows');
  });

  it('compares the ratio to the baseline where there is one: a machine twice as fast changes nothing', () => {
    const pair = (value: number, base: number): Row[] => [
      row({ value, baselines: ['base'] }),
      row({ name: 'base', value: base }),
    ];
    const before = record(pair(50, 100), { 's.a/base': 0.5 });
    expect(changesBetween(before, record(pair(100, 200), { 's.a/base': 0.5 })).map(({ name }) => name)).to.deep.equal([
      's.base',
    ]);
    expect(changesBetween(before, record(pair(25, 100), { 's.a/base': 0.25 }))).to.have.lengthOf(1);
  });

  it('says nothing of rows that only one run has, or whose unit is another one', () => {
    expect(changesBetween(record([row({ unit: 'ms' })]), record([row({ value: 7 }), row({ name: 'new' })]))).to.be
      .empty;
  });
});
