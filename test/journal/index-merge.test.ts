/** The rows of a merge as one text, made in slices. */
import { expect } from 'chai';
import { IndexMerge, type RowsToMerge } from '../../src/journal/index-merge.js';

const COUNT = 100;

/** Rows of aggregates whose numbers come in no order. */
function someRows(): Map<number, RowsToMerge> {
  const rows = new Map<number, RowsToMerge>();
  for (let i = 0; i < COUNT; i += 1) {
    const stream = ((i * 37) % COUNT) + 1;
    const pages = [1, i + 10, 3, i + 20];
    rows.set(stream, { stream, firstVersion: 1, lastVersion: 3, pages, hashes: ['7,8', ''], older: undefined });
  }
  return rows;
}

describe('a merge of the index', () => {
  it('is one text in the order of the aggregates, whatever slices it was made of', () => {
    const texts = [1, 7, COUNT - 1, COUNT, 10 * COUNT].map((slice) => {
      const merge = new IndexMerge(someRows(), 50);
      let calls = 1;
      while (!merge.encode(slice)) calls += 1;
      expect(calls).to.equal(Math.ceil(COUNT / slice));
      return merge.text;
    });
    expect(new Set(texts)).to.have.property('size', 1);
    const rows = JSON.parse(texts[0] ?? '') as (readonly [
      number,
      number,
      number,
      number,
      string,
      number,
      string,
      number,
    ])[];
    expect(rows.map(([stream]) => stream)).to.deep.equal(Array.from({ length: COUNT }, (_, i) => i + 1));
    const [, firstVersion, lastVersion, firstPosition, pages, , hashes] = rows[0] ?? [];
    expect([firstVersion, lastVersion, firstPosition, pages, hashes]).to.deep.equal([1, 3, 10, '1,10,3,20', '7,8;']);
  });

  it('has the rows of an aggregate in ascending order, though they are found from the newest on', () => {
    let older: RowsToMerge | undefined;
    for (let n = 1; n <= 5; n += 1)
      older = { stream: 7, firstVersion: n, lastVersion: n, pages: [n, n], hashes: ['1'], older };
    const rows = someRows();
    rows.set(7, older ?? expect.fail());
    for (const slice of [1, 6, 8, 1_000]) {
      const merge = new IndexMerge(rows, 50);
      while (!merge.encode(slice));
      const places = (JSON.parse(merge.text ?? '') as [number, number][]).map(([stream, first]) => [stream, first]);
      expect(places).to.deep.equal([
        ...Array.from({ length: 6 }, (_, i) => [i + 1, 1]),
        ...Array.from({ length: 5 }, (_, i) => [7, i + 1]),
        ...Array.from({ length: COUNT - 7 }, (_, i) => [i + 8, 1]),
      ]);
    }
  });

  it('encodes nothing twice when it is asked again, as after a commit that failed', () => {
    const merge = new IndexMerge(someRows(), 50);
    expect(merge.encode(COUNT)).to.equal(true);
    const { text } = merge;
    expect(merge.encode(COUNT)).to.equal(true);
    expect(merge.text).to.equal(text);
  });

  it('of nothing is no text', () => {
    const merge = new IndexMerge(new Map(), 50);
    expect(merge.encode(1)).to.equal(true);
    expect(merge.text).to.equal(null);
  });
});
