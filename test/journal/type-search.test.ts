/** A page that is not parsed holds none of the types: whatever they are called, and whatever stands in the data. */
import { expect } from 'chai';
import { array, assert, constantFrom, integer, property, record, string, uniqueArray } from 'fast-check';
import { TypeSearch } from '../../src/journal/type-search.js';

const page = (types: readonly string[], data: unknown = null): string =>
  JSON.stringify(types.map((type, i) => ['thing', 'a', i + 1, type, 1, data, 'c', 'c', null, null, null, null]));

describe('TypeSearch', () => {
  it('passes over no page with one of its types, in whatever order pages come', () => {
    const odd = constantFrom('a.b', 'a+b', '(', '\\', '"', 'é', '\u2028', '\ud800', '[^', '$', 'a|b', '');
    const name = string({ maxLength: 6, unit: 'binary' });
    assert(
      property(
        uniqueArray(odd, { maxLength: 4 }),
        uniqueArray(name, { maxLength: 4 }),
        array(record({ types: array(odd, { maxLength: 3 }), times: integer({ min: 1, max: 20 }) }), { maxLength: 20 }),
        (some, others, pages) => {
          const wanted = new Set([...some, ...others]);
          const search = new TypeSearch(wanted);
          for (const { types, times } of pages) {
            for (let i = 0; i < times; i += 1) {
              if (types.some((type) => wanted.has(type))) expect(search.mayHold(page(types))).to.equal(true);
            }
          }
          for (const type of wanted) expect(search.mayHold(page(['x', type]))).to.equal(true);
        },
      ),
    );
  });

  it('passes over pages without its types, and again after a time in which each page had one', () => {
    const search = new TypeSearch(new Set(['wanted', 'a.c']));
    expect(search.mayHold(page(['other', 'abc', 'wanted?']))).to.equal(false);
    for (let i = 0; i < 100; i += 1) expect(search.mayHold(page(['wanted']))).to.equal(true);
    let passedOver = 0;
    for (let i = 0; i < 1_000; i += 1) if (!search.mayHold(page(['other']))) passedOver += 1;
    expect(passedOver).to.be.greaterThan(700);
  });

  it('of no types finds nothing', () => {
    expect(new TypeSearch(new Set()).mayHold(page(['any']))).to.equal(false);
  });
});
