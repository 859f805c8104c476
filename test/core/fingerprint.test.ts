/** Fingerprints: the same for the same content, different for any other. */
import { expect } from 'chai';
import { assert, jsonValue, property, string } from 'fast-check';
import { fingerprint, hashText } from '../../src/core/fingerprint.js';

/** The value with the fields of all its objects in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}

/** One text for values that are equal, whatever the order of their fields. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '0' : JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join(',')}}`;
}

describe('fingerprint', () => {
  it('does not depend on the order of fields, nor on undefined ones', () => {
    assert(property(jsonValue(), (value) => fingerprint(value) === fingerprint(reversed(value))));
    expect(fingerprint({ a: 1, b: undefined })).to.equal(fingerprint({ a: 1 }));
  });

  it('depends on everything else', () => {
    assert(
      property(
        jsonValue(),
        jsonValue(),
        (a, b) => (fingerprint(a) === fingerprint(b)) === (canonical(a) === canonical(b)),
      ),
      { numRuns: 5_000 },
    );
  });

  it('tells apart what looks alike', () => {
    const alike: readonly unknown[] = [
      undefined,
      null,
      false,
      true,
      0,
      1,
      -1,
      '0',
      '1',
      '',
      'null',
      'true',
      [],
      {},
      [[]],
      [{}],
      [null],
      [0],
      ['0'],
      [[0]],
      { a: {} },
      { a: [] },
      { a: null },
      { a: 0 },
      { a: '0' },
      { 0: 1 },
      [1],
      [1, 0],
      [0, 1],
      [[1], 0],
      [1, [0]],
      1.5,
      '1.5',
      { a: 1, b: 2 },
      { a: 2, b: 1 },
      { a: { b: 1 } },
      { b: { a: 1 } },
      { ab: 1 },
      { a: 1 },
      { a: 1, b: 1 },
      { b: 1 },
      { a: { a: 1 }, b: {} },
      { a: {}, b: { a: 1 } },
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32,
      -(2 ** 31),
      2 ** 53,
      1e300,
      -1e300,
      [[1, 2], [3]],
      [[1], [2, 3]],
      [1, 2, 3],
      [3, 2, 1],
      { __proto__: null, a: 3 },
      JSON.parse('{"__proto__":1}'),
    ];
    expect(new Set(alike.map(fingerprint)).size).to.equal(alike.length);
  });

  it('meets a collision no more often than 32 bits have to: none among 20,000 small values', () => {
    const prints = new Set<number>();
    for (let a = 0; a < 100; a += 1) {
      for (let b = 0; b < 200; b += 1) prints.add(fingerprint({ sku: `S${a}`, quantity: b, price: b * 10 }));
    }
    expect(prints.size).to.be.at.least(20_000 - 1);
  });
});

describe('hashText', () => {
  it('is a signed 32-bit integer', () => {
    assert(property(string({ unit: 'binary' }), (text) => hashText(text) === (hashText(text) | 0)));
  });
});
