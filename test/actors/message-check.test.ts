/** Laws of what may be sent: everything a thread hands on as it is, and nothing else, refused by its path. */
import { expect } from 'chai';
import { runInNewContext } from 'node:vm';
import { checkMessage } from '../../src/actors/message-check.js';
import { copyMessage } from '../../src/actors/message-copy.js';

class Point {
  x = 1;
}
class Names extends Map<string, string> {}

const ref = { name: 'tally', id: 'a', [Symbol.for('troupe.ref')]: true };
Object.setPrototypeOf(ref, { tell: () => undefined });

const unreadable = {
  ok: 1,
  get bad(): never {
    throw new RangeError('not to be read');
  },
};
const { proxy: hostile, revoke } = Proxy.revocable({}, {});
revoke();

const cycle: Record<string, unknown> = { a: { b: [1] } };
(cycle['a'] as Record<string, unknown>)['back'] = cycle;
const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = [value];
  return value;
};

describe('what messages may hold', () => {
  const fit: Record<string, unknown> = {
    undefined: undefined,
    'NaN, -0, Infinity': [Number.NaN, -0, Infinity],
    bigint: 10n,
    null: null,
    'plain objects and arrays': { a: [1, 'x', { b: true }], empty: {} },
    'an object without a prototype': Object.assign(Object.create(null) as object, { a: 1 }),
    'undefined in fields and arrays': { a: undefined, b: [undefined] },
    'an array with holes': Object.assign([], { length: 2 }),
    Date: new Date(0),
    Map: new Map<unknown, unknown>([[{ k: 1 }, new Set([1n])]]),
    Set: new Set(['a', new Date(1)]),
    'typed arrays': [new Uint8Array(2), new Float64Array(1), new BigInt64Array(1), Buffer.from('x')],
    ArrayBuffer: new ArrayBuffer(4),
    Error: [new TypeError('x'), new AggregateError([new Error('y')], 'z')],
    ActorRef: { to: ref },
    'the same object twice': ((shared) => ({ a: shared, b: [shared] }))({ n: 1 }),
    'values of another realm': runInNewContext(
      '({ a: [1], b: new Map([[1, new Set([2])]]), c: new Date(0), d: new Error("x") })',
    ),
    '499 levels': deep(499),
  };
  for (const [what, value] of Object.entries(fit)) {
    it(`takes ${what}`, () => {
      expect(() => checkMessage(value, 'here')).not.to.throw();
    });
  }

  const unfit: [string, unknown, string, string][] = [
    ['a function', () => 1, '', 'a function'],
    ['a function in a field', { a: { b: [0, () => 1] } }, 'a.b[1]', 'a function'],
    ['a symbol', [Symbol('x')], '[0]', 'a symbol'],
    ['a field named by a symbol', { a: { [Symbol('x')]: 1 } }, 'a', 'a symbol as the name'],
    ['a class instance', { at: new Point() }, 'at', 'an instance of Point'],
    [
      'a class instance without a name',
      [
        new (class {
          x = 1;
        })(),
      ],
      '[0]',
      'not plain',
    ],
    ['an instance of a subclass of Map', [new Names()], '[0]', 'an instance of Names'],
    ['an instance of a subclass of Array', [new (class List extends Array {})()], '[0]', 'an instance of List'],
    ['a promise', { wait: Promise.resolve() }, 'wait', 'an instance of Promise'],
    ['a WeakMap', { 'odd key': new WeakMap() }, "['odd key']", 'an instance of WeakMap'],
    ['a RegExp', [/x/], '[0]', 'an instance of RegExp'],
    ['a DataView', [new DataView(new ArrayBuffer(1))], '[0]', 'an instance of DataView'],
    ['shared memory', [new SharedArrayBuffer(1)], '[0]', 'an instance of SharedArrayBuffer'],
    ['a boxed number', [Object(1)], '[0]', 'an instance of Number'],
    ['a URL', new URL('http://x'), '', 'an instance of URL'],
    ['a function in a Map', { m: new Map([['k', [() => 1]]]) }, "m.get('k')[0]", 'a function'],
    ['a function as a key of a Map', new Map([[() => 1, 1]]), '.keys()[0]', 'a function'],
    ['a function in a Set', { s: new Set([1, () => 1]) }, 's.values()[1]', 'a function'],
    ['a getter that throws', { a: [unreadable] }, 'a[0].bad', 'a getter that throws RangeError: not to be read'],
    ['a getter that throws in a Map', new Map([['k', unreadable]]), ".get('k').bad", 'a getter that throws'],
    ['a value that throws whatever is asked of it', hostile, '', 'a value that throws when it is looked at'],
    ['a cycle', cycle, 'a.back', 'a cycle'],
    ['501 levels', deep(501), '[0]'.repeat(500), 'nested deeper than 500 levels'],
  ];
  for (const [what, value, path, found] of unfit) {
    it(`refuses ${what}, naming the path`, () => {
      try {
        checkMessage(value, 'tally/a: add');
      } catch (error) {
        const refusal = error as { code: string; message: string; details: { path: string; found: string } };
        expect(refusal.code).to.equal('TROUPE_NOT_SERIALIZABLE');
        expect(refusal.message).to.match(/^tally\/a: add: the (value|field)/);
        expect(refusal.details.path).to.equal(path);
        expect(refusal.details.found).to.contain(found);
        return;
      }
      expect.fail('it was taken');
    });
  }

  it('tells whether there is a reference in it', () => {
    expect(checkMessage({ a: [new Map([['k', ref]])] }, 'here')).to.be.true;
    expect(checkMessage(ref, 'here')).to.be.true;
    expect(checkMessage({ a: 1 }, 'here')).to.be.false;
    expect(checkMessage(1, 'here')).to.be.false;
  });
});

describe('copies of messages', () => {
  it('are equal and share nothing that can change, but what was there twice is there twice', () => {
    const shared = { n: 1 };
    const error = new Error('x');
    const value = {
      a: shared,
      b: [shared, -0, Number.NaN, 1n, undefined],
      m: new Map([[shared, new Set([new Date(5)])]]),
      bytes: new Uint8Array([1, 2]),
      error,
    };
    const copy = copyMessage(value, () => expect.fail('no reference')) as typeof value;
    expect(copy).to.deep.equal(value);
    expect(Object.is(copy.b[1], -0)).to.be.true;
    expect(copy.a).not.to.equal(shared);
    expect(copy.b[0]).to.equal(copy.a);
    expect([...copy.m.keys()][0]).to.equal(copy.a);
    expect(copy.error).to.equal(error);
    copy.bytes[0] = 9;
    expect(value.bytes[0]).to.equal(1);
  });

  it('have their references bound anew', () => {
    const copy = copyMessage({ to: [ref] }, ({ name, id }) => `${name}/${id}`);
    expect(copy).to.deep.equal({ to: ['tally/a'] });
  });

  it('keep a field named __proto__ a field', () => {
    const copy = copyMessage(JSON.parse('{"__proto__": {"x": 1}}'), () => undefined) as object;
    expect(Object.getPrototypeOf(copy)).to.equal(Object.prototype);
    expect(Object.keys(copy)).to.deep.equal(['__proto__']);
  });
});
