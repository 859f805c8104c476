/** Laws of values that cross threads: they arrive as what they were, whatever they are. */
import { expect } from 'chai';
import {
  anything,
  assert,
  bigInt,
  boolean,
  constant,
  constantFrom,
  date,
  double,
  integer,
  oneof,
  property,
  string,
} from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { checkMessage } from '../../src/actors/message-check.js';
import { exactValue } from '../../src/threads/exact-value.js';
import { FrameCodec } from '../../src/threads/frame-codec.js';

const codec = new FrameCodec((name, id) => ({ name, id }));
const cross = (value: unknown): unknown => codec.unpack(codec.pack(exactValue(value)));

const anyMessage = anything({
  withBigInt: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  key: oneof(string({ unit: 'binary' }), constant('__proto__'), string()),
  values: [
    double(),
    constant(-0),
    boolean(),
    string(),
    string({ unit: integer({ min: 0, max: 0xff_ff }).map((unit) => String.fromCharCode(unit)) }),
    constantFrom(null, undefined),
    bigInt(),
    // Node's deep equality finds an invalid date different from itself.
    date({ noInvalidDate: true }),
  ],
}).filter((value) => {
  try {
    checkMessage(value, 'here');
    return true;
  } catch {
    return false;
  }
});

describe('a value that crosses threads', () => {
  it('arrives equal, whatever it is', () => {
    assert(
      property(anyMessage, (value) => {
        expect(isDeepStrictEqual(cross(value), value)).to.equal(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps -0, lone surrogates and fields named __proto__, however deep they are', () => {
    const named = JSON.parse('{"__proto__":{"x":-0},"y":"\\ud800"}') as Record<string, unknown>;
    const value = { a: [-0, 0, named], b: new Map([[-0.5, new Set(['\udc00', '\ud83d\ude00'])]]) };
    expect(isDeepStrictEqual(cross(value), value)).to.equal(true);
    expect(Object.is(cross(-0), -0)).to.equal(true);
  });

  it('is a Buffer of Node if it was one, however deep it is', () => {
    const { bytes, plain } = cross({ bytes: [Buffer.from('hi')], plain: new Uint8Array([1]) }) as {
      readonly bytes: readonly unknown[];
      readonly plain: unknown;
    };
    expect([Buffer.isBuffer(bytes[0]), String(bytes[0]), Buffer.isBuffer(plain)]).to.deep.equal([true, 'hi', false]);
  });

  it('is the same object where nothing of it would be changed', () => {
    const value = { a: [1, 'x', new Map([[1, 2n]])], b: new Date(5), c: { d: null, e: undefined } };
    expect(exactValue(value)).to.equal(value);
  });

  it('has no other prototype because of what a sender called a field', () => {
    const arrived = cross(JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(arrived)).to.equal(Object.prototype);
    expect(arrived['admin']).to.equal(undefined);
  });
});
