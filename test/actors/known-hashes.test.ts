/** What an instance knows of ids, by their hashes. */
import { expect } from 'chai';
import { KnownHashes } from '../../src/actors/known-hashes.js';

describe('known hashes', () => {
  it('are found near the versions that the journal has told, whatever their sign and the gaps between them', () => {
    const known = new KnownHashes([
      [1, '5,-7;;0'],
      [12, ''],
      [12, ';2147483647;'],
      [0, '-2147483648'],
    ]);
    expect([5, -7, 0, 2_147_483_647, -2_147_483_648].map((hash) => known.near(hash))).to.deep.equal([
      [1],
      [1],
      [1],
      [12],
      [0],
    ]);
    for (const other of [7, 2, 57, -5]) expect(known.near(other)).to.deep.equal([]);
  });

  for (const others of [0, 1_000]) {
    it(`stand near each version of each id, when several have one hash, beside ${others} other ids`, () => {
      const known = new KnownHashes([
        [1, '5,5'],
        [9, '5;6'],
      ]);
      for (let n = 0; n < others; n += 1) known.add(100 + n, n);
      for (const near of [0, 20]) known.add(5, near);
      expect(new Set(known.near(5))).to.deep.equal(new Set([1, 9, 0, 20]));
      expect(known.near(6)).to.deep.equal([9]);
      for (let n = 0; n < others; n += 1) expect(known.near(100 + n)).to.deep.equal([n]);
    });
  }

  it('that are added before anything is asked stand beside those that were told', () => {
    const known = new KnownHashes([[3, '8']]);
    known.add(8, 4);
    known.add(1, 5);
    expect(known.near(8)).to.have.members([3, 4]);
    expect(known.near(1)).to.deep.equal([5]);
  });
});
