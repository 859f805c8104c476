/** Reading the log from outside: the past and the present, no gap, no repeat, and an end. */
import { expect } from 'chai';
import { assert, asyncProperty, constantFrom, integer, option } from 'fast-check';
import type { RecordedEvent } from '../../src/core/recorded-event.js';
import { foldStream, LogReader, type LogSelection } from '../../src/streams/log-reader.js';
import { FeedHarness } from './feed-harness.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const same = (event: RecordedEvent): RecordedEvent => event;
const known = (event: RecordedEvent): boolean => event.aggregateId !== 'stranger';

function setUp(windowEvents = 1_000) {
  const harness = new FeedHarness(windowEvents);
  const stop = new AbortController();
  const caught: unknown[] = [];
  const reader = new LogReader(harness.journal, harness.window, { present: same, known }, stop.signal, (error) =>
    caught.push(error),
  );
  return { harness, reader, stop, caught };
}

async function positions(events: AsyncIterable<RecordedEvent>): Promise<number[]> {
  const all: number[] = [];
  for await (const event of events) all.push(event.position);
  return all;
}

describe('LogReader', () => {
  it('reads nothing with a limit of 0, also live', async () => {
    const { harness, reader } = setUp();
    await harness.commit('a', 3);
    expect(await positions(reader.read({ limit: 0 }))).to.deep.equal([]);
    expect(await positions(reader.read({ limit: 0, live: true, after: 3 }))).to.deep.equal([]);
  });

  it('gives what was there at the start and no more, when it is not live', async () => {
    const { harness, reader } = setUp();
    await harness.commit('a', 3);
    const events = reader.read({});
    const first = await events.next();
    await harness.commit('a', 3);
    expect((first.value as RecordedEvent).position).to.equal(1);
    expect(await positions(events)).to.deep.equal([2, 3]);
  });

  it('gives past and present without gap or repeat, selected by aggregate, id and type', async () => {
    const selection = integer({ min: 0, max: 2_500 }).chain((after) =>
      integer({ min: 1, max: 40 }).chain((windowEvents) =>
        option(constantFrom('a', 'b')).map((id) => ({ after, windowEvents, id })),
      ),
    );
    await assert(
      asyncProperty(selection, constantFrom(undefined, 'odd'), async ({ after, windowEvents, id }, type) => {
        const { harness, reader, stop } = setUp(windowEvents);
        const wanted: number[] = [];
        let position = 0;
        const commit = async (n: number): Promise<void> => {
          const to = n % 3 === 0 ? 'a' : 'b';
          const kind = n % 2 === 1 ? 'odd' : 'even';
          const count = 1 + (n % 4);
          for (let i = 0; i < count; i += 1) {
            position += 1;
            if (position > after && (id === null || id === to) && (type === undefined || type === kind))
              wanted.push(position);
          }
          await harness.commit(to, count, kind);
        };
        for (let n = 0; n < 60; n += 1) await commit(n);
        const selected: LogSelection = {
          after,
          live: true,
          ...(id === null ? {} : { aggregate: 'thing', id }),
          ...(type === undefined ? {} : { types: [type] }),
        };
        const seen = positions(reader.read(selected));
        for (let n = 0; n < 20; n += 1) {
          await commit(n);
          if (n % 5 === 0) await turn();
        }
        for (let i = 0; i < 50; i += 1) await turn();
        stop.abort();
        expect(await seen).to.deep.equal(wanted);
      }),
      { numRuns: 40 },
    );
  });

  it('ends live readers quietly when the system stops, tells those who read the past that it was not all, also when the journal is closed under a read', async () => {
    const { harness, stop, caught } = setUp(10);
    for (let i = 0; i < 30; i += 1) await harness.commit('a', 100);
    harness.reopen();
    const late = new LogReader(harness.journal, harness.window, { present: same, known }, stop.signal, (error) =>
      caught.push(error),
    );
    const journalRead = harness.journal.read.bind(harness.journal);
    const closed = new Promise<never>((_resolve, reject) => {
      stop.signal.addEventListener('abort', () => reject(new Error('the journal is closed')));
    });
    // Each of the four readers gets one page; the second is being read when the journal closes.
    let reads = 0;
    harness.journal.read = (query) => ((reads += 1) <= 4 ? journalRead(query) : closed);
    const ends: string[] = [];
    for (const live of [true, false]) {
      late.observe({ live }).subscribe({
        complete: () => ends.push(`live ${live}: complete`),
        error: (error: Error) => ends.push(`live ${live}: ${error.message}`),
      });
    }
    const pulled = positions(late.read({ live: true }));
    const past = positions(late.read({})).catch((error: Error) => error.message);
    for (let i = 0; i < 3; i += 1) await turn();
    expect(reads).to.equal(8);
    stop.abort();
    expect((await pulled).length).to.be.below(3_000);
    expect(await past).to.match(/^the events behind position 1000 were not read, up to 3000: the system has stopped/);
    for (let i = 0; i < 3; i += 1) await turn();
    expect(ends.sort()).to.deep.equal([`live false: ${String(await past)}`, 'live true: complete']);
    expect(caught).to.deep.equal([]);
    // Who comes after the end is not told that there is nothing.
    const error = await positions(late.read({})).catch((thrown: unknown) => thrown);
    expect(String(error)).to.contain('the journal is closed');
  });

  it('ends live readers when the system stops, also those that wait', async () => {
    const { harness, reader, stop } = setUp();
    await harness.commit('a', 1);
    const all = Array.from({ length: 3 }, () => positions(reader.read({ live: true })));
    for (let i = 0; i < 5; i += 1) await turn();
    stop.abort();
    expect(await Promise.all(all)).to.deep.equal([[1], [1], [1]]);
    expect(await positions(reader.read({ live: true }))).to.deep.equal([1]);
  });

  it('serves 50 live readers at a time without a warning of the process', async () => {
    const { harness, reader, stop } = setUp();
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', note);
    const all = Array.from({ length: 50 }, () => positions(reader.read({ live: true })));
    for (let i = 0; i < 5; i += 1) await turn();
    await harness.commit('a', 2);
    for (let i = 0; i < 5; i += 1) await turn();
    stop.abort();
    expect(await Promise.all(all)).to.deep.equal(all.map(() => [1, 2]));
    await turn();
    process.off('warning', note);
    expect(warnings).to.deep.equal([]);
  });

  it('stops reading for a subscriber that has unsubscribed, in the middle of a page', async () => {
    const { harness, reader } = setUp();
    await harness.commit('a', 500);
    const seen: number[] = [];
    const subscription = reader.observe({}).subscribe((event) => {
      seen.push(event.position);
      if (event.position === 3) subscription.unsubscribe();
    });
    for (let i = 0; i < 20; i += 1) await turn();
    expect(seen).to.deep.equal([1, 2, 3]);
  });

  it('tells a subscriber of the error of a read, once', async () => {
    const { harness, stop } = setUp();
    await harness.commit('a', 2);
    const broken = new LogReader(
      harness.journal,
      harness.window,
      {
        present: () => {
          throw new Error('no upcaster');
        },
        known,
      },
      stop.signal,
      () => undefined,
    );
    const told: string[] = [];
    broken
      .observe({ live: true })
      .subscribe({ error: (error) => told.push(String(error)), complete: () => told.push('end') });
    for (let i = 0; i < 10; i += 1) await turn();
    expect(told).to.deep.equal(['Error: no upcaster']);
  });
});

