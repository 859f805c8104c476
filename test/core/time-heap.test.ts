import { expect } from 'chai';
import { array, assert, constant, nat, oneof, property, record } from 'fast-check';
import { TimeHeap } from '../../src/core/time-heap.js';

const step = oneof(
  record({ push: nat(50) }),
  record({ pop: constant(true) }),
  record({ keepBelow: nat(50) }),
  record({ cutTo: nat(20) }),
);

describe('a heap of times', () => {
  it('gives the first one, as a sorted list would, whatever is put in, taken out, given up and cut', () => {
    assert(
      property(array(step, { maxLength: 200 }), (story) => {
        const heap = new TimeHeap<{ readonly at: number }>(({ at }) => at);
        let model: number[] = [];
        for (const one of story) {
          if ('push' in one) {
            heap.push({ at: one.push });
            model = [...model, one.push].sort((a, b) => a - b);
          } else if ('pop' in one) {
            expect(heap.pop()?.at).to.equal(model.shift());
          } else if ('keepBelow' in one) {
            heap.keepOnly(({ at }) => at < one.keepBelow);
            model = model.filter((at) => at < one.keepBelow);
          } else {
            const { last, beyond } = heap.cutTo(one.cutTo);
            expect(beyond.map(({ at }) => at)).to.deep.equal(model.splice(one.cutTo));
            expect(last?.at).to.equal(model.at(-1));
          }
          expect(heap.size).to.equal(model.length);
          expect(heap.peek()?.at).to.equal(model[0]);
        }
      }),
    );
  });
});
