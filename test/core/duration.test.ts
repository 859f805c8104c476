/** Durations, as people write them. */
import { expect } from 'chai';
import { assert, double, nat, property } from 'fast-check';
import { parseDuration } from '../../src/core/duration.js';
import { expectRefusal } from '../expect-refusal.js';

const WHERE = 'actor tally: option "within"';

describe('parseDuration', () => {
  it('refuses what is no duration, and names the option, the value and the way out', () => {
    for (const value of [
      '',
      'soon',
      '10',
      '10 s',
      '-1s',
      '1e3ms',
      's',
      '.5s',
      '5.s',
      '10S',
      '1w',
      true,
      null,
      {},
      [],
      5n,
    ]) {
      expectRefusal(() => parseDuration(value, WHERE), WHERE, "'50ms', '10s', '1m', '2h', '2d'");
    }
    expectRefusal(() => parseDuration('soon', WHERE), "is 'soon'");
  });

  it('refuses negative numbers, NaN, and Infinity unless it may be asked for', () => {
    for (const value of [-1, NaN, Infinity, -Infinity]) expectRefusal(() => parseDuration(value, WHERE), String(value));
    expect(parseDuration(Infinity, WHERE, { infinite: true })).to.equal(Infinity);
    expectRefusal(() => parseDuration(NaN, WHERE, { infinite: true }), 'or Infinity');
  });

  it('refuses less than the least, and says how much that is', () => {
    expectRefusal(() => parseDuration('9ms', WHERE, { min: 10 }), "is '9ms'", 'at least 10 ms');
    expect(parseDuration('10ms', WHERE, { min: 10 })).to.equal(10);
  });

  it('takes a number as milliseconds', () => {
    assert(property(double({ min: 0, noNaN: true, noDefaultInfinity: true }), (ms) => parseDuration(ms, WHERE) === ms));
  });

  it('reads each unit: 1 d = 24 h = 1,440 m = 86,400 s', () => {
    expect(['50ms', '10s', '1m', '2h', '2d', '1.5s', '0s'].map((text) => parseDuration(text, WHERE))).to.deep.equal([
      50, 10_000, 60_000, 7_200_000, 172_800_000, 1_500, 0,
    ]);
    assert(
      property(nat(10_000), (days) => {
        const ms = parseDuration(`${days}d`, WHERE);
        return [`${days * 24}h`, `${days * 1_440}m`, `${days * 86_400}s`].every(
          (text) => parseDuration(text, WHERE) === ms,
        );
      }),
    );
  });
});
