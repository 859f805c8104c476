/**
 * The statistics that the benches show.
 */
import { expect } from 'chai';
import { median, quantile, sorted, spread } from '../../bench/harness/statistics.js';

describe('bench statistics', () => {
  it('takes the middle of an odd number of values, and the mean of the two middle ones of an even number', () => {
    expect(median([9, 1, 5])).to.equal(5);
    expect(median([9, 1, 5, 6])).to.equal(5.5);
  });

  it('takes the 99th of 101 values, counted from 0, as their 0.99 quantile', () => {
    const values = sorted(Array.from({ length: 101 }, (_, i) => 100 - i));
    expect(quantile(values, 0.99)).to.equal(99);
    expect(quantile(values, 0)).to.equal(0);
    expect(quantile(values, 1)).to.equal(100);
  });

  it('interpolates between two values', () => {
    expect(quantile([10, 20], 0.75)).to.equal(17.5);
  });

  it('knows no quantile of nothing', () => {
    expect(quantile([], 0.5)).to.be.NaN;
  });

  it('calls 90, 100, 110 a spread of 10 %', () => {
    expect(spread([110, 90, 100])).to.be.closeTo(0.1, 1e-12);
  });

  it('calls one value, and no value, a spread of nothing', () => {
    expect(spread([7])).to.equal(0);
    expect(spread([])).to.equal(0);
  });
});
