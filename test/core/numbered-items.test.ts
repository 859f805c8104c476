/** Items under numbers, against a plain map. */
import { expect } from 'chai';
import { array, assert, constantFrom, integer, property, tuple } from 'fast-check';
import { NumberedItems } from '../../src/core/numbered-items.js';

interface Item {
  readonly name: string;
}

describe('NumberedItems', () => {
  it('does what a map does, whatever is taken when, and whichever numbers are left out', () => {
    const call = tuple(constantFrom('add', 'add', 'add', 'run', 'take', 'take', 'gap', 'clear'), integer({ min: 0 }));
    assert(
      property(array(call, { maxLength: 200 }), (calls) => {
        const items = new NumberedItems<Item>();
        const model = new Map<number, Item>();
        let last = 0;
        const add = (): void => {
          last += 1;
          const item = { name: `item ${last}` };
          items.add(last, item);
          model.set(last, item);
        };
        for (const [name, chance] of calls) {
          if (name === 'add') add();
          else if (name === 'run') for (let i = chance % 300; i > 0; i -= 1) add();
          else if (name === 'gap') last += chance % 200;
          else if (name === 'clear' && chance % 4 === 0) {
            items.clear();
            model.clear();
          } else {
            // The oldest ones, in a row or not, so that some stay behind.
            const from = chance % 7 === 0 ? chance % (last + 2) : (model.keys().next().value ?? 0) + (chance % 3);
            for (let number = from; number < from + (chance % 150); number += 1 + (chance % 2)) {
              expect(items.get(number)).to.equal(model.get(number));
              expect(items.take(number)).to.equal(model.get(number));
              model.delete(number);
            }
          }
          expect(items.size).to.equal(model.size);
        }
        expect([...items]).to.deep.equal([...model]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps one that waits while a million pass, by its number and before all others', () => {
    const items = new NumberedItems<Item>();
    const slow = { name: 'slow' };
    items.add(1, slow);
    for (let number = 2; number < 1_000_000; number += 1) {
      items.add(number, { name: 'quick' });
      if (number > 100) items.take(number - 50);
    }
    expect([...items][0]).to.deep.equal([1, slow]);
    expect(items.take(1)).to.equal(slow);
    expect(items.take(1)).to.equal(undefined);
  });

  it('goes on as before when so many as make a large ring have waited and are taken', () => {
    const items = new NumberedItems<Item>();
    for (let number = 1; number <= 40_000; number += 1) items.add(number, { name: 'one of many' });
    for (let number = 40_000; number > 0; number -= 1) expect(items.take(number)?.name).to.equal('one of many');
    expect(items.size).to.equal(0);
    items.add(50_000, { name: 'next' });
    expect([...items].map(([number]) => number)).to.deep.equal([50_000]);
  });
});
