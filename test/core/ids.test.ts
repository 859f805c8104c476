/** Ids: counted ones are new each time, derived ones are the same for the same cause and for no other. */
import { expect } from 'chai';
import { assert, constantFrom, integer, oneof, property, record, string, stringMatching } from 'fast-check';
import { derivedCommandId, eventId, randomIds } from '../../src/core/ids.js';

/** Texts made of the characters that stand between the parts of an id, and of what escapes look like. */
const nasty = oneof(
  string({ unit: constantFrom('/', '@', '>', '<', '#', '%', '2', 'f', '3', 'e', '1', 'a') }),
  string({ unit: 'binary' }),
  constantFrom('__proto__', 'a/b@1>x#2', '%2f', '/', ''),
);
const name = stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,5}$/);

describe('derivedCommandId', () => {
  it('never collides: two causes have one id only if they are the same', () => {
    const cause = record({
      eventId: oneof(nasty, string({ unit: constantFrom('a', '/', '@', '<', '1') })),
      reaction: name,
      target: name,
      targetId: nasty,
      type: nasty,
      nth: integer({ min: 0, max: 12 }),
    });
    assert(
      property(cause, cause, (a, b) => {
        const same = JSON.stringify(Object.values(a)) === JSON.stringify(Object.values(b));
        return (derivedCommandId(a) === derivedCommandId(b)) === same;
      }),
      { numRuns: 5_000 },
    );
  });

  it('can be read back, so it is one to one', () => {
    const cause = record({
      eventId: nasty,
      reaction: name,
      target: name,
      targetId: nasty,
      type: nasty,
      nth: integer({ min: 0 }),
    });
    const unescape = (text: string): string =>
      text.replace(/%([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    assert(
      property(cause, (given) => {
        const parts = /^([^>]*)>([^/]*)\/([^>]*)>([^#]*)#(\d+)<([^]*)$/.exec(derivedCommandId(given));
        const [, reaction, target, targetId = '', type = '', nth, id] = parts ?? [];
        expect({
          eventId: id,
          reaction,
          target,
          targetId: unescape(targetId),
          type: unescape(type),
          nth: Number(nth),
        }).to.deep.equal(given);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('eventId', () => {
  it('never collides: versions of different aggregates have different ids', () => {
    const place = record({ aggregate: name, id: nasty, version: integer({ min: 1, max: 30 }) });
    assert(
      property(place, place, (a, b) => {
        const same = a.aggregate === b.aggregate && a.id === b.id && a.version === b.version;
        return (eventId(a.aggregate, a.id, a.version) === eventId(b.aggregate, b.id, b.version)) === same;
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('randomIds', () => {
  it('are new each time, and begin differently in each system', () => {
    const one = randomIds();
    const other = randomIds();
    const ids = Array.from({ length: 1_000 }, () => [one(), other()]).flat();
    expect(new Set(ids).size).to.equal(2_000);
  });
});
