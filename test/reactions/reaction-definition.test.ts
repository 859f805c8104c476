/** What `reaction()` makes of its options, and what it refuses. */
import { expect } from 'chai';
import { actor } from '../../src/actors/actor-definition.js';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { type RuntimeReaction, reaction } from '../../src/reactions/reaction-definition.js';
import { expectRefusal } from '../expect-refusal.js';

const order = aggregate({
  name: 'order',
  initialState: () => 0,
  events: { 'order.created': { apply: (state) => state } },
});
const tally = actor({ name: 'tally', initialState: () => 0, receive: {} });

/** As from JavaScript: no type stands between the test and the check. */
function define(options: Record<string, unknown>): RuntimeReaction {
  return reaction({ name: 'react', on: {}, ...options });
}

describe('reaction()', () => {
  it('refuses an event type that none of its aggregates has, with the one that was meant', () => {
    expectRefusal(
      () => define({ of: [order], on: { 'order.craeted': () => 0 } }),
      'reaction react',
      `"on['order.craeted']"`,
      '(order)',
      "did you mean 'order.created'?",
    );
    expectRefusal(() => define({ of: [], on: { toString: () => 0 } }), 'no event of "of" (nothing)');
  });

  it('takes any event type when it has no aggregates: JavaScript may leave them out', () => {
    const { of, on } = define({ on: { anything: () => 0 } }).options;
    expect(of).to.equal(undefined);
    expect([...on.keys()]).to.deep.equal(['anything']);
  });

  it('refuses sources that are no aggregates', () => {
    for (const of of [order, 'order', [tally], [undefined], [{ name: 'order' }]]) {
      expectRefusal(() => define({ of }), 'option "of"', 'aggregate()');
    }
  });

  it('refuses a missing on, handlers that are no functions, and unknown options', () => {
    expectRefusal(() => define({ on: undefined }), '"on" is missing');
    expectRefusal(() => define({ on: { made: true } }), '"on.made" is true', '(event, ctx)');
    expectRefusal(() => define({ retries: 3 }), '"retries"');
    expectRefusal(() => define({ retry: { attempt: 3 } }), '"retry.attempt"', "did you mean 'attempts'?");
  });

  it('refuses less than 1 attempt, and a backoff that ends before it starts', () => {
    for (const attempts of [0, -1, 1.5, '5'])
      expectRefusal(() => define({ retry: { attempts } }), '"retry.attempts"', 'at least 1');
    expectRefusal(() => define({ retry: { backoff: { min: '1s', max: '1ms' } } }), '"retry.backoff.max"', '1000 ms');
  });

  it('refuses unknown policies', () => {
    expectRefusal(() => define({ whenParked: 'hold' }), '"whenParked"', "'hold-key', 'skip'");
    expectRefusal(() => define({ from: 'end' }), '"from"', "'beginning', 'now'");
    expectRefusal(() => define({ orderedBy: 'country' }), '"orderedBy"', '(event)');
  });

  it('fills in defaults: 5 attempts, backoff 100 to 10,000 ms, hold-key, from the beginning, ordered by instance', () => {
    const { options } = define({});
    expect(options).to.deep.include({
      retry: { attempts: 5, backoff: { minMs: 100, maxMs: 10_000 } },
      whenParked: 'hold-key',
      from: 'beginning',
    });
    expect(options.orderedBy({ aggregate: 'order', aggregateId: '7' } as RecordedEvent)).to.equal('order/7');
  });

  it('is frozen', () => {
    const definition = define({ of: [order] });
    const { options } = definition;
    for (const part of [definition, options, options.of, options.retry, options.retry.backoff]) {
      expect(Object.isFrozen(part)).to.equal(true);
    }
  });
});