describe('LogReader, unknown events', () => {
  it('passes them, skips and counts them, or fails at the first and names its position, as asked', async () => {
    const { harness, reader } = setUp();
    await harness.commit('a', 2);
    await harness.commit('stranger', 1);
    await harness.commit('a', 1);
    expect(await positions(reader.read({}))).to.deep.equal([1, 2, 3, 4]);
    expect(await positions(reader.read({ unknownEvents: 'skip', limit: 3 }))).to.deep.equal([1, 2, 4]);
    expect(reader.eventsSkipped).to.equal(1);
    const seen: number[] = [];
    let error: unknown;
    try {
      for await (const event of reader.read({ unknownEvents: 'fail' })) seen.push(event.position);
    } catch (thrown) {
      error = thrown;
    }
    expect(seen).to.deep.equal([1, 2]);
    expect(error).to.have.property('code', 'TROUPE_INVALID_EVENT');
    expect(error).to.have.property('message').that.contains('position 3');
  });
});

describe('LogReader, subscribers', () => {
  it('keeps one that throws, tells of each exception, and of a failed read that it has no handler for', async () => {
    const { harness, reader, caught } = setUp();
    await harness.commit('a', 3);
    const seen: number[] = [];
    reader.observe({}).subscribe((event) => {
      seen.push(event.position);
      throw new Error(`thrown at ${event.position}`);
    });
    for (let i = 0; i < 10; i += 1) await turn();
    expect(seen).to.deep.equal([1, 2, 3]);
    expect(caught.map(String)).to.deep.equal(['Error: thrown at 1', 'Error: thrown at 2', 'Error: thrown at 3']);
    const read = harness.journal.read.bind(harness.journal);
    harness.journal.read = () => Promise.reject(new Error('damaged'));
    reader.observe({}).subscribe(() => undefined);
    for (let i = 0; i < 10; i += 1) await turn();
    harness.journal.read = read;
    expect(caught.map(String).slice(3)).to.deep.equal(['Error: damaged']);
  });
});

describe('foldStream', () => {
  it('folds up to a version or a time, inclusive', async () => {
    const { harness } = setUp();
    await harness.commit('a', 1_500);
    await harness.commit('a', 10);
    const fold = (until: Parameters<typeof foldStream>[3]) =>
      foldStream(harness.journal, 'thing', 'a', until, 0, (count) => count + 1);
    expect(await fold({})).to.equal(1_510);
    expect(await fold({ atVersion: 1_200 })).to.equal(1_200);
    expect(await fold({ atVersion: 0 })).to.equal(0);
    expect(await fold({ atTime: 0 })).to.equal(0);
    expect(await fold({ atTime: Number.MAX_SAFE_INTEGER })).to.equal(1_510);
  });
});
