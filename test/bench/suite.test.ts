/**
 * What a suite may look like; mistakes show when it is loaded, not after minutes.
 */
import { expect } from 'chai';
import { type Arm, defineSuite, isSuite } from '../../bench/harness/suite.js';

const arm = (facts: Partial<Arm>): Arm => ({
  name: 'one',
  question: 'one?',
  unit: 'messages/s',
  run: () => Promise.reject(new Error('not meant to run')),
  ...facts,
});
const suite = (...arms: Arm[]) => ({ name: 'some-suite', question: 'What?', arms });

describe('defineSuite', () => {
  it('knows its own suites, and no others', () => {
    expect(isSuite(defineSuite(suite(arm({}))))).to.equal(true);
    expect(isSuite(suite(arm({})))).to.equal(false);
    expect(isSuite(null)).to.equal(false);
  });

  const REFUSED: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['a name with capitals', () => defineSuite({ ...suite(), name: 'SomeSuite' }), /the name has to look like/],
    [
      'an arm with spaces in its name',
      () => defineSuite(suite(arm({ name: 'one arm' }))),
      /'one arm' has to be called/,
    ],
    ['two arms of one name', () => defineSuite(suite(arm({}), arm({}))), /two arms are called one/],
    ['a baseline that is not there', () => defineSuite(suite(arm({ baselines: ['two'] }))), /one has no baseline two/],
    ['an arm as its own baseline', () => defineSuite(suite(arm({ baselines: ['one'] }))), /one has no baseline one/],
    [
      'a baseline of another unit',
      () => defineSuite(suite(arm({ baselines: ['two'] }), arm({ name: 'two', unit: 'µs' }))),
      /one and two need the same unit/,
    ],
  ];
  for (const [what, define, message] of REFUSED) {
    it(`refuses ${what}`, () => expect(define).to.throw(message));
  }
});
