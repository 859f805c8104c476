/** Window and feed: no gap, no repeat, whatever the size of the window and the pace of the reader. */
import { expect } from 'chai';
import { array, assert, asyncProperty, constantFrom, integer, oneof, record, constant } from 'fast-check';
import { EventFeed } from '../../src/streams/event-feed.js';
import { EventWindow } from '../../src/streams/event-window.js';
import { FeedHarness } from './feed-harness.js';

describe('EventWindow', () => {
  const commit = (firstPosition: number, count: number, pad = '', type = 'made') => ({
    firstPosition,
    lastPosition: firstPosition + count - 1,
    recordedAt: 1,
    pages: [
      {
        firstPosition,
        lastPosition: firstPosition + count - 1,
        body: JSON.stringify(
          Array.from({ length: count }, (_, i) => [
            'thing',
            'a',
            firstPosition + i,
            type,
            1,
            pad,
            'c',
            'c',
            null,
            null,
            null,
            null,
          ]),
        ),
      },
    ],
  });

  it('drops whole commits from the oldest on when there are more events than it may hold', () => {
    const window = new EventWindow(0, { maxEvents: 5, maxCharacters: 1_000_000 });
    for (let position = 1; position <= 9; position += 2) window.add(commit(position, 2));
    expect(window.head).to.equal(10);
    expect(window.partAfter(0)).to.equal('evicted');
    expect(window.partAfter(5)).to.equal('evicted');
    expect(window.partAfter(10)).to.equal('head');
    expect(window.partAfter(11)).to.equal('head');
    const part = window.partAfter(7);
    expect(typeof part === 'string' ? part : part.map((event) => event.position)).to.deep.equal([7, 8]);
  });

  it('drops by characters too, but never the newest commit, however large', () => {
    const window = new EventWindow(0, { maxEvents: 100, maxCharacters: 1_000 });
    window.add(commit(1, 1, 'x'.repeat(400)));
    window.add(commit(2, 1, 'x'.repeat(5_000)));
    expect(window.partAfter(0)).to.equal('evicted');
    expect(window.partAfter(1)).to.have.length(1);
    window.add(commit(3, 1));
    expect(window.partAfter(1)).to.equal('evicted');
    expect(window.partAfter(2)).to.have.length(1);
  });

  it('says that everything before its own time is evicted, and that nothing is beyond the head', () => {
    const window = new EventWindow(7);
    expect([window.head, window.partAfter(6), window.partAfter(7)]).to.deep.equal([7, 'evicted', 'head']);
  });

  it('hands out frozen events, the same to all', () => {
    const window = new EventWindow(0);
    window.add(commit(1, 1));
    const [one] = window.partAfter(0) as readonly object[];
    expect(Object.isFrozen(one)).to.equal(true);
    expect((window.partAfter(0) as readonly object[])[0]).to.equal(one);
  });

  it('decodes for readers who name types what they name, also what nobody had named before', () => {
    const window = new EventWindow(0);
    window.add(commit(1, 2, '', 'made'));
    window.add(commit(3, 2, '"sold"', 'lent'));
    window.add(commit(5, 1, '', 'sold'));
    const found = (after: number, ...types: string[]): unknown => {
      const part = window.selectAfter(after, new Set(types));
      return typeof part === 'string'
        ? part
        : [part.events.filter(({ type }) => types.includes(type)).map(({ position }) => position), part.searchedTo];
    };
    expect(found(0, 'sold')).to.deep.equal([[], 2]);
    expect(found(2, 'sold')).to.deep.equal([[], 4]);
    expect(found(4, 'sold')).to.deep.equal([[5], 5]);
    expect(found(0, 'made', 'lent')).to.deep.equal([[1, 2], 2]);
    expect(found(2, 'made', 'lent')).to.deep.equal([[3, 4], 4]);
    expect(found(4, 'lent')).to.deep.equal([[], 5]);
    expect(found(5, 'lent')).to.equal('head');
    for (let i = 0; i < 300; i += 1) expect(found(1, `type ${i}`)).to.deep.equal([[], 2]);
    expect(found(2, 'lent')).to.deep.equal([[3, 4], 4]);
  });

  it('gives pages as they were committed, each event in one of them, until they are evicted', () => {
    const window = new EventWindow(0, { maxEvents: 400, maxCharacters: 100_000_000 });
    const seen: number[] = [];
    for (let position = 1; position <= 390; position += 10) window.add(commit(position, 10, 'x'.repeat(10_000)));
    for (let after = 0, pages = window.pagesAfter(after); pages?.[0]; pages = window.pagesAfter(after)) {
      for (const { firstPosition, lastPosition, body } of pages) {
        expect(JSON.parse(body)).to.have.length(lastPosition - firstPosition + 1);
        for (let position = firstPosition; position <= lastPosition; position += 1) seen.push(position);
        after = lastPosition;
      }
    }
    expect(seen).to.deep.equal(Array.from({ length: 390 }, (_, i) => i + 1));
    expect(window.pagesAfter(390)).to.deep.equal([]);
    expect(window.pagesAfter(383)?.map(({ firstPosition }) => firstPosition)).to.deep.equal([381]);
    for (let position = 391; position <= 420; position += 10) window.add(commit(position, 10));
    expect(window.pagesAfter(5)).to.equal(undefined);
  });

  it('wakes its followers after each commit, also one that came or went during the waking', () => {
    const window = new EventWindow(0);
    const woken: string[] = [];
    const unfollow = window.follow(() => {
      woken.push('first');
      unfollow();
      window.follow(() => woken.push('new'));
    });
    window.follow(() => woken.push('second'));
    window.add(commit(1, 1));
    window.add(commit(2, 1));
    expect(woken.filter((name) => name === 'first')).to.have.length(1);
    expect(woken.filter((name) => name === 'second')).to.have.length(2);
    expect(woken).to.include('new');
  });
});

