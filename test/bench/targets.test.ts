/** The targets of the benches, and how the README tells what was reached. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BenchRecord } from '../../bench/harness/bench-record.js';
import { findSuites } from '../../bench/harness/find-suites.js';
import type { Row } from '../../bench/harness/rows.js';
import { TARGETS, targetText, verdictsOn } from '../../bench/targets.js';
import { benchTables } from '../docs/readme-blocks.js';

const row = (suite: string, name: string, facts: Partial<Row>): Row => ({
  suite,
  name,
  question: `${name}?`,
  unit: 'messages/s',
  value: 1,
  spread: 0.04,
  rounds: 3,
  samples: 3_000,
  p50: 1,
  p99: 2,
  p999: 3,
  cpuUs: 1,
  memoryMb: 50,
  sent: 3,
  processed: 3,
  baselines: [],
  ...facts,
});

const record: BenchRecord = {
  machine: '2 x Some CPU',
  node: 'v20',
  commit: 'abc',
  quick: false,
  results: [
    row('mailbox', 'ring-bursts-of-1000', { value: 100 }),
    row('mailbox', 'tell-bursts-of-1000', { value: 31, baselines: ['ring-bursts-of-1000'] }),
    row('mailbox', 'quiet-beside-flooded', { unit: 'µs', p99: 6_000 }),
    row('end-to-end', 'year-2-workers', { unit: 'events/s', value: 50_000, processed: 1_500_000, memoryMb: 500 }),
  ],
  ratios: { 'mailbox.tell-bursts-of-1000/ring-bursts-of-1000': 0.31 },
};

describe('bench targets', () => {
  it('name arms and baselines that exist, each once', async () => {
    const suites = await findSuites(new URL('../../bench/suites/', import.meta.url));
    for (const { row: name, of, atLeast, atMost } of TARGETS) {
      const [suiteName = '', armName = ''] = name.split('.');
      const arm = suites
        .find(({ suite }) => suite.name === suiteName)
        ?.suite.arms.find(({ name: one }) => one === armName);
      expect(arm, name).not.to.equal(undefined);
      if (of !== undefined) expect(arm?.baselines, name).to.include(of);
      expect([atLeast, atMost].filter((bound) => bound !== undefined)).to.have.length(1);
    }
    expect(new Set(TARGETS.map((target) => `${target.row} ${targetText(target, '')}`))).to.have.length(TARGETS.length);
  });

  it('are met at their bound and beyond, and not known without the row', () => {
    const told = verdictsOn(record).filter(({ reached }) => reached !== undefined);
    expect(told.map(({ target, reached, isMet }) => [targetText(target, 'x/s'), reached, isMet])).to.deep.equal([
      ['at least 0.3 of `ring-bursts-of-1000`', 0.31, true],
      ['p99 at most 5,000 µs', 6_000, false],
      ['at most 20 s', 10, true],
      ['at most 600 MB', 500, true],
    ]);
  });
});

describe('the benches in the README', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'troupe-results-'));
    mkdirSync(join(root, 'bench/results'), { recursive: true });
  });
  after(() => rmSync(root, { recursive: true }));

  it('say that there are none', async () => {
    expect(await benchTables(root)).to.match(/^No results are stored yet/);
  });

  it('come from the newest file: where measured, each target as it is, rows beside a baseline, and the chart', async () => {
    writeFileSync(join(root, 'bench/results/2026-01-01.json'), '{"results":[]}');
    writeFileSync(join(root, 'bench/results/2026-01-02.json'), JSON.stringify(record));
    const text = await benchTables(root);
    expect(text).to.match(/^Measured on 2 x Some CPU; Node v20; commit abc\. All of it:\n\[2026-01-02\.json\]/);
    expect(text).to.contain('Of 4 targets 3 are reached:');
    expect(text).to.contain(
      '| `mailbox.tell-bursts-of-1000` | tell-bursts-of-1000? | at least 0.3 of `ring-bursts-of-1000` | 0.31 | ✓ |',
    );
    expect(text).to.contain('| p99 at most 5,000 µs | 6,000 | not reached |');
    expect(text).to.match(
      /^\| mailbox\.tell-bursts-of-1000 .* \| 31 messages\/s \| 4 % \| 1 \| 2 \| 3 \| 50 MB \| 0\.31 of ring/m,
    );
    expect(text).not.to.match(/^\| mailbox\.ring-bursts/m);
    expect(text).not.to.contain('chart.svg');
    writeFileSync(join(root, 'bench/results/chart.svg'), '<svg/>');
    expect(await benchTables(root)).to.contain('](bench/results/chart.svg)');
  });
});
