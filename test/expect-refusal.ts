/** Expects that something is refused as an unusable option, in words that help. */
import { expect } from 'chai';
import { TroupeError } from '../src/core/troupe-error.js';

/** Runs `define`, which has to throw TROUPE_INVALID_OPTIONS with all of `words` in its message; returns the error. */
export function expectRefusal(define: () => unknown, ...words: readonly string[]): TroupeError {
  try {
    define();
  } catch (error) {
    expect(error).to.be.instanceOf(TroupeError);
    // Just checked.
    const refusal = error as TroupeError;
    expect(refusal.code).to.equal('TROUPE_INVALID_OPTIONS');
    for (const word of words) expect(refusal.message).to.contain(word);
    return refusal;
  }
  throw new Error(`was not refused; expected a message with ${words.join(', ')}`);
}
