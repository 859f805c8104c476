/** Laws of errors that cross threads: class, code, reason, details, cause and parts arrive, whatever was thrown. */
import { expect } from 'chai';
import { isTroupeError, TroupeError } from '../../src/core/troupe-error.js';
import { fromWireError, toWireError } from '../../src/core/wire-error.js';
import { FrameCodec } from '../../src/threads/frame-codec.js';

const codec = new FrameCodec();
/** The ways that errors go: as a part of a frame, by a port's own clone, and as JSON in a record. */
const ways: readonly (readonly [name: string, cross: (error: unknown) => Error])[] = [
  ['a frame', (error) => codec.unpack(codec.pack(error)) as Error],
  ['a port', (error) => fromWireError(structuredClone(toWireError(error)))],
  ['JSON', (error) => fromWireError(JSON.parse(JSON.stringify(toWireError(error))) as ReturnType<typeof toWireError>)],
];

class OutOfStock extends Error {
  override readonly name = 'OutOfStock';
  readonly code = 'SKU_GONE';
}

const fieldsOf = (error: unknown): unknown => Object.fromEntries(Object.entries(error as Error));

for (const [name, cross] of ways) {
  describe(`an error that crosses by ${name}`, () => {
    it('keeps its built-in class, message, stack and cause, to the eighth', () => {
      for (const Class of [Error, RangeError, TypeError, SyntaxError, ReferenceError, EvalError, URIError]) {
        const error = new Class('outer', { cause: new RangeError('inner', { cause: { code: 7 } }) });
        const arrived = cross(error);
        expect(arrived).to.be.instanceOf(Class);
        expect(Object.getPrototypeOf(arrived)).to.equal(Class.prototype);
        expect(arrived).to.include({ name: Class.name, message: 'outer', stack: error.stack });
        expect(arrived.cause).to.be.instanceOf(RangeError);
        expect((arrived.cause as Error).cause).to.deep.equal({ code: 7 });
      }
      let deep: Error = new Error('0');
      for (let n = 1; n <= 20; n += 1) deep = new Error(String(n), { cause: deep });
      let last = cross(deep);
      while (last.cause instanceof Error) last = last.cause;
      expect(last.message).to.equal('12');
    });

    it('that is a TroupeError arrives as one, with code, reason and details', () => {
      const arrived = cross(
        new TroupeError('TROUPE_REJECTED', 'order/1: exists', { reason: 'exists', details: { id: '1', list: [1] } }),
      );
      expect(arrived).to.be.instanceOf(TroupeError);
      expect(isTroupeError(arrived, 'TROUPE_REJECTED')).to.equal(true);
      expect(arrived).to.include({ reason: 'exists' });
      expect((arrived as TroupeError).details).to.deep.equal({ id: '1', list: [1] });
    });

    it("of a user's class keeps name and code", () => {
      const arrived = cross(new OutOfStock('no more'));
      expect(arrived).to.be.instanceOf(Error);
      expect(arrived).to.include({ name: 'OutOfStock', code: 'SKU_GONE', message: 'no more' });
    });

    it('keeps own fields that are JSON values, those of its cause too', () => {
      const fields = { issues: [{ path: ['a', 0], half: '\ud800' }], retryable: false, errno: -2, none: null };
      const unfit = { at: new Date(0), seen: new Map(), act: () => 1, nothing: undefined, big: 1n };
      const error = Object.assign(new RangeError('outer', { cause: Object.assign(new Error('inner'), { port: 80 }) }), {
        ...fields,
        ...unfit,
      });
      Object.defineProperty(error, '__proto__', { value: { odd: 1 }, enumerable: true });
      Object.defineProperty(error, 'hidden', { value: 1, enumerable: false });
      const arrived = cross(error);
      expect(Object.getPrototypeOf(arrived)).to.equal(RangeError.prototype);
      expect(fieldsOf(arrived)).to.deep.equal({ ...fields, ['__proto__']: { odd: 1 } });
      expect(fieldsOf(arrived.cause)).to.deep.equal({ port: 80 });
    });

    it('carries 16,384 characters of fields with its causes, and leaves out those that do not fit', () => {
      const inner = Object.assign(new Error('inner'), { first: 'x'.repeat(10_000), second: 'x' });
      const error = Object.assign(new Error('outer', { cause: inner }), { body: 'x'.repeat(16_385), last: 'x' });
      const arrived = cross(error);
      expect(fieldsOf(arrived)).to.deep.equal({ last: 'x' });
      expect(fieldsOf(arrived.cause)).to.deep.equal({ first: inner.first, second: 'x' });
      const twice = Object.assign(new Error('outer', { cause: inner }), { first: inner.first });
      expect(fieldsOf(cross(twice).cause), 'what is left').to.deep.equal({ second: 'x' });
    });

    it('that is an AggregateError keeps its errors, in order, each with class, code and cause', () => {
      const parts = [new RangeError('a', { cause: 'why' }), new OutOfStock('b'), 'text', { code: 1 }];
      const arrived = cross(new AggregateError([...parts, new AggregateError([new TypeError('deep')])], 'all'));
      expect(arrived).to.be.instanceOf(AggregateError);
      const { errors } = arrived as AggregateError;
      expect(arrived.message).to.equal('all');
      expect(errors[0]).to.be.instanceOf(RangeError).and.to.include({ message: 'a', cause: 'why' });
      expect(errors[1]).to.include({ name: 'OutOfStock', code: 'SKU_GONE' });
      expect(errors.slice(2, 4)).to.deep.equal(['text', { code: 1 }]);
      expect((errors[4] as AggregateError).errors[0]).to.be.instanceOf(TypeError);
    });

    it('that is an AggregateError of 250 errors carries 100 and says how many more there were', () => {
      const { errors } = cross(
        new AggregateError(Array.from({ length: 250 }, (_, n) => new Error(String(n)))),
      ) as AggregateError;
      expect(errors).to.have.length(101);
      expect((errors[99] as Error).message).to.equal('99');
      expect((errors[100] as Error).message).to.equal('and 150 more errors');
    });

    it('may be its own cause, or among its own errors', () => {
      const error = new AggregateError([], 'round');
      error.cause = error;
      for (let n = 0; n < 50; n += 1) error.errors.push(error);
      expect(cross(error)).to.be.instanceOf(AggregateError).and.to.include({ message: 'round' });
    });

    it('may have fields that throw, or can not be carried: they are left out or described', () => {
      const error = new Error('spiteful');
      for (const field of ['code', 'reason', 'details', 'cause', 'stack', 'name']) {
        Object.defineProperty(error, field, {
          get() {
            throw new Error(field);
          },
        });
      }
      expect(cross(error).message).to.equal('spiteful');
      const odd = Object.assign(new Error('odd', { cause: Symbol('s') }), { code: () => 1, reason: 7 });
      expect(cross(odd)).to.include({ message: 'odd', reason: '7', cause: '[object Symbol]' });
    });
  });
}
