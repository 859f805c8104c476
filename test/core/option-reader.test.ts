/** Reading the options of the public edge. */
import { expect } from 'chai';
import { OptionReader } from '../../src/core/option-reader.js';
import { expectRefusal } from '../expect-refusal.js';

const read = (value: unknown, known: readonly string[] = ['a', 'b']) => new OptionReader('actor tally', value, known);

describe('OptionReader', () => {
  it('refuses what is no object of options', () => {
    for (const value of [undefined, null, 1, 'a', [], new Map(), () => 1])
      expectRefusal(() => read(value), 'actor tally', 'give an object');
  });

  it('refuses an unknown key, with the one that was meant or with all that there are', () => {
    expectRefusal(
      () => read({ mailbx: {} }, ['mailbox', 'receive']),
      'unknown option "mailbx"',
      "did you mean 'mailbox'?",
    );
    expectRefusal(() => read({ zzzzz: {} }, ['mailbox', 'receive']), 'known are mailbox, receive');
  });

  it('sees own properties only: nothing is there because every object has it', () => {
    const options = read({}, ['toString', 'constructor', '__proto__']);
    for (const key of ['toString', 'constructor', '__proto__', 'hasOwnProperty'])
      expect(options.value(key)).to.equal(undefined);
    expect(read(Object.create({ a: 1 })).value('a')).to.equal(undefined);
    expect(read(JSON.parse('{"__proto__": 1}'), ['__proto__']).value('__proto__')).to.equal(1);
  });

  it('names a nested option by its path', () => {
    const nested = read({ a: { b: { 'order.created': 1 } } })
      .nested('a')
      .nested('b');
    expectRefusal(
      () => nested.function('order.created', '(x)'),
      `option "a.b['order.created']" is 1`,
      'give a function (x)',
    );
  });

  it('tells a missing option from a wrong one', () => {
    expectRefusal(() => read({}).function('a', '()'), 'option "a" is missing');
    expectRefusal(() => read({ a: null }).function('a', '()'), 'option "a" is null');
    expectRefusal(() => read({}).required('a'), 'option "a" is missing');
  });

  it('takes undefined for absent, and null for wrong', () => {
    expect(read({ a: undefined }).integer('a', { min: 1 }, 5)).to.equal(5);
    expect(read({ a: undefined }).nested('a').keys()).to.deep.equal([]);
    expect(read({ a: undefined }).oneOf('a', ['x', 'y'], 'y')).to.equal('y');
    expectRefusal(() => read({ a: null }).integer('a', { min: 1 }, 5), 'is null');
    expectRefusal(() => read({ a: null }).nested('a'), 'is null');
    expectRefusal(() => read({ a: null }).oneOf('a', ['x', 'y'], 'y'), 'is null');
    expectRefusal(() => read({ a: null }).durationMs('a', 1), 'is null');
  });

  it('refuses numbers out of bounds, and says the bounds', () => {
    for (const value of [0, -1, 1.5, NaN, Infinity, '3', 2 ** 53]) {
      expectRefusal(() => read({ a: value }).integer('a', { min: 1 }), 'give an integer of at least 1');
    }
    expectRefusal(() => read({ a: 2 }).number('a', { min: 0, max: 1 }), 'give a number from 0 to 1');
    expectRefusal(() => read({}).integer('a', { min: 1 }), 'option "a" is missing');
    expect(read({ a: 0.5 }).number('a', { min: 0, max: 1 })).to.equal(0.5);
    expect(read({ a: Infinity }).integer('a', { min: 1, infinite: true })).to.equal(Infinity);
  });

  it('refuses a choice that there is not, and lists those that there are', () => {
    expectRefusal(
      () => read({ a: 'drop-newst' }).oneOf('a', ['reject', 'drop-newest'], 'reject'),
      "'reject', 'drop-newest'",
      "did you mean 'drop-newest'?",
    );
  });

  it('keeps the facts of a refusal as fields', () => {
    const refusal = expectRefusal(() => read({ a: 7 }).function('a', '()'));
    expect(refusal.details).to.deep.equal({ owner: 'actor tally', option: 'a', value: '7' });
  });
});
