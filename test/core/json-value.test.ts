/** JSON values: what passes reads back equal, and what would not is refused by its path. */
import { isDeepStrictEqual } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { expect } from 'chai';
import { anything, assert, jsonValue, property } from 'fast-check';
import { checkJson, deepFreeze, encodeJson } from '../../src/core/json-value.js';
import { isTroupeError } from '../../src/core/troupe-error.js';

function refusal(value: unknown): { path: string; found: string; message: string } {
  try {
    encodeJson(value, 'it');
  } catch (error) {
    if (!isTroupeError(error, 'TROUPE_NOT_SERIALIZABLE')) throw error;
    const { path, found } = error.details as { path: string; found: string };
    return { path, found, message: error.message };
  }
  throw new Error('was not refused');
}

const unreadable = {
  ok: 1,
  get bad(): never {
    throw new RangeError('not to be read');
  },
};
const { proxy: hostile, revoke } = Proxy.revocable({}, {});
revoke();

/** The value without undefined fields, which JSON drops: what is promised to come back. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(fields.map(([key, part]) => [key, withoutUndefined(part)]));
}

describe('encodeJson', () => {
  it('refuses what JSON can’t keep, by the path of the field', () => {
    const hole: unknown[] = [1];
    hole[2] = 3;
    class Money {
      amount = 1;
    }
    const cases: readonly (readonly [unknown, path: string, found: string])[] = [
      [{ a: { b: Number.NaN } }, 'a.b', 'NaN'],
      [{ a: [0, [Infinity]] }, 'a[1][0]', 'Infinity'],
      [{ a: [{ b: -0 }] }, 'a[0].b', '-0'],
      [[1, undefined], '[1]', 'undefined'],
      [{ a: hole }, 'a[1]', 'undefined'],
      [{ a: 1n }, 'a', 'a bigint'],
      [{ a: () => 1 }, 'a', 'a function'],
      [{ a: Symbol('s') }, 'a', 'a symbol'],
      [{ a: new Date(0) }, 'a', 'a Date'],
      [{ a: new Map() }, 'a', 'a Map'],
      [{ a: { b: new Set() } }, 'a.b', 'a Set'],
      [{ a: new Uint8Array(2) }, 'a', 'a Uint8Array'],
      [{ a: /x/ }, 'a', 'a RegExp'],
      [{ a: new Money() }, 'a', 'a Money'],
      [{ a: new Error('e') }, 'a', 'a Error'],
      [{ a: Object(1) as unknown }, 'a', 'a Number'],
      [{ a: Promise.resolve() }, 'a', 'a Promise'],
      [{ a: { [Symbol('key')]: 1 } }, 'a', 'a symbol as the name'],
      [{ a: { toJSON: () => 1 } }, 'a', 'toJSON'],
      [{ a: [{ ok: 1, b: unreadable }] }, 'a[0].b.bad', 'a getter that throws RangeError: not to be read'],
      [hostile, '', 'a value that throws when it is looked at'],
      [Symbol('s'), '', 'a symbol'],
      [-0, '', '-0'],
    ];
    for (const [value, path, found] of cases) {
      const error = refusal(value);
      expect(error.path, found).to.equal(path);
      expect(error.found).to.contain(found);
      expect(error.message).to.contain('it: ').and.contain(path);
    }
  });

  it('refuses an array that is more than its items', () => {
    class List extends Array<number> {}
    const named = Object.assign([1, 2], { named: 1 });
    expect(refusal({ a: List.of(1, 2) })).to.include({ path: 'a' });
    expect(refusal({ a: Object.assign([1], { toJSON: () => 'else' }) }).path).to.contain('a');
    expect(refusal({ a: named }).path).to.contain('a');
    expect(refusal({ a: 'b'.match(/b/) }).path).to.contain('a');
  });

  it('refuses cycles, wherever they close, and nesting of more than 500 levels', () => {
    const own: Record<string, unknown> = {};
    own['list'] = [{ back: own }];
    expect(refusal(own)).to.deep.include({ path: 'list[0].back' });
    expect(refusal(own).found).to.contain('a cycle');
    const wide: Record<string, unknown> = {};
    for (let i = 0; i < 100; i += 1) wide[`f${i}`] = wide;
    expect(refusal(wide).found).to.contain('a cycle');
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i += 1) deep = { deep };
    expect(refusal(deep).found).to.contain('500 levels');
    let fits: unknown = 1;
    for (let i = 0; i < 500; i += 1) fits = [fits];
    expect(encodeJson(fits, 'it')).to.have.length(1_001);
  });

  it('takes a value that stands in two places, objects without prototype, and those of another realm', () => {
    const shared = { n: 1 };
    expect(encodeJson({ a: shared, b: [shared] }, 'it')).to.equal('{"a":{"n":1},"b":[{"n":1}]}');
    expect(encodeJson(Object.assign(Object.create(null) as object, { a: 1 }), 'it')).to.equal('{"a":1}');
    const foreign: unknown = runInContext('({ a: [1, { b: null }] })', createContext());
    expect(encodeJson(foreign, 'it')).to.equal('{"a":[1,{"b":null}]}');
  });

  it('drops undefined fields, keeps lone surrogates and a field named __proto__, and gives undefined for undefined', () => {
    expect(encodeJson({ a: undefined, b: 1 }, 'it')).to.equal('{"b":1}');
    expect(JSON.parse(encodeJson('\ud800', 'it') ?? '')).to.equal('\ud800');
    expect(encodeJson(JSON.parse('{"__proto__":1}'), 'it')).to.equal('{"__proto__":1}');
    expect(encodeJson(undefined, 'it')).to.equal(undefined);
  });

  it('takes every JSON value, and it reads back equal', () => {
    assert(
      property(jsonValue({ maxDepth: 6 }), (value) => {
        if (
          JSON.stringify(value) !== JSON.stringify(value, (_key, part: unknown) => (Object.is(part, -0) ? 'no' : part))
        )
          return;
        expect(isDeepStrictEqual(JSON.parse(encodeJson(value, 'it') ?? ''), value)).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it('gives back an equal value, or throws: whatever the value', () => {
    assert(
      property(
        anything({
          withBigInt: true,
          withBoxedValues: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withObjectString: true,
          withSet: true,
          withSparseArray: true,
          withTypedArray: true,
          withUnicodeString: true,
        }),
        (value) => {
          let text: string | undefined;
          try {
            text = encodeJson(value, 'it');
          } catch (error) {
            expect(isTroupeError(error, 'TROUPE_NOT_SERIALIZABLE')).to.equal(true);
            return;
          }
          const back: unknown = text === undefined ? undefined : JSON.parse(text);
          // Equal as JSON values are: what has no prototype comes back as a plain object.
          expect(back).to.deep.equal(withoutUndefined(value));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('checkJson', () => {
  it('refuses exactly what encodeJson refuses', () => {
    assert(
      property(anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true }), (value) => {
        const outcome = (check: () => unknown): string => {
          try {
            check();
            return 'fine';
          } catch (error) {
            return String(error);
          }
        };
        expect(outcome(() => checkJson(value, 'it'))).to.equal(outcome(() => void encodeJson(value, 'it')));
      }),
    );
  });
});

describe('deepFreeze', () => {
  it('freezes all that a value holds', () => {
    const value = deepFreeze({ a: [{ b: { c: 1 } }] });
    expect(() => {
      (value.a[0] as { b: { c: number } }).b.c = 2;
    }).to.throw(TypeError);
    expect(() => value.a.push({ b: { c: 1 } })).to.throw(TypeError);
  });
});
