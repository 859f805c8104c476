/** JSON values: what passes reads back equal, and what would not is refused by its path. */
import { isDeepStrictEqual } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { expect } from 'chai';
import { anything, assert, jsonValue, oneof, property } from 'fast-check';
import { checkJson, copyJson, deepFreeze, encodeJson } from '../../src/core/json-value.js';
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

describe('copyJson', () => {
  const outcome = (act: () => unknown): unknown => {
    try {
      return [act()];
    } catch (error) {
      return String(error);
    }
  };
  /** What would be read back. */
  const readBack = (value: unknown): unknown => {
    const text = encodeJson(value, 'it');
    return text === undefined ? undefined : JSON.parse(text);
  };

  it('gives what would be read back from the text, in the same order, and refuses the same by the same path', () => {
    const all = { withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true };
    assert(
      property(oneof(anything(all), jsonValue({ maxDepth: 6 })), (value) => {
        const copy = outcome(() => copyJson(value, 'it'));
        expect(
          isDeepStrictEqual(
            copy,
            outcome(() => readBack(value)),
          ),
        ).to.equal(true);
        expect(JSON.stringify(copy)).to.equal(JSON.stringify(outcome(() => readBack(value))));
      }),
      { numRuns: 2_000 },
    );
  });

  it('copies everything, and keeps a field named __proto__ as one', () => {
    const shared = { n: 1 };
    const value = { a: shared, list: [shared, [shared]], ['__proto__']: 0, gone: undefined, '2': 2, '1': 1 };
    const given: unknown = JSON.parse('{"__proto__":{"n":1},"a":1}');
    const copy = copyJson(value, 'it') as typeof value;
    shared.n = 2;
    value.list.push(shared);
    expect(copy.a.n).to.equal(1);
    expect(copy.list).to.deep.equal([{ n: 1 }, [{ n: 1 }]]);
    expect(Object.keys(copy)).to.deep.equal(['1', '2', 'a', 'list', '__proto__']);
    const other = copyJson(given, 'it') as object;
    expect(Object.getPrototypeOf(other)).to.equal(Object.prototype);
    expect(JSON.stringify(other)).to.equal('{"__proto__":{"n":1},"a":1}');
  });

  it('refuses cycles and depth like the text', () => {
    const own: Record<string, unknown> = {};
    own['list'] = [{ back: own }];
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i += 1) deep = { deep };
    for (const value of [own, deep]) {
      const refused = outcome(() => copyJson(value, 'it'));
      expect(refused)
        .to.be.a('string')
        .and.equal(outcome(() => encodeJson(value, 'it')));
    }
  });

  it('reads each field once, so that a getter can not give one value to the copy and another one to its text', () => {
    let reads = 0;
    const value = {
      get count() {
        reads += 1;
        return reads;
      },
    };
    expect(copyJson(value, 'it')).to.deep.equal({ count: 1 });
    expect(reads).to.equal(1);
  });

  it('leaves out what somebody has added to all objects, as the text does', () => {
    const everywhere = Object.prototype as { added?: number };
    everywhere.added = 1;
    try {
      const copy = copyJson({ a: 1 }, 'it') as object;
      expect(Object.keys(copy)).to.deep.equal(['a']);
    } finally {
      delete everywhere.added;
    }
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
