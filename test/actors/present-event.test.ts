/** Events for readers of the log: in today's shape, frozen, and untouched where nobody knows better. */
import { expect } from 'chai';
import { z } from 'zod';
import { aggregate } from '../../src/actors/aggregate-definition.js';
import { presentBy } from '../../src/actors/present-event.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';

const thing = aggregate({
  name: 'thing',
  initialState: () => ({}),
  events: {
    made: {
      version: 3,
      schema: z.object({ n: z.number(), unit: z.string().default('kg') }),
      upcast: { 2: (data) => ({ ...data, list: [{ deep: 1 }] }) },
      apply: (state) => state,
    },
  },
});

function event(facts: Partial<RecordedEvent>): RecordedEvent {
  return Object.freeze({
    position: 1,
    aggregate: 'thing',
    aggregateId: 'a',
    version: 1,
    type: 'made',
    schemaVersion: 3,
    data: Object.freeze({ n: 1 }),
    id: 'thing/a@1',
    commandId: 'c',
    correlationId: 'c',
    causationId: null,
    metadata: {},
    recordedAt: 1,
    ...facts,
  });
}

describe('presentBy', () => {
  const present = presentBy([thing]);

  it('throws for an event that no upcaster leads on, that is newer than the code, or that fails its schema', () => {
    const codeOf = (facts: Partial<RecordedEvent>): unknown => {
      try {
        return present(event(facts));
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(codeOf({ schemaVersion: 1 })).to.equal('TROUPE_UPCAST_MISSING');
    expect(codeOf({ schemaVersion: 4 })).to.equal('TROUPE_INVALID_EVENT');
    expect(codeOf({ schemaVersion: 2, data: { n: 'one' } })).to.equal('TROUPE_INVALID_EVENT');
  });

  it('upcasts and validates older events, and freezes what comes of it', () => {
    const shown = present(event({ schemaVersion: 2 }));
    expect(shown).to.include({ schemaVersion: 3, position: 1, recordedAt: 1 });
    expect(shown.data).to.deep.equal({ n: 1, unit: 'kg' });
    expect([Object.isFrozen(shown), Object.isFrozen(shown.data)]).to.deep.equal([true, true]);
  });

  it('passes events of today as they are stored, and those of unknown aggregates and types untouched', () => {
    for (const facts of [{}, { aggregate: 'other' }, { type: 'unknown' }]) {
      const given = event(facts);
      expect(present(given)).to.equal(given);
    }
  });
});
