/** The rows of a merge, a slice at a time. */
import { expect } from 'chai';
import { IndexMerge, type MergeSlice, type RowsToMerge } from '../../src/journal/index-merge.js';

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

/** All slices, each of which is durable before the next one is asked for. */
function slicesOf(merge: IndexMerge, most: number): MergeSlice[] {
  const slices: MergeSlice[] = [];
  do slices.push(merge.slice(most));
  while (!merge.landed());
  return slices;
}

type Row = readonly [number, number, number, number, string, number, string, number];

function rowsIn({ text }: MergeSlice): Row[] {
  return text === null ? [] : (JSON.parse(text) as Row[]);
}

describe('a merge of the index', () => {
  it('is all rows in the order of the aggregates, whatever slices it is made of, each of which says how far it gets', () => {
    for (const most of [1, 7, COUNT - 1, COUNT, 10 * COUNT]) {
      const slices = slicesOf(new IndexMerge(someRows(), 50), most);
      const rows = slices.flatMap(rowsIn);
      expect(rows.map(([stream]) => stream)).to.deep.equal(Array.from({ length: COUNT }, (_, i) => i + 1));
      const [, firstVersion, lastVersion, firstPosition, pages, , hashes] = rows[0] ?? [];
      expect([firstVersion, lastVersion, firstPosition, pages, hashes]).to.deep.equal([1, 3, 10, '1,10,3,20', '7,8;']);
      for (const [i, slice] of slices.entries()) {
        expect(slice.indexedTo).to.equal(50);
        expect(slice.below).to.equal(i + 1 < slices.length ? (i + 1) * most + 1 : undefined);
      }
    }
  });

  it('has the rows of an aggregate together and in ascending order, though they are found from the newest on', () => {
    let older: RowsToMerge | undefined;
    for (let n = 1; n <= 5; n += 1)
      older = { stream: 7, firstVersion: n, lastVersion: n, pages: [n, n], hashes: ['1'], older };
    const rows = someRows();
    rows.set(7, older ?? expect.fail());
    for (const most of [1, 6, 8, 1_000]) {
      const slices = slicesOf(new IndexMerge(rows, 50), most);
      expect(slices.flatMap(rowsIn).map(([stream, first]) => [stream, first])).to.deep.equal([
        ...Array.from({ length: 6 }, (_, i) => [i + 1, 1]),
        ...Array.from({ length: 5 }, (_, i) => [7, i + 1]),
        ...Array.from({ length: COUNT - 7 }, (_, i) => [i + 8, 1]),
      ]);
      expect(slices.filter((slice) => rowsIn(slice).some(([stream]) => stream === 7))).to.have.length(1);
    }
  });

  it('gives the same slice again as long as it is not durable', () => {
    const merge = new IndexMerge(someRows(), 50);
    const first = merge.slice(10);
    expect(merge.slice(10)).to.equal(first);
    expect(merge.slice(99)).to.equal(first);
    expect(merge.landed()).to.equal(false);
    expect(rowsIn(merge.slice(10))[0]?.[0]).to.equal(11);
  });

  it('of nothing is one slice without rows', () => {
    const [slice, ...others] = slicesOf(new IndexMerge(new Map(), 50), 1);
    expect([slice, others]).to.deep.equal([{ text: null, indexedTo: 50, below: undefined }, []]);
  });
});
