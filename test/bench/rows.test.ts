/**
 * From what the rounds found to rows, ratios, the table and the JSON.
 */
import { expect } from 'chai';
import { benchRecord } from '../../bench/harness/bench-record.js';
import type { ArmReport } from '../../bench/harness/arm-process.js';
import { paceOf } from '../../bench/harness/pace.js';
import { planRuns, playRounds, runsIn } from '../../bench/harness/rounds.js';
import { believable, ratiosOf, rowsOf } from '../../bench/harness/rows.js';
import { type Arm, defineSuite } from '../../bench/harness/suite.js';
import { readableValue, tableLines } from '../../bench/harness/table.js';

const EVERYTHING = { quick: false, everything: true };
const never = () => Promise.reject(new Error('not meant to run'));
const arms: readonly Arm[] = [
  { name: 'raw', question: 'bound', unit: 'messages/s', run: never },
  { name: 'tell', question: 'ours', unit: 'messages/s', baselines: ['raw'], run: never },
];
const found = { suite: defineSuite({ name: 'demo', question: 'How many?', arms }), module: new URL('file:///demo.js') };
const report = (value: number, facts: Partial<ArmReport> = {}): ArmReport => ({
  value,
  samples: 5,
  p50: 1,
  p99: 2,
  p999: 3,
  cpuUs: 0.5,
  sent: 10,
  processed: 10,
  memoryMb: 40,
  ...facts,
});
const plain = (text: string) => text;
const palette = { bold: plain, dim: plain, good: plain, bad: plain, accent: plain };

async function play(runOnce: (arm: string, round: number) => ArmReport | Error, rounds = 3) {
  const order: string[] = [];
  const runs = planRuns([found], EVERYTHING, () => ({ ...paceOf(found.suite, false, 2), rounds }));
  await playRounds(
    runs,
    async ({ arm: { name: arm } }) => {
      const round = order.filter((name) => name === arm).length;
      order.push(arm);
      const result = runOnce(arm, round);
      if (result instanceof Error) throw result;
      return result;
    },
    () => {},
    new AbortController().signal,
  );
  return { order, runs, rows: rowsOf(runs) };
}

describe('bench rounds', () => {
  it('runs arms in turns, every other round backwards', async () => {
    const { order } = await play(() => report(1));
    expect(order).to.deep.equal(['raw', 'tell', 'tell', 'raw', 'raw', 'tell']);
  });

  it('shows the median of the rounds, their spread, the sums of what was sent and processed, and the most memory', async () => {
    const { rows } = await play((arm, round) =>
      report((arm === 'raw' ? 100 : 30) + [0, 10, -10][round]!, { memoryMb: 40 + round }),
    );
    expect(rows[0]).to.deep.include({
      value: 100,
      spread: 0.1,
      rounds: 3,
      samples: 15,
      sent: 30,
      processed: 30,
      memoryMb: 42,
    });
    expect([...ratiosOf(rows)]).to.deep.equal([['demo.tell/raw', 0.3]]);
  });

  for (const [what, bad, message] of [
    ['lost one message of 10 in the last round', report(1, { processed: 9 }), 'it sent 10 and 9 were processed'],
    ['processed one more than was sent', report(1, { processed: 11 }), 'it sent 10 and 11 were processed'],
    ['sent nothing', report(1, { sent: 0, processed: 0 }), 'it sent 0 and 0 were processed'],
    ['threw', new Error('broken'), 'broken'],
  ] as const) {
    it(`shows no row, and no ratio, of an arm that ${what}`, async () => {
      const { rows, runs } = await play((arm, round) => (arm === 'raw' && round === 2 ? bad : report(1)));
      expect(rows.map(({ name }) => name)).to.deep.equal(['tell']);
      expect(ratiosOf(rows).size).to.equal(0);
      expect(runs[0]?.failure).to.equal(message);
    });
  }

  it('does not run an arm again that has failed', async () => {
    const { order } = await play((arm) => (arm === 'raw' ? new Error('broken') : report(1)));
    expect(order.filter((arm) => arm === 'raw')).to.have.length(1);
  });
});

describe('a bench that is interrupted', () => {
  it('keeps what it has, begins nothing more, and calls what was cut off neither a run nor a failure', async () => {
    const ending = new AbortController();
    const runs = planRuns([found], EVERYTHING, () => ({ ...paceOf(found.suite, false, 2), rounds: 3 }));
    let begun = 0;
    const play = async () => {
      begun += 1;
      if (begun < 4) return report(1);
      ending.abort();
      throw new Error('it was interrupted');
    };
    expect(await playRounds(runs, play, () => {}, ending.signal)).to.equal(3);
    expect(begun).to.equal(4);
    expect(runs.map(({ reports, failure }) => [reports.length, failure])).to.deep.equal([
      [1, undefined],
      [2, undefined],
    ]);
    expect(rowsOf(runs)).to.have.length(2);
  });
});

