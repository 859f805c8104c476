/** Validation by Standard Schemas, at once. */
import { expect } from 'chai';
import { z } from 'zod';
import { formatIssues, isSchema, type Schema, validateSync } from '../../src/core/schema.js';
import { expectRefusal } from '../expect-refusal.js';

const order = z.object({ lines: z.array(z.object({ quantity: z.number() })), currency: z.string().default('GBP') });

describe('validateSync', () => {
  it('gives what the schema makes of a value', () => {
    expect(validateSync(order, { lines: [] })).to.deep.include({ value: { lines: [], currency: 'GBP' } });
  });

  it('gives the issues of a wrong value, and throws nothing', () => {
    const result = validateSync(order, { lines: [{ quantity: 'two' }] });
    expect(formatIssues(result.issues ?? [])).to.match(/^lines\[0\]\.quantity: .*number/);
  });

  it('takes what a schema throws, and an answer that is none, for an issue', () => {
    const answering = (answer: () => unknown): Schema =>
      ({ '~standard': { version: 1, vendor: 'x', validate: answer } }) as Schema;
    const thrown = validateSync(
      answering(() => {
        throw new RangeError('odd');
      }),
      1,
    );
    expect(thrown.issues?.map(({ message }) => message)).to.deep.equal(['its schema threw RangeError: odd']);
    expect(
      validateSync(
        answering(() => undefined),
        1,
      ).issues?.[0]?.message,
    ).to.match(/^its schema threw TypeError/);
  });

  it('refuses an asynchronous schema at its first use, and says where it stands', () => {
    const slow = z.string().refine(async () => true);
    expectRefusal(
      () => validateSync(slow, 'x', 'aggregate order: schema of command create'),
      'command create',
      'asynchronous',
    );
  });

  it('leaves no unhandled rejection behind when the asynchronous schema fails', async () => {
    const failing: Schema = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('later')) },
    };
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    expectRefusal(() => validateSync(failing, 1), 'asynchronous');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).to.deep.equal([]);
  });
});

describe('isSchema', () => {
  it('takes objects and functions that are Standard Schemas, of whatever library', () => {
    const standard = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) };
    expect(isSchema(order)).to.equal(true);
    expect(isSchema({ '~standard': standard })).to.equal(true);
    expect(isSchema(Object.assign(() => true, { '~standard': standard }))).to.equal(true);
  });

  it('takes nothing else', () => {
    for (const value of [
      undefined,
      null,
      {},
      () => true,
      'string',
      { '~standard': null },
      { '~standard': { version: 2 } },
    ]) {
      expect(isSchema(value)).to.equal(false);
    }
  });
});

describe('formatIssues', () => {
  it('names the path of each issue, in whichever form the library gives it', () => {
    const issues = [
      { message: 'required', path: ['a', 0, { key: 'b' }] },
      { message: 'too long', path: [{ key: 2 }] },
      { message: 'no object' },
    ];
    expect(formatIssues(issues)).to.equal('a[0].b: required; [2]: too long; no object');
  });

  it('names 5 issues and counts the rest', () => {
    const issues = Array.from({ length: 12 }, (_, i) => ({ message: `m${i}` }));
    expect(formatIssues(issues)).to.equal('m0; m1; m2; m3; m4; and 7 more');
  });
});