describe('EventFeed', () => {
  it('hands out every event once, in order, whatever the size of the window and of the pages', async () => {
    const step = oneof(
      record({ do: constant('commit' as const), id: constantFrom('a', 'b'), count: integer({ min: 1, max: 9 }) }),
      record({ do: constant('pull' as const), max: integer({ min: 1, max: 12 }) }),
      record({ do: constant('burst' as const), count: integer({ min: 1, max: 6 }) }),
      record({ do: constant('reopen' as const) }),
    );
    await assert(
      asyncProperty(
        integer({ min: 1, max: 25 }),
        integer({ min: 100, max: 5_000 }),
        constantFrom(undefined, 'odd'),
        array(step, { maxLength: 60 }),
        async (maxEvents, maxCharacters, type, steps) => {
          const harness = new FeedHarness(maxEvents, maxCharacters);
          const types = type === undefined ? undefined : new Set([type]);
          let feed = new EventFeed(harness.window, harness.journal, { after: 0, types });
          const seen: number[] = [];
          const wanted: number[] = [];
          let position = 0;
          let commits = 0;
          const commit = async (id: string, count: number): Promise<void> => {
            commits += 1;
            const kind = commits % 2 === 1 ? 'odd' : 'even';
            for (let i = 0; i < count; i += 1) {
              position += 1;
              if (type === undefined || kind === type) wanted.push(position);
            }
            await harness.commit(id, count, kind);
          };
          const pull = async (max: number): Promise<boolean> => {
            const page = await feed.pull(max);
            if (page === undefined) return false;
            expect(page.events.length).to.be.at.most(max);
            for (const event of page.events) seen.push(event.position);
            return true;
          };
          for (const one of steps) {
            if (one.do === 'commit') await commit(one.id, one.count);
            else if (one.do === 'burst') {
              // A commit while a page is being read.
              const pulled = pull(3);
              for (let i = 0; i < one.count; i += 1) await commit('a', 1);
              await pulled;
            } else if (one.do === 'pull') await pull(one.max);
            else {
              harness.reopen();
              feed = new EventFeed(harness.window, harness.journal, { after: feed.position, types });
            }
          }
          while (await pull(7));
          expect(seen).to.deep.equal(wanted);
          expect(feed.position).to.equal(position);
          expect(feed.atHead).to.equal(true);
        },
      ),
      { numRuns: 150 },
    );
  });
});
