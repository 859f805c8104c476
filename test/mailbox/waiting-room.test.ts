/** The waiting room against a plain array. */
import { expect } from 'chai';
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { Envelope } from '../../src/core/envelope.js';
import { WaitingRoom } from '../../src/mailbox/waiting-room.js';

describe('WaitingRoom', () => {
  it('does what an array does, whoever leaves and whenever', () => {
    const call = record({
      do: constantFrom('add', 'add', 'next', 'leave', 'leave', 'drain'),
      which: integer({ min: 0, max: 60 }),
    });
    assert(
      property(array(call, { maxLength: 300 }), (calls) => {
        const room = new WaitingRoom();
        const known: Envelope[] = [];
        let model: Envelope[] = [];
        for (const { do: what, which } of calls) {
          if (what === 'add') {
            const one = new Envelope('t', 'a', 'm', which, undefined);
            known.push(one);
            model.push(one);
            room.add(one);
          } else if (what === 'next') expect(room.next()).to.equal(model.shift());
          else if (what === 'leave') {
            const one = known[which % Math.max(1, known.length)];
            if (one === undefined) continue;
            expect(room.leave(one)).to.equal(model.includes(one));
            model = model.filter((other) => other !== one);
          } else if (which === 0) {
            expect(room.drain()).to.deep.equal(model);
            model = [];
          }
          expect(room.size).to.equal(model.length);
        }
        expect(room.drain()).to.deep.equal(model);
      }),
      { numRuns: 300 },
    );
  });
});
