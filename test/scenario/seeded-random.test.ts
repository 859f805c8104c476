/**
 * Chance from a seed.
 */
import { expect } from 'chai';
import { seededRandom } from '../../src/scenario/seeded-random.js';

function take(seed: number, count: number): number[] {
  const next = seededRandom(seed);
  return Array.from({ length: count }, next);
}

describe('seeded random', () => {
  it('gives the same numbers for the same seed, on every version of the package', () => {
    expect(take(1, 3)).to.deep.equal([0.3946724931250869, 0.1477500889354657, 0.16688351314326166]);
    expect(take(Number.MAX_SAFE_INTEGER, 1)).to.deep.equal([0.2871189810310325]);
  });

  it('gives other numbers for another seed, 0 too', () => {
    const firsts = [0, 1, 2, 3, 4_294_967_296].map((seed) => take(seed, 1)[0]);
    expect(new Set(firsts).size).to.equal(5);
  });

  it('stays within [0, 1) and is even: each of ten classes gets 10,000 of 100,000 numbers, give or take 4 %', () => {
    const classes = Array.from({ length: 10 }, () => 0);
    for (const number of take(7, 100_000)) {
      expect(number >= 0 && number < 1).to.equal(true);
      const index = Math.floor(number * 10);
      classes[index] = (classes[index] ?? 0) + 1;
    }
    for (const count of classes) expect(count).to.be.within(9_600, 10_400);
  });
});