describe('the plan of a bench', () => {
  const heavy: Arm = { name: 'heavy', question: 'long', unit: 'messages/s', notQuick: true, run: never };
  const once: Arm = { name: 'once', question: 'one round', unit: 'messages/s', mostRounds: 1, run: never };
  const long: Arm = { name: 'long', question: 'minutes', unit: 'messages/s', onlyAlone: true, run: never };
  const suite = defineSuite({
    name: 'planned',
    question: 'What is run?',
    pace: { full: { rounds: 2, measureMs: 7 }, quick: { scale: 0.5 } },
    arms: [...arms, heavy, once, long],
  });
  const planned = { suite, module: new URL('file:///planned.js') };
  const plan = (quick: boolean, suites = 2) =>
    planRuns([planned], { quick, everything: suites > 1 }, () => paceOf(suite, quick, suites));

  it('leaves out of a quick run what has no place there, says why, and counts the rest', () => {
    const reasons = plan(true).map(({ skipped }) => skipped);
    expect(reasons).to.deep.equal([undefined, undefined, reasons[2], undefined, reasons[2]]);
    expect(reasons[2]).to.match(/^for the sake of two minutes/);
    expect(plan(false).map(({ skipped }) => skipped?.split(';')[0])).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
      'too long for a run of everything',
    ]);
    expect(plan(true, 1).every(({ skipped }) => skipped === undefined)).to.equal(true);
    expect(runsIn(plan(true))).to.equal(3);
    expect(runsIn(plan(false))).to.equal(7);
  });

  it('follows the pace of a suite, and gives more rounds to one that is played alone', () => {
    const [raw] = plan(false);
    expect(raw?.pace).to.include({ rounds: 2, measureMs: 7, scale: 1 });
    expect(plan(true)[0]?.pace).to.include({ rounds: 1, scale: 0.5 });
    expect(plan(true, 1)[0]?.pace.rounds).to.equal(3);
    expect(plan(false, 1)[0]?.pace).to.include({ rounds: 4, measureMs: 14 });
    expect(plan(false, 1)[3]?.pace.rounds).to.equal(1);
  });
});

describe('what can be believed of a row', () => {
  const row = { spread: 0.1, rounds: 2, samples: 2_000, p50: 1, p99: 2, p999: 3, cpuUs: 4 };

  it('is all of it when there are enough timings in each round', () => {
    expect(believable(row)).to.deep.equal({ spread: 0.1, p50: 1, p99: 2, p999: 3, cpuUs: 4 });
  });

  for (const [what, facts, left] of [
    ['no p99.9 of 999 timings', { samples: 1_998 }, ['spread', 'p50', 'p99', 'cpuUs']],
    ['no p99 of 99 timings', { samples: 198 }, ['spread', 'p50', 'cpuUs']],
    ['no median of what was timed as a whole', { samples: 2 }, ['spread', 'cpuUs']],
    ['no spread of one round', { rounds: 1 }, ['p50', 'p99', 'p999', 'cpuUs']],
    ['no processor time that nobody has measured', { cpuUs: 0 }, ['spread', 'p50', 'p99', 'p999']],
  ] as const) {
    it(`is ${what}`, () => expect(believable({ ...row, ...facts })).to.have.all.keys(...left));
  }
});

describe('bench table', () => {
  it('aligns its columns and ends each row with its ratio', async () => {
    const { rows } = await play((arm) => report(arm === 'raw' ? 45_123_456 : 15_000_000));
    expect(tableLines(found.suite, rows, palette)).to.deep.equal([
      'demo  How many?',
      '             value  unit        spread  p50 µs  p99 µs  p99.9  cpu µs  memory  ratio',
      '  raw   45,100,000  messages/s    ±0 %       1       –      –     0.5   40 MB',
      '  tell  15,000,000  messages/s    ±0 %       1       –      –     0.5   40 MB  0.332 of raw',
    ]);
  });

  it('is empty without rows', () => {
    expect(tableLines(found.suite, [], palette)).to.deep.equal([]);
  });

  for (const [value, text] of [
    [45_123_456, '45,100,000'],
    [412.4, '412'],
    [41.26, '41.3'],
    [0.022_41, '0.0224'],
    [0, '0'],
  ] as const) {
    it(`shows ${value} as ${text}`, () => expect(readableValue(value)).to.equal(text));
  }
});

describe('bench JSON', () => {
  it('holds machine, node, commit, results and ratios', async () => {
    const { rows } = await play((arm) => report(arm === 'raw' ? 3 : 1));
    const record = benchRecord({ machine: 'm', node: 'n', commit: 'c', quick: true }, rows);
    expect(record).to.have.all.keys('machine', 'node', 'commit', 'quick', 'results', 'ratios');
    expect(record.results[1]).to.include({
      suite: 'demo',
      name: 'tell',
      unit: 'messages/s',
      value: 1,
      samples: 15,
      p50: 1,
      p99: 2,
      sent: 30,
      processed: 30,
    });
    expect(record.ratios).to.deep.equal({ 'demo.tell/raw': 0.33333 });
  });
});
