/** Laws of the rows kept in memory. */
import { expect } from 'chai';
import { RowCache } from '../../src/projections/row-cache.js';

describe('RowCache', () => {
  it('tells a row that is known not to exist from one of which nothing is known', () => {
    const cache = new RowCache(10);
    cache.set('a', { id: 'a' });
    cache.set('b', null);
    expect(cache.get('a')).to.deep.equal({ id: 'a' });
    expect(cache.get('b')).to.equal(null);
    expect(cache.get('c')).to.equal(undefined);
  });

  it('never holds more than its capacity of 100, and drops those that were not set for the longest time', () => {
    const cache = new RowCache(100);
    for (let i = 0; i < 1_000; i += 1) {
      cache.set(`kept`, null);
      cache.set(`row${i}`, null);
      expect(cache.size).to.be.at.most(100);
    }
    expect(cache.get('kept')).to.equal(null);
    expect(cache.get('row999')).to.equal(null);
    expect(cache.get('row960')).to.equal(null);
    expect(cache.get('row800')).to.equal(undefined);
  });

  it('of an empty table it knows which rows there are not, until it has dropped one or was cleared', () => {
    const cache = new RowCache(10, true);
    expect(cache.get('a')).to.equal(null);
    for (let i = 0; i < 9; i += 1) cache.set(i, { id: i });
    expect(cache.get('a')).to.equal(null);
    expect(cache.get(0)).to.deep.equal({ id: 0 });
    cache.set(9, { id: 9 });
    expect(cache.get('a')).to.equal(undefined);
    const cleared = new RowCache(10, true);
    cleared.clear();
    expect(cleared.get('a')).to.equal(undefined);
  });

  it('holds fewer rows once it is made smaller, and more again once it is larger', () => {
    const cache = new RowCache(1_000);
    const fill = () => {
      for (let i = 0; i < 2_000; i += 1) cache.set(i, null);
    };
    fill();
    cache.resize(16);
    cache.set(1, null);
    expect(cache.size).to.be.at.most(16 + 500);
    fill();
    expect(cache.size).to.be.at.most(16);
    cache.resize(1_000);
    fill();
    expect(cache.size).to.be.greaterThan(400);
  });

  it('a row that was set again is the new one, also when the old one is still held', () => {
    const cache = new RowCache(4);
    cache.set('a', { n: 1 });
    cache.set('b', null);
    cache.set('a', { n: 2 });
    expect(cache.get('a')).to.deep.equal({ n: 2 });
    cache.set('a', null);
    expect(cache.get('a')).to.equal(null);
  });
});
