/** Suggestions for mistyped names. */
import { expect } from 'chai';
import { didYouMean, suggestion } from '../../src/core/did-you-mean.js';

const known = ['snapshot', 'mailbox', 'queries', 'commands', 'passivateAfter', 'on'];

describe('didYouMean', () => {
  it('finds the name that was meant: a letter too many, too few, another, swapped, or in another case', () => {
    const typos = ['snapshots', 'mailbx', 'querios', 'commadns', 'passivateafter', 'no'];
    expect(typos.map((typo) => didYouMean(typo, known))).to.deep.equal(known);
  });

  it('suggests nothing when nothing is near', () => {
    for (const name of ['', 'x', 'receive', 'constructor']) expect(didYouMean(name, known)).to.equal(undefined);
    expect(didYouMean('anything', [])).to.equal(undefined);
  });

  it('takes the nearest of several', () => {
    expect(didYouMean('order.shiped', ['order.skipped', 'order.shipped', 'order.stripped'])).to.equal('order.shipped');
  });
});

describe('suggestion', () => {
  it('is a question behind a semicolon, or nothing', () => {
    expect(suggestion('mailbx', known)).to.equal("; did you mean 'mailbox'?");
    expect(suggestion('receive', known)).to.equal('');
  });
});
