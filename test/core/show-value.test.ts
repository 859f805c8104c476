/** Values and errors in messages: always a text, whatever they are. */
import { expect } from 'chai';
import { anything, assert, property } from 'fast-check';
import { showCause, showThrown, showValue } from '../../src/core/show-value.js';
import { isTroupeError, TroupeError } from '../../src/core/troupe-error.js';

const hostile: readonly unknown[] = [
  Object.create(null),
  Symbol('s'),
  Object.defineProperty(new Error('e'), 'message', { get: () => JSON.parse('{') }),
  Object.defineProperty(new Error('e'), 'message', { value: Symbol('m') }),
  Object.defineProperty(new Error('e'), 'name', { get: () => JSON.parse('{') }),
  new Proxy({}, { get: () => JSON.parse('{'), has: () => JSON.parse('{'), getPrototypeOf: () => JSON.parse('{') }),
];

describe('showThrown and showCause', () => {
  it('never throw, whatever was thrown', () => {
    for (const thrown of hostile) {
      expect(showThrown(thrown)).to.be.a('string').and.not.equal('');
      expect(showCause(thrown)).to.be.a('string').and.not.equal('');
    }
    assert(property(anything(), (thrown) => showThrown(thrown) !== undefined && showCause(thrown) !== ''));
  });

  it('give the message of an error, with its class where the cause is meant, and a text as it is', () => {
    expect([showThrown(new RangeError('too far')), showCause(new RangeError('too far'))]).to.deep.equal([
      'too far',
      'RangeError: too far',
    ]);
    expect([showThrown('text'), showThrown(undefined), showThrown(null), showThrown([1, 2])]).to.deep.equal([
      'text',
      'undefined',
      'null',
      'an array of 2',
    ]);
  });
});

describe('showValue', () => {
  it('cuts a long text and keeps to one line', () => {
    expect(showValue('x'.repeat(100))).to.have.length.below(70);
    expect([showValue(10n), showValue(() => 1), showValue({}), showValue(-0)]).to.deep.equal([
      '10n',
      'a function',
      'an object',
      '0',
    ]);
  });
});

describe('isTroupeError', () => {
  it('is false for what throws when it is looked at', () => {
    for (const thrown of hostile) expect(isTroupeError(thrown)).to.equal(false);
    expect(isTroupeError(new TroupeError('TROUPE_REJECTED', 'no'), 'TROUPE_REJECTED')).to.equal(true);
  });
});
