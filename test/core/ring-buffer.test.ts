/** The ring buffer against a plain array. */
import { expect } from 'chai';
import { array, assert, constant, constantFrom, integer, oneof, property, tuple } from 'fast-check';
import { RingBuffer } from '../../src/core/ring-buffer.js';

describe('RingBuffer', () => {
  it('is empty at first: nothing to shift, peek or drain', () => {
    const ring = new RingBuffer<number>();
    expect([ring.size, ring.shift(), ring.peek(), ring.drain()]).to.deep.equal([0, undefined, undefined, []]);
  });

  it('does what an array does, whatever the order of calls and the capacity it began with', () => {
    const call = oneof(
      { weight: 5, arbitrary: tuple(constantFrom('push', 'unshift'), integer()) },
      { weight: 3, arbitrary: tuple(constantFrom('shift', 'peek'), constant(0)) },
      { weight: 1, arbitrary: tuple(constant('drain'), constant(0)) },
    );
    assert(
      property(integer({ min: 0, max: 40 }), array(call, { maxLength: 200 }), (capacity, calls) => {
        const ring = new RingBuffer<number>(capacity);
        let model: number[] = [];
        for (const [name, item] of calls) {
          if (name === 'push') {
            ring.push(item);
            model.push(item);
          } else if (name === 'unshift') {
            ring.unshift(item);
            model.unshift(item);
          } else if (name === 'shift') expect(ring.shift()).to.equal(model.shift());
          else if (name === 'peek') expect(ring.peek()).to.equal(model[0]);
          else {
            expect(ring.drain()).to.deep.equal(model);
            model = [];
          }
          expect(ring.size).to.equal(model.length);
          for (const index of [0, 1, model.length - 1, model.length, model.length + 9]) {
            if (index >= 0) expect(ring.at(index)).to.equal(model[index]);
          }
        }
        expect(ring.drain()).to.deep.equal(model);
      }),
      { numRuns: 500 },
    );
  });
});
