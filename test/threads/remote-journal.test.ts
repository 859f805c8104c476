/** What crosses between a worker's cells and the journal: entries arrive whole and in order, and each hears its own outcome. */
import { expect } from 'chai';
import { TroupeError } from '../../src/core/troupe-error.js';
import type { Journal, JournalEntry, Stream } from '../../src/journal/journal.js';
import { JournalServer } from '../../src/threads/journal-server.js';
import { RemoteJournal } from '../../src/threads/remote-journal.js';
import { turns } from '../support/turns.js';

/** Both sides, joined as a port joins them; the journal itself only takes notes. */
class Pair {
  readonly appended: JournalEntry[] = [];
  readonly calls: string[] = [];
  readonly remote: RemoteJournal;
  posts = 0;

  constructor() {
    const journal = {
      head: 7,
      load: (aggregate: string, id: string) => {
        const stream = { aggregate, id, head: 0, alive: true };
        return Promise.resolve({ stream, version: 0, snapshot: undefined, commandHashes: [] });
      },
      append: (entry: JournalEntry) => {
        this.appended.push(entry);
        this.calls.push(`append ${entry.stream.id} ${entry.commandId}`);
      },
      release: (stream: Stream) => this.calls.push(`release ${stream.id}`),
      findOutcome: () => Promise.reject(new TroupeError('TROUPE_JOURNAL_WRITE_FAILED', 'the disk is gone')),
    } as unknown as Journal;
    const server = new JournalServer(journal, (answers) => this.remote.receive(structuredClone(answers)));
    this.remote = new RemoteJournal(0, (requests) => {
      this.posts += 1;
      server.receive(structuredClone(requests));
    });
  }

  /** A stream with a version, as a cell that has loaded it holds it. */
  async stream(id: string): Promise<Stream> {
    return (await this.remote.load('thing', id, undefined)).stream;
  }
}

/** What became of an entry. */
type Told = { firstPosition: number; recordedAt: number } | { failed: string };

function entry(stream: Stream, n: number, told: Told[], more: Partial<JournalEntry> = {}): JournalEntry {
  return {
    stream,
    baseVersion: n - 1,
    events: `[${n},"ł"]`,
    eventCount: 1,
    commandId: `command-${n}`,
    commandHash: -n,
    eventIdHashes: undefined,
    eventlessOutcome: undefined,
    snapshot: undefined,
    timers: undefined,
    ...more,
    committed: (firstPosition, recordedAt) => (told[n] = { firstPosition, recordedAt }),
    failed: ({ code }) => (told[n] = { failed: code }),
  };
}

/** The parts of an entry that cross. */
function partsOf(one: JournalEntry): unknown[] {
  const { baseVersion, events, eventCount, commandId, commandHash, eventIdHashes } = one;
  const { eventlessOutcome, snapshot, timers } = one;
  return [baseVersion, events, eventCount, commandId, commandHash, eventIdHashes, eventlessOutcome, snapshot, timers];
}

describe('the journal at the end of a port', () => {
  const outcome = { kind: 'reply', reply: { total: 3 }, version: 2, position: 0 } as const;
  const rare: Partial<JournalEntry>[] = [
    {},
    { eventIdHashes: [1, -2] },
    { events: '', eventCount: 0, eventlessOutcome: { fingerprint: 9, outcome } },
    { snapshot: { state: '{}', schemaVersion: 2, keep: 3 } },
    { timers: [{ kind: 'cleared', owner: 'thing/a', name: 'later' }] },
    {},
  ];

  it('carries the entries of one turn in one message, each with all it has, in order', async () => {
    const pair = new Pair();
    const [a, b] = [await pair.stream('a'), await pair.stream('b')];
    pair.posts = 0;
    const sent = rare.map((more, i) => entry(i % 2 === 0 ? a : b, i + 1, [], more));
    for (const one of sent) pair.remote.append(one);
    await turns();
    expect(pair.posts).to.equal(1);
    expect(pair.appended.map(partsOf)).to.deep.equal(sent.map(partsOf));
    expect(pair.appended.map(({ stream }) => stream.id).join('')).to.equal('ababab');
  });

  it('tells each entry its own outcome, whatever order they come in', async () => {
    const pair = new Pair();
    const stream = await pair.stream('a');
    const told: Told[] = [];
    for (let n = 1; n <= 4; n += 1) pair.remote.append(entry(stream, n, told));
    await turns();
    const [first, second, third, fourth] = pair.appended;
    fourth?.committed(40, 1_764_000_000_004);
    first?.committed(10, 1_764_000_000_001);
    second?.failed(new TroupeError('TROUPE_JOURNAL_WRITE_FAILED', 'full'));
    await turns();
    expect(pair.remote.pending).to.equal(1);
    third?.committed(30, 1_764_000_000_003);
    await turns();
    expect(told.slice(1)).to.deep.equal([
      { firstPosition: 10, recordedAt: 1_764_000_000_001 },
      { failed: 'TROUPE_JOURNAL_WRITE_FAILED' },
      { firstPosition: 30, recordedAt: 1_764_000_000_003 },
      { firstPosition: 40, recordedAt: 1_764_000_000_004 },
    ]);
    expect([pair.remote.pending, pair.remote.head]).to.deep.equal([0, 7]);
  });

  it('tells entries their outcomes also where other questions were asked between them in the same turn', async () => {
    const pair = new Pair();
    const stream = await pair.stream('a');
    const told: Told[] = [];
    pair.remote.append(entry(stream, 1, told));
    const question = pair.stream('b');
    pair.remote.append(entry(stream, 2, told));
    const failing = pair.remote.findOutcome('thing', 'a', 'command-1', []).catch((error: TroupeError) => error.code);
    pair.remote.append(entry(stream, 3, told));
    await turns();
    const [first, second, third] = pair.appended;
    first?.committed(1, 1_001);
    second?.failed(new TroupeError('TROUPE_VERSION_CONFLICT', 'overtaken'));
    third?.committed(3, 1_003);
    await turns();
    expect(told.slice(1)).to.deep.equal([
      { firstPosition: 1, recordedAt: 1_001 },
      { failed: 'TROUPE_VERSION_CONFLICT' },
      { firstPosition: 3, recordedAt: 1_003 },
    ]);
    expect((await question).id).to.equal('b');
    expect(await failing).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
    expect(pair.remote.pending).to.equal(0);
  });

  it('releases a stream behind what was appended to it, and a question fails with the error of the journal', async () => {
    const pair = new Pair();
    const stream = await pair.stream('a');
    pair.remote.append(entry(stream, 1, []));
    pair.remote.release(stream);
    const question = pair.remote.findOutcome('thing', 'a', 'command-1', [1]).catch((error: TroupeError) => error.code);
    expect(await question).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
    expect(pair.calls).to.deep.equal(['append a command-1', 'release a']);
  });
});
