/** Who may begin: bounded in total, by key and by time, in order, and nobody is forgotten. */
import { expect } from 'chai';
import { array, assert, constantFrom, integer, oneof, property, record, constant } from 'fast-check';
import { Admission } from '../../src/sagas/admission.js';
import { AskGate } from '../../src/sagas/ask-gate.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';

function admission(total: number, perKey: number, rate?: { starts: number; perMs: number }, clock = new ManualClock()) {
  const woken = { times: 0 };
  const one = new Admission({ concurrency: { total, perKey, key: undefined }, rate, asks: undefined }, clock, () => {
    woken.times += 1;
  });
  const takeAll = (): string[] => {
    const all: string[] = [];
    for (let saga = one.next(); saga !== undefined; saga = one.next()) all.push(saga);
    return all;
  };
  return { one, woken, takeAll, clock };
}

describe('the admission of sagas', () => {
  it('lets them begin in order, so many in total, and the next one when one has ended', () => {
    const { one, takeAll } = admission(2, Infinity);
    for (const saga of ['a', 'b', 'c', 'd']) one.offer(saga, '');
    expect(takeAll()).to.deep.equal(['a', 'b']);
    expect(one.blocked).to.equal(true);
    one.release('a');
    expect(takeAll()).to.deep.equal(['c']);
    expect(one.waiting).to.equal(1);
  });

  it('lets so many of a key begin, and holds up no other key', () => {
    const { one, takeAll } = admission(Infinity, 1);
    for (const saga of ['x1', 'x2', 'y1', 'x3', 'z1']) one.offer(saga, saga.slice(0, 1));
    expect(takeAll()).to.deep.equal(['x1', 'y1', 'z1']);
    one.release('y1');
    expect(takeAll()).to.deep.equal([]);
    one.release('x1');
    expect(takeAll()).to.deep.equal(['x2']);
  });

  it('counts one that is brought before its turn, and lets it begin once', () => {
    const { one, takeAll } = admission(1, 1);
    for (const saga of ['a', 'b', 'c']) one.offer(saga, saga === 'c' ? 'other' : 'k');
    expect(takeAll()).to.deep.equal(['a']);
    one.hold('b', 'k');
    one.hold('c', 'other');
    one.release('a');
    expect(takeAll()).to.deep.equal([]);
    one.release('b');
    one.release('c');
    one.offer('d', 'k');
    expect(takeAll()).to.deep.equal(['d']);
    expect(one.waiting).to.equal(0);
  });

  it('never lets more than the rate begin within any such time, and wakes when another one may', async () => {
    const { one, takeAll, clock, woken } = admission(Infinity, Infinity, { starts: 3, perMs: 100 });
    for (let i = 0; i < 7; i += 1) one.offer(`s${i}`, '');
    expect(takeAll()).to.deep.equal(['s0', 's1', 's2']);
    expect(one.blocked, 'it only needs time').to.equal(false);
    await clock.advance(99);
    expect(takeAll()).to.deep.equal([]);
    await clock.advance(1);
    expect(woken.times).to.equal(1);
    expect(takeAll()).to.deep.equal(['s3', 's4', 's5']);
    one.end();
    expect(clock.pending).to.equal(0);
  });

  it('agrees with its limits after any story, and lets everybody begin once in the end', () => {
    const saga = integer({ min: 0, max: 11 });
    const step = oneof(
      record({ do: constant('offer' as const), saga }),
      record({ do: constant('hold' as const), saga }),
      record({ do: constant('release' as const), saga }),
      record({ do: constantFrom('next' as const), saga }),
    );
    const laneOf = (name: string): string => String(Number(name) % 3);
    assert(
      property(array(step, { maxLength: 80 }), integer({ min: 1, max: 4 }), (story, total) => {
        const { one } = admission(total, 2);
        const offered = new Set<string>();
        const working = new Set<string>();
        const forced = new Set<string>();
        const check = (): void => {
          const admitted = [...working].filter((name) => !forced.has(name));
          expect(admitted.length).to.be.at.most(total);
          for (const lane of ['0', '1', '2']) {
            expect(admitted.filter((name) => laneOf(name) === lane).length).to.be.at.most(2);
          }
        };
        for (const { do: what, saga: number } of story) {
          const name = String(number);
          if (what === 'offer' && !working.has(name)) {
            one.offer(name, laneOf(name));
            offered.add(name);
          } else if (what === 'hold') {
            one.hold(name, laneOf(name));
            if (!working.has(name)) forced.add(name);
            working.add(name);
            offered.delete(name);
          } else if (what === 'release' && working.has(name)) {
            one.release(name);
            working.delete(name);
            forced.delete(name);
          } else if (what === 'next') {
            const next = one.next();
            if (next !== undefined) {
              expect(offered.delete(next), `${next} was offered`).to.equal(true);
              working.add(next);
            }
          }
          check();
          expect(one.waiting).to.equal(offered.size);
        }
        for (let guard = 0; offered.size > 0 && guard < 100; guard += 1) {
          for (const name of working) one.release(name);
          working.clear();
          forced.clear();
          for (let next = one.next(); next !== undefined; next = one.next()) {
            offered.delete(next);
            working.add(next);
          }
        }
        expect([...offered]).to.deep.equal([]);
      }),
    );
  });
});

describe('the gate of asks', () => {
  it('lets so many be under way to an instance, a definition and in total, the others in order', async () => {
    const gate = new AskGate({ total: 3, perDefinition: 2, perInstance: 1 });
    const passed: string[] = [];
    const enter = (target: string, id: string, name: string): void => {
      const wait = gate.enter(target, id);
      if (wait === undefined) passed.push(name);
      else void wait.then(() => passed.push(name));
    };
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    enter('bank', '1', 'bank/1');
    enter('bank', '1', 'bank/1 again');
    enter('bank', '2', 'bank/2');
    enter('bank', '3', 'bank/3');
    enter('shop', '1', 'shop/1');
    enter('shop', '2', 'shop/2');
    await settle();
    expect(passed).to.deep.equal(['bank/1', 'bank/2', 'shop/1']);
    gate.leave('bank', '2');
    await settle();
    expect(passed.slice(3)).to.have.length(1);
    gate.leave('bank', '1');
    gate.leave('shop', '1');
    await settle();
    // The last three are under way now, which is what the total allows.
    expect(passed.toSorted()).to.deep.equal(['bank/1', 'bank/1 again', 'bank/2', 'bank/3', 'shop/1', 'shop/2']);
  });
});
