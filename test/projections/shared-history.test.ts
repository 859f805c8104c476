/** Laws of the shared history: each page is read once for all who are far behind, and nobody waits for one who stands still. */
import { expect } from 'chai';
import { LIMITS } from '../../src/core/limits.js';
import type { EventPage, EventQuery } from '../../src/journal/journal.js';
import { SharedHistory } from '../../src/projections/shared-history.js';
import { EventLog } from './event-log.js';
import { failure } from './read-models.js';

const PAGE = LIMITS.projectionBatch;

describe('SharedHistory', () => {
  let log: EventLog;
  let reads: number[];
  let history: SharedHistory;

  beforeEach(() => {
    log = new EventLog();
    const types = ['a', 'b', 'c', 'nobody reads this'];
    log.add(...Array.from({ length: PAGE * 15 }, (_, i) => ({ type: types[i % 4] ?? '' })));
    reads = [];
    const read = (query: EventQuery): Promise<EventPage> => {
      reads.push(query.after);
      return log.journal.read(query);
    };
    history = new SharedHistory({ read }, ['a', 'b', 'c', 'b']);
  });

  /** Reads from a position to the head; gives the positions of what it got. */
  async function readAll(
    types: string[],
    after = 0,
    pause: () => Promise<void> = async () => undefined,
  ): Promise<number[]> {
    const reader = history.open();
    const positions: number[] = [];
    let position = after;
    while (position < log.head) {
      const page = await reader.read({ after: position, limit: PAGE, types });
      if (page.searchedTo <= position) throw new Error(`no progress at ${position}`);
      for (const event of page.events) positions.push(event.position);
      position = page.searchedTo;
      await pause();
    }
    reader.leave();
    return positions;
  }

  const wanted = (types: string[], after = 0): number[] =>
    log.events.filter((event) => event.position > after && types.includes(event.type)).map((event) => event.position);

  it('5 readers of different types get what is theirs, and each page is read once', async () => {
    const types = [['a'], ['b'], ['a', 'c'], ['a', 'b', 'c'], ['c']];
    const got = await Promise.all(types.map((types) => readAll(types)));
    expect(got).to.deep.equal(types.map((types) => wanted(types)));
    expect(new Set(reads).size).to.equal(reads.length);
    expect(reads.length).to.be.within(11, 12);
  });

  it('one who is slow is waited for as long as it keeps reading', async () => {
    const slow = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const [fast, late] = await Promise.all([readAll(['a']), readAll(['b', 'c'], 0, slow)]);
    expect(fast).to.deep.equal(wanted(['a']));
    expect(late).to.deep.equal(wanted(['b', 'c']));
    // If nobody waited, all 12 pages would be read twice.
    expect(reads.length).to.be.at.most(18);
  });

  it('one who stands still is not waited for, and reads for itself when it goes on', async () => {
    const still = history.open();
    await still.read({ after: 0, limit: PAGE, types: ['a'] });
    expect(await readAll(['b'])).to.deep.equal(wanted(['b']));
    const page = await still.read({ after: PAGE, limit: PAGE, types: ['a'] });
    expect(page.events[0]?.position).to.equal(wanted(['a'], PAGE)[0]);
  });

  it('one who has left is not waited for at all', async () => {
    const gone = history.open();
    await gone.read({ after: 0, limit: PAGE, types: ['a'] });
    gone.leave();
    expect(await readAll(['b'])).to.deep.equal(wanted(['b']));
  });

  it('readers that begin at different places get what is theirs', async () => {
    const starts = [0, 17, PAGE * 3 + 5, PAGE * 10, 1, log.head - 1];
    const got = await Promise.all(starts.map((after) => readAll(['a', 'b'], after)));
    expect(got).to.deep.equal(starts.map((after) => wanted(['a', 'b'], after)));
  });

  it('readers whose types nobody had announced miss nothing of pages that were read before they came', async () => {
    history = new SharedHistory({ read: (query) => log.journal.read(query) });
    const one = readAll(['a']);
    await new Promise((resolve) => setImmediate(resolve));
    const other = readAll(['b', 'c']);
    await history.open().read({ after: 0, limit: PAGE, types: ['b'] });
    const third = readAll(['a', 'c'], 9);
    expect(await Promise.all([one, other, third])).to.deep.equal([
      wanted(['a']),
      wanted(['b', 'c']),
      wanted(['a', 'c'], 9),
    ]);
  });

  it('a page that is larger than the limit comes in parts', async () => {
    const reader = history.open();
    const first = await reader.read({ after: 0, limit: 3, types: ['a', 'b', 'c'] });
    expect(first.events.map((event) => event.position)).to.deep.equal([1, 2, 3]);
    const second = await reader.read({ after: first.searchedTo, limit: 3, types: ['a', 'b', 'c'] });
    expect(second.events.map((event) => event.position)).to.deep.equal([5, 6, 7]);
    expect(reads).to.deep.equal([0]);
  });

  it('a page that can not be read fails for all who wait for it, and is read again', async () => {
    log.onRead = () => {
      log.onRead = undefined;
      throw new Error('the disk reported an error');
    };
    const query = { after: 0, limit: PAGE, types: ['a'] };
    const readers = [history.open(), history.open()];
    const errors = await Promise.all(readers.map((reader) => failure(reader.read(query))));
    expect(errors.map((error) => error.message)).to.deep.equal(Array(2).fill('the disk reported an error'));
    const page = await readers[0]?.read(query);
    expect(page?.events[0]?.position).to.equal(1);
  });

  it('what comes behind the head is not missed by a page that was read before', async () => {
    const reader = history.open();
    const types = ['a', 'b', 'c'];
    await reader.read({ after: log.head, limit: PAGE, types });
    log.add({ type: 'a' });
    const page = await reader.read({ after: log.head - 1, limit: PAGE, types });
    expect(page.events.map((event) => event.position)).to.deep.equal([log.head]);
  });
});
