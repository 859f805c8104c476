import { expect } from 'chai';
import { CsvRecords } from '../../scenarios/retail/csv-records.js';

/** What comes of a text with three columns: records as they are, broken ones as `line: problem`. */
function read(text: string): (readonly string[] | string)[] {
  const seen: (readonly string[] | string)[] = [];
  const records = new CsvRecords(3, {
    record: (fields) => seen.push(fields),
    broken: (problem, line) => seen.push(`${line}: ${problem}`),
  });
  for (const line of text.split('\n')) records.push(line);
  records.end();
  return seen;
}

const neverClosed = 'a quote is opened and never closed';

describe('CSV records', () => {
  it('are lines split at commas', () =>
    expect(read('a,b,c\nd,,f')).to.deep.equal([
      ['a', 'b', 'c'],
      ['d', '', 'f'],
    ]));

  it('leave out empty lines, but count them', () => {
    expect(read('a,b,c\n\n\n4,"x"y,z')[1]).to.match(/^4: text follows a closing quote/);
  });

  it('take commas and doubled quotes in a quoted field', () => {
    expect(read('1,"a, ""b"" c",3')).to.deep.equal([['1', 'a, "b" c', '3']]);
  });

  it('go over several lines in a quoted field', () => {
    expect(read('1,"two\nlines",3\n4,5,6')).to.deep.equal([
      ['1', 'two\nlines', '3'],
      ['4', '5', '6'],
    ]);
  });

  it('lose one row by a quote that is never closed, not the rest of the file', () => {
    expect(read('1,"b,c\n2,b,c\n3,b,c')).to.deep.equal([`1: ${neverClosed}`, ['2', 'b', 'c'], ['3', 'b', 'c']]);
  });

  it('lose one row by an open quote before a row with good quotes', () => {
    expect(read('1,"b,c\n2,"b",c\n3,b,c')).to.deep.equal([`1: ${neverClosed}`, ['2', 'b', 'c'], ['3', 'b', 'c']]);
  });

  it('lose two rows by two open quotes, not those between', () => {
    expect(read('1,"b,c\n2,b,c\n3,"b,c\n4,b,c')).to.deep.equal([
      `1: ${neverClosed}`,
      ['2', 'b', 'c'],
      `3: ${neverClosed}`,
      ['4', 'b', 'c'],
    ]);
  });

  it('do not join an open quote with the stray quote of a row behind it', () => {
    const [first, second] = read('1,"b,c\n2,b",c\n3,b,c');
    expect(first).to.equal(`1: ${neverClosed}`);
    expect(second).to.match(/^2: a quote stands inside a field/);
  });

  it('lose one row by an open quote in the last line', () => {
    expect(read('1,b,c\n2,"b,c')).to.deep.equal([['1', 'b', 'c'], `2: ${neverClosed}`]);
  });

  it('read lines anew that an open quote had held', () => {
    expect(read('1,"b,c\nx\ny\n4,b,c')).to.deep.equal([`1: ${neverClosed}`, ['x'], ['y'], ['4', 'b', 'c']]);
  });

  it('look at most 20 lines ahead for the end of a quote', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    expect(read(`1,"b,c\n${lines.join('\n')}\n","`))
      .to.have.length(32)
      .and.include(`1: ${neverClosed}`);
  });

  it('come with other numbers of columns as they are', () =>
    expect(read('a\na,b,c,d')).to.deep.equal([['a'], ['a', 'b', 'c', 'd']]));
});
