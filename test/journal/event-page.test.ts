/** Getting single events out of a page: the short way has to give what parsing the whole page gives. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { outcomeIn, selectEvents, selectVersions } from '../../src/journal/event-page.js';
import type { StoredPage } from '../../src/journal/event-page.js';
import type { RecordedEvent } from '../../src/core/recorded-event.js';

function pageOf(events: readonly (readonly [id: string, version: number, data: unknown])[]): StoredPage {
  const encoded = events.map(([id, version, data]) => [
    'thing',
    id,
    version,
    't',
    1,
    data,
    `c ${id} ${version}`,
    'c',
    null,
    null,
    null,
    [1, data],
  ]);
  return { firstPosition: 11, lastPosition: 10 + events.length, recordedAt: 5, body: JSON.stringify(encoded) };
}

/** Data with all that makes a scanner stumble: quotes, backslashes, brackets, and texts that look like events. */
const data = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    ['thing', 'a', 1, 't'],
    '["thing","a",1,"t"',
    { '"]}\\': '\\"[{', list: [['thing', 'a', 2, 't', 1, {}, 'c a 2', 'c', null, null, null, [1]]] },
    '\\',
    '\\\\"',
    ']}',
  ),
);

describe('a page of events', () => {
  it('gives one event the short way as parsing the whole page does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'a"b', '', 'é'), data), { minLength: 1, maxLength: 8 }),
        (drawn) => {
          const versions = new Map<string, number>();
          const events = drawn.map(([id, value]) => {
            const version = (versions.get(id) ?? 0) + 1;
            versions.set(id, version);
            return [id, version, value] as const;
          });
          const page = pageOf(events);
          for (const [i, [id, version, value]] of events.entries()) {
            const of = { aggregate: 'thing', id, firstVersion: version, lastVersion: version };
            const [short, whole]: RecordedEvent[][] = [[], []];
            selectVersions(page, { ...of, position: 11 + i }, short ?? []);
            selectVersions(page, of, whole ?? []);
            expect(short).to.deep.equal(whole);
            expect(short?.map((event) => [event.position, event.data])).to.deep.equal([
              [11 + i, JSON.parse(JSON.stringify(value))],
            ]);
            const outcome = outcomeIn(page, { ...of, position: 11 + i }, `c ${id} ${version}`);
            expect(outcome?.outcome).to.deep.include({ version, position: 11 + i });
            expect(outcomeIn(page, { ...of, position: 11 + i }, 'another')).to.equal(undefined);
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('stops before the first match that is too many, and says how far it came', () => {
    const page = pageOf([
      ['a', 1, 0],
      ['b', 1, 0],
      ['a', 2, 0],
      ['a', 3, 0],
    ]);
    const all = { after: 0, types: undefined, aggregate: 'thing', id: 'a' };
    const events: RecordedEvent[] = [];
    expect(selectEvents(page, all, 2, events)).to.equal(13);
    expect(events.map(({ position }) => position)).to.deep.equal([11, 13]);
    expect(selectEvents(page, { ...all, after: 13 }, 3, events)).to.equal(14);
    expect(selectEvents(page, { ...all, id: 'c' }, 3, events)).to.equal(14);
    expect(events).to.have.length(3);
  });

  it('is reported by its position when its text is not what was written', () => {
    for (const body of ['[', '{}', '[]', '[1,2]']) {
      const page = { firstPosition: 7, lastPosition: 9, recordedAt: 0, body };
      expect(() => selectEvents(page, { after: 0, types: undefined, aggregate: undefined, id: undefined }, 9, []))
        .to.throw('position 7')
        .with.property('code', 'TROUPE_JOURNAL_CORRUPT');
    }
  });
});
