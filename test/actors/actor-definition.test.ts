/** What `actor()` makes of its options, and what it refuses. */
import { expect } from 'chai';
import { actor, type RuntimeActor } from '../../src/actors/actor-definition.js';
import { expectRefusal } from '../expect-refusal.js';

/** As from JavaScript: no type stands between the test and the check. */
function define(options: Record<string, unknown>): RuntimeActor {
  return actor({ name: 'tally', initialState: () => ({}), receive: {}, ...options });
}

describe('actor()', () => {
  it('refuses a missing name, initial state or receive', () => {
    expectRefusal(() => define({ name: undefined }), 'actor(): option "name"');
    expectRefusal(() => define({ initialState: undefined }), 'actor tally', '"initialState" is missing', '(args, ctx)');
    expectRefusal(() => define({ receive: undefined }), '"receive" is missing');
  });

  it('refuses an initial state that is no function: a shared object would outlive a restart', () => {
    expectRefusal(() => define({ initialState: { count: 0 } }), '"initialState" is an object', 'give a function');
  });

  it('refuses handlers that are no functions, and types without a name', () => {
    expectRefusal(() => define({ receive: { add: 1 } }), '"receive.add" is 1', '(state, payload, ctx)');
    expectRefusal(() => define({ receive: { '': () => 0 } }), '1 to 200 characters');
    for (const hook of ['started', 'stopped', 'terminated'])
      expectRefusal(() => define({ [hook]: true }), `"${hook}" is true`);
  });

  it('refuses an unknown option, with the one that was meant', () => {
    expectRefusal(() => define({ recieve: {} }), '"recieve"', "did you mean 'receive'?");
    expectRefusal(() => define({ mailbox: { priorities: 1 } }), '"mailbox.priorities"', "'priority'");
    expectRefusal(() => define({ children: { backoff: { mim: 1 } } }), '"children.backoff.mim"', "'min'");
  });

  it('refuses unusable supervision', () => {
    expectRefusal(() => define({ children: { strategy: 'one' } }), '"children.strategy"', "'one-for-one'");
    expectRefusal(() => define({ children: { maxRestarts: -1 } }), '"children.maxRestarts"', 'at least 0');
    expectRefusal(() => define({ children: { within: '0s' } }), 'option "children.within"', 'at least 1 ms');
    expectRefusal(() => define({ children: { backoff: { jitter: 1.1 } } }), '"children.backoff.jitter"', 'from 0 to 1');
    expectRefusal(
      () => define({ children: { backoff: { min: '2s', max: '1s' } } }),
      '"children.backoff.max"',
      '2000 ms',
    );
    expectRefusal(() => define({ children: { decide: 'stop' } }), '"children.decide"', '(error)');
  });

  it('fills in defaults: one-for-one, 3 restarts within 10,000 ms, backoff 50 to 5,000 ms with 20 % jitter, restart', () => {
    const { children, mailbox, started } = define({}).options;
    expect(children).to.deep.include({
      strategy: 'one-for-one',
      maxRestarts: 3,
      withinMs: 10_000,
      backoff: { minMs: 50, maxMs: 5_000, jitter: 0.2 },
    });
    expect(children.decide(new Error('any'))).to.equal('restart');
    expect(mailbox).to.deep.equal({ capacity: 10_000, overflow: 'reject', priority: undefined });
    expect(started).to.equal(undefined);
  });

  it('moves the default of one end of a backoff when the other one is given beyond it', () => {
    expect(define({ children: { backoff: { min: '1m' } } }).options.children.backoff).to.include({
      minMs: 60_000,
      maxMs: 60_000,
    });
    expect(define({ children: { backoff: { max: 10 } } }).options.children.backoff).to.include({
      minMs: 10,
      maxMs: 10,
    });
  });

  it('neither knows nor breaks types that every object has', () => {
    const handler = () => 0;
    expect(define({}).options.receive.has('toString')).to.equal(false);
    expect(
      define({ receive: { toString: handler, ['__proto__']: handler } }).options.receive.get('__proto__'),
    ).to.equal(handler);
  });

  it('is frozen', () => {
    const definition = define({});
    const { options } = definition;
    for (const part of [definition, options, options.mailbox, options.children, options.children.backoff]) {
      expect(Object.isFrozen(part)).to.equal(true);
    }
  });
});
