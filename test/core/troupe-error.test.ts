/** The one error class. */
import { expect } from 'chai';
import { isTroupeError, TroupeError } from '../../src/core/troupe-error.js';

describe('TroupeError', () => {
  it('carries code, message, details, reason and cause', () => {
    const cause = new Error('disk');
    const error = new TroupeError('TROUPE_REJECTED', 'order/1: exists', {
      details: { id: '1' },
      reason: 'order-exists',
      cause,
    });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({
      name: 'TroupeError',
      code: 'TROUPE_REJECTED',
      message: 'order/1: exists',
      reason: 'order-exists',
    });
    expect(error.details).to.deep.equal({ id: '1' });
    expect(error.cause).to.equal(cause);
    expect(String(error)).to.equal('TroupeError: order/1: exists');
  });

  it('has neither reason nor cause unless given, and always details', () => {
    const error = new TroupeError('TROUPE_ASK_TIMEOUT', 'late');
    expect(Object.hasOwn(error, 'reason')).to.equal(false);
    expect(Object.hasOwn(error, 'cause')).to.equal(false);
    expect(error.details).to.deep.equal({});
    expect(Object.isFrozen(error.details)).to.equal(true);
  });

  it('keeps a copy of the details', () => {
    const details = { id: '1' };
    const error = new TroupeError('TROUPE_ASK_TIMEOUT', 'late', { details });
    details.id = '2';
    expect(error.details).to.deep.equal({ id: '1' });
  });
});

describe('isTroupeError', () => {
  it('goes by name and code, not by class: another copy of the package may have made the error', () => {
    const foreign = Object.assign(new Error('late'), { name: 'TroupeError', code: 'TROUPE_ASK_TIMEOUT' });
    expect(isTroupeError(foreign)).to.equal(true);
    expect(isTroupeError(foreign, 'TROUPE_ASK_TIMEOUT')).to.equal(true);
    expect(isTroupeError(foreign, 'TROUPE_REJECTED')).to.equal(false);
  });

  it('is false for everything else', () => {
    const system = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    for (const value of [system, new Error('x'), undefined, null, 'TROUPE_REJECTED', 1, {}]) {
      expect(isTroupeError(value)).to.equal(false);
    }
  });
});
