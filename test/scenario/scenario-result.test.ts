/**
 * Checks and the JSON line.
 */
import { inspect } from 'node:util';
import { expect } from 'chai';
import { assertThat, compare, resultLine, type ScenarioResult } from '../../src/scenario/scenario-result.js';

const result: ScenarioResult = {
  scenario: 'retail',
  ok: true,
  seconds: 2.5,
  events: 5_000,
  eventsPerSecond: 2_000,
  workers: 0,
  checks: [],
  totals: { rows: 5_331 },
};

describe('scenario result', () => {
  it('is one line with exactly the documented keys, in their order', () => {
    const line = resultLine({ ...result, checks: [assertThat('a', true, 'seen')] });
    expect(line).to.equal(
      '{"scenario":"retail","ok":true,"seconds":2.5,"events":5000,"eventsPerSecond":2000,"workers":0,' +
        '"checks":[{"name":"a","ok":true,"expected":true,"actual":true}],"totals":{"rows":5331}}',
    );
  });

  it('carries JSON values as they are, and writes out what JSON has no form for', () => {
    const values = [undefined, Number.NaN, 1n, new Map([['a', 1]]), { a: undefined }, null, [1, { b: 'two\nlines' }]];
    const line = resultLine({ ...result, checks: values.map((value) => compare('v', value, value)) });
    expect(line).to.not.include('\n');
    const parsed: { checks: { actual: unknown }[] } = JSON.parse(line);
    expect(parsed.checks.map(({ actual }) => actual)).to.deep.equal([
      'undefined',
      'NaN',
      '1n',
      "Map(1) { 'a' => 1 }",
      '{ a: undefined }',
      null,
      [1, { b: 'two\nlines' }],
    ]);
  });

  it('compares deeply and strictly', () => {
    expect(compare('c', { a: [1, 2] }, { a: [1, 2] }).ok).to.equal(true);
    expect(compare('c', Number.NaN, Number.NaN).ok).to.equal(true);
    for (const [expected, actual] of [
      [1, '1'],
      [0, -0],
      [{ a: 1 }, { a: 1, b: 2 }],
      [null, undefined],
      [
        [1, 2],
        [2, 1],
      ],
    ]) {
      expect(compare('c', expected, actual).ok, inspect(actual)).to.equal(false);
    }
  });

  it('takes only true for true, and reports the detail of what failed', () => {
    expect(assertThat('a', true)).to.deep.equal({ name: 'a', ok: true, expected: true, actual: true });
    expect(assertThat('a', false)).to.deep.include({ ok: false, actual: false });
    expect(assertThat('a', false, '-3 of 85123A')).to.deep.include({
      ok: false,
      expected: true,
      actual: '-3 of 85123A',
    });
    for (const value of [1, 'yes', undefined, {}]) expect(assertThat('a', value).ok).to.equal(false);
  });
});
