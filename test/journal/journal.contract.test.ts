/** What every journal keeps, whatever it keeps it in. */
import { expect } from 'chai';
import { hashText } from '../../src/core/fingerprint.js';
import type { CommittedEvents, Journal, RecordRange } from '../../src/journal/journal.js';
import type { JournalFault } from '../../src/journal/journal-store.js';
import type { StoredTimer, TimerChange } from '../../src/journal/timer-change.js';
import { MemoryJournal } from '../../src/journal/memory-journal.js';
import type { OpenJournalOptions } from '../../src/journal/open-journal.js';
import {
  ANYWHERE,
  KeptEvents,
  replayWhole,
  append,
  codeOf,
  errorOf,
  hashesIn,
  inFile,
  readAll,
  readWhole,
  settableClock,
} from './journal-harness.js';

type Options = Omit<OpenJournalOptions, 'path' | 'durability'>;

const journals: Readonly<
  Record<string, (options: Options, use: (journal: Journal) => Promise<void>) => Promise<void>>
> = {
  'in memory': async (options, use) => {
    const journal = new MemoryJournal(options);
    await use(journal);
    await journal.close();
  },
  'in SQLite': inFile,
};

for (const [where, open] of Object.entries(journals)) {
  const withJournal =
    (use: (journal: Journal) => Promise<void>, options: Options = {}): (() => Promise<void>) =>
    () =>
      open(options, use);

  describe(`a journal ${where}`, () => {
    describe('appending', () => {
      it(
        'gives positions without a gap from 1, in the order appended, whatever the aggregate',
        withJournal(async (journal) => {
          const streams = await Promise.all(
            ['a', 'b', 'c'].map(async (id) => (await journal.load('thing', id, undefined)).stream),
          );
          const receipts = await Promise.all(
            Array.from({ length: 300 }, (_, i) =>
              append(journal, streams[i % 3] ?? expect.fail(), { data: [{ i }, { i }] }),
            ),
          );
          expect(receipts.map(({ firstPosition }) => firstPosition)).to.deep.equal(receipts.map((_, i) => 1 + 2 * i));
          expect(journal.head).to.equal(600);
          const events = await readAll(journal, 600);
          expect(events.map(({ position }) => position)).to.deep.equal(events.map((_, i) => i + 1));
          expect(events.map(({ data }) => data)).to.deep.equal(events.map((_, i) => ({ i: Math.floor(i / 2) })));
        }),
      );

      it(
        'gives versions without a gap from 1 within an aggregate',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const other = (await journal.load('thing', 'b', undefined)).stream;
          await Promise.all(Array.from({ length: 100 }, (_, i) => append(journal, i % 3 === 0 ? other : stream)));
          expect((await readWhole(journal, 'thing', 'a')).map(({ version }) => version)).to.deep.equal(upTo(66));
          expect((await readWhole(journal, 'thing', 'b')).map(({ version }) => version)).to.deep.equal(upTo(34));
        }),
      );

      it(
        'keeps each field of an event, and derives the id from place and version',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a/b', undefined);
          const { recordedAt } = await append(journal, stream, {
            commandId: 'c',
            data: [{ x: [1, 'é', null] }],
            type: 'thing.made',
          });
          const event = {
            position: 1,
            aggregate: 'thing',
            aggregateId: 'a/b',
            version: 1,
            type: 'thing.made',
            schemaVersion: 1,
            data: { x: [1, 'é', null] },
            id: 'thing/a/b@1',
            commandId: 'c',
            correlationId: 'c',
            causationId: null,
            metadata: {},
            recordedAt,
          };
          expect(await readAll(journal, 1)).to.deep.equal([event]);
          expect(await readWhole(journal, 'thing', 'a/b')).to.deep.equal([event]);
        }),
      );

      it(
        'answers never within the call',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          let within = true;
          const done = append(journal, stream, { onCommitted: () => expect(within).to.equal(false) });
          within = false;
          await done;
        }),
      );

      it(
        'puts what is appended in one tick into few commits',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await Promise.all(Array.from({ length: 1_000 }, () => append(journal, stream)));
          expect(journal.metrics().commits).to.be.at.most(10);
        }),
      );

      it(
        'takes 1,000 events in one entry, and events of 1 MiB',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const large = 'x'.repeat(1024 * 1024);
          await Promise.all([
            append(journal, stream, { data: Array.from({ length: 1_000 }, (_, i) => i) }),
            append(journal, stream, { data: [large] }),
            append(journal, stream, { data: [large, large] }),
            append(journal, stream, { data: ['last'] }),
          ]);
          const data = [...Array.from({ length: 1_000 }, (_, i) => i), large, large, large, 'last'];
          expect((await readAll(journal, 1_004)).map((event) => event.data)).to.deep.equal(data);
          expect((await readWhole(journal, 'thing', 'a')).map((event) => event.data)).to.deep.equal(data);
        }),
      );

      it(
        'keeps aggregates apart whose ids look alike, and ids of any characters',
        withJournal(async (journal) => {
          const ids = [
            '',
            '"',
            '\\',
            '\u0000',
            '\u001e',
            'a\nb',
            '1',
            '01',
            'é',
            '💥',
            '\ud800',
            '\ud801',
            "'; DROP TABLE stream; --",
            '["x"',
          ];
          for (const id of ids) {
            const { stream } = await journal.load('thing', id, undefined);
            await append(journal, stream, { commandId: `of ${id}`, data: [{ id }] });
          }
          for (const id of ids) {
            const { version } = await journal.load('thing', id, undefined);
            expect(version, JSON.stringify(id)).to.equal(1);
            expect((await readWhole(journal, 'thing', id)).map(({ data }) => data)).to.deep.equal([{ id }]);
            expect(await readAll(journal, ids.length, { aggregate: 'thing', id })).to.have.length(1);
            expect(await journal.findOutcome('thing', id, `of ${id}`, ANYWHERE)).to.not.equal(undefined);
          }
        }),
      );

      it(
        'is not deceived by data that look like its own events',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const other = (await journal.load('thing', 'b', undefined)).stream;
          const decoy = ['thing', 'a', 1, 'thing.done', 1, { fake: true }, 'c', 'c', null, null, null, [1, 'fake']];
          await Promise.all([
            append(journal, other, { data: [[decoy, '["thing","a",1,"']] }),
            append(journal, stream, { commandId: 'c', data: [{ real: '}]"\\' }], reply: 'real' }),
          ]);
          expect((await readWhole(journal, 'thing', 'a')).map(({ data }) => data)).to.deep.equal([{ real: '}]"\\' }]);
          expect((await journal.findOutcome('thing', 'a', 'c', ANYWHERE))?.outcome).to.deep.include({
            reply: 'real',
            position: 2,
          });
        }),
      );

      it(
        'refuses an entry that does not start at the head of its stream',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream);
          const entry = {
            stream,
            baseVersion: 0,
            events: '',
            eventCount: 0,
            commandId: 'c',
            commandHash: 0,
            eventlessOutcome: undefined,
            snapshot: undefined,
            committed: () => expect.fail('not to be committed'),
            failed: () => expect.fail('not to be told'),
          };
          expect(() => {
            journal.append(entry);
          }).to.throw('thing/a: the entry does not start at the head of its stream');
        }),
      );
    });

    describe('telling', () => {
      it(
        'tells of each commit once, right before its entries, in order of position',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const told: string[] = [];
          journal.onCommit = (commit: CommittedEvents) => {
            const events = commit.pages.flatMap(({ body }) => JSON.parse(body) as unknown[][]);
            expect(events).to.have.length(commit.lastPosition - commit.firstPosition + 1);
            for (let i = 0; i < events.length; i += 1)
              told.push(`event ${commit.firstPosition + i} version ${String(events[i]?.[2])}`);
          };
          await Promise.all(
            upTo(3).map((n) => append(journal, stream, { onCommitted: () => told.push(`entry ${n}`) })),
          );
          await append(journal, stream, { onCommitted: () => told.push('entry 4') });
          expect(told).to.deep.equal([
            'event 1 version 1',
            'event 2 version 2',
            'event 3 version 3',
            'entry 1',
            'entry 2',
            'entry 3',
            'event 4 version 4',
            'entry 4',
          ]);
        }),
      );

      it(
        'tells an entry without events in its turn, with the position of the last event before it',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const order: number[] = [];
          const receipts = await Promise.all([
            append(journal, stream, { data: [], onCommitted: () => order.push(0) }),
            append(journal, stream, { data: [1, 2], onCommitted: () => order.push(1) }),
            append(journal, stream, { eventlessOutcome: rejection('no'), onCommitted: () => order.push(2) }),
            append(journal, stream, { onCommitted: () => order.push(3) }),
          ]);
          expect(order).to.deep.equal([0, 1, 2, 3]);
          expect(receipts.map(({ firstPosition }) => firstPosition)).to.deep.equal([0, 1, 2, 3]);
        }),
      );

      it('warns of a callback that throws, and calls the others', async () => {
        const warnings: string[] = [];
        await open({ warn: (message) => warnings.push(message) }, async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          void append(journal, stream, {
            onCommitted: () => {
              throw new Error('broken');
            },
          });
          await append(journal, stream);
          expect(warnings).to.have.length(1);
        });
      });

      it('never lets the time of a commit go back', async () => {
        const clock = settableClock(1_000_000);
        await open({ clock }, async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          expect((await append(journal, stream)).recordedAt).to.equal(1_000_000);
          clock.wallMs = 500_000;
          expect((await append(journal, stream)).recordedAt).to.equal(1_000_000);
          clock.wallMs = 1_000_001;
          expect((await append(journal, stream)).recordedAt).to.equal(1_000_001);
        });
      });
    });

    describe('reading', () => {
      const filled = (use: (journal: Journal) => Promise<void>): (() => Promise<void>) =>
        withJournal(async (journal) => {
          const streams = await Promise.all(
            upTo(20).map(async (n) => (await journal.load(n % 2 === 0 ? 'even' : 'odd', `${n}`, undefined)).stream),
          );
          const waiting: Promise<unknown>[] = [];
          for (let i = 0; i < 2_000; i += 1) {
            const stream = streams[(i * 7 + (i >> 3)) % 20] ?? expect.fail();
            waiting.push(append(journal, stream, { data: [{ i }], type: i % 10 === 0 ? 'tenth' : 'other' }));
            if (i % 100 === 0) await Promise.all(waiting);
          }
          await Promise.all(waiting);
          await use(journal);
        });

      it(
        'finds each event once by each kind of query, in order of position',
        filled(async (journal) => {
          const all = await readAll(journal, 2_000);
          expect(all).to.have.length(2_000);
          const queries = [
            { types: ['tenth'] },
            { types: ['tenth', 'other'] },
            { types: ['none'] },
            { aggregate: 'even' },
            { aggregate: 'even', types: ['tenth'] },
            { aggregate: 'odd', id: '7' },
            { aggregate: 'odd', id: '7', types: ['tenth'] },
            { aggregate: 'odd', id: '8' },
            { after: 1_234, aggregate: 'odd', id: '7' },
            { after: 777 },
            { limit: 1, after: 1_990 },
            { limit: 3, types: ['tenth'] },
          ];
          for (const query of queries) {
            const expected = all.filter(
              (event) =>
                event.position > (query.after ?? 0) &&
                (query.types === undefined || query.types.includes(event.type)) &&
                (query.aggregate === undefined || query.aggregate === event.aggregate) &&
                (query.id === undefined || query.id === event.aggregateId),
            );
            expect(await readAll(journal, 2_000, query), JSON.stringify(query)).to.deep.equal(expected);
          }
        }),
      );

      it(
        'returns at most as many events as asked for',
        filled(async (journal) => {
          expect((await journal.read({ after: 0, limit: 5 })).events).to.have.length(5);
          expect((await journal.read({ after: 0, limit: 5, types: ['tenth'] })).events.length).to.be.at.most(5);
        }),
      );

      it(
        'has searched to the head when there is nothing behind',
        filled(async (journal) => {
          expect(await journal.read({ after: 2_000, limit: 10 })).to.deep.equal({ events: [], searchedTo: 2_000 });
        }),
      );

      it(
        'reads an aggregate between two versions',
        filled(async (journal) => {
          const whole = await readWhole(journal, 'odd', '7');
          expect(whole.map(({ version }) => version)).to.deep.equal(upTo(whole.length));
          const some: number[] = [];
          for (let after = 10; after < 90; ) {
            const page = await journal.readStream('odd', '7', after, 90);
            some.push(...page.map(({ version }) => version));
            after = some.at(-1) ?? 90;
          }
          expect(some).to.deep.equal(upTo(90).slice(10));
          expect(await journal.readStream('odd', '7', whole.length, Number.MAX_SAFE_INTEGER)).to.deep.equal([]);
          expect(await journal.readStream('odd', 'nobody', 0, 10)).to.deep.equal([]);
        }),
      );

      it(
        'freezes what many readers share',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream, { data: [{ list: [1] }] });
          const [event] = await readAll(journal, 1);
          expect(event).to.be.frozen;
          // As it was appended.
          const { list } = (event ?? expect.fail()).data as { list: number[] };
          expect(list).to.be.frozen;
        }),
      );
    });

    describe('replays', () => {
      /** Entries of one to three events, of aggregates in turns; what each of them has. */
      const fill = async (journal: Journal, aggregates: number, entries: number): Promise<Map<string, unknown[]>> => {
        const stored = new Map<string, unknown[]>();
        const writes: Promise<unknown>[] = [];
        for (let n = 0; n < aggregates; n += 1) {
          const { stream } = await journal.load('thing', `${n}`, undefined);
          const all: unknown[] = [];
          stored.set(`${n}`, all);
          for (let i = 0; i < entries; i += 1) {
            const data = upTo(1 + ((n + i) % 3)).map((part) => ({ n, i, part }));
            all.push(...data);
            writes.push(append(journal, stream, { data }));
          }
        }
        await Promise.all(writes);
        return stored;
      };

      it(
        'hand each of 300 folds at once its own events, in order and once, from its version up to the one asked for',
        withJournal(async (journal) => {
          const stored = await fill(journal, 300, 12);
          const events = await readAll(journal, journal.head);
          await Promise.all(
            Array.from(stored, async ([id, data], n) => {
              const to = n % 3 === 0 ? data.length - 2 : data.length;
              const after = n % 7;
              const kept = new KeptEvents(after);
              await replayWhole(journal, id, kept, to);
              expect(kept.events.map((event) => event.data)).to.deep.equal(data.slice(after, to));
              const positions = events.filter(({ aggregateId }) => aggregateId === id).slice(after, to);
              expect(kept.events).to.deep.equal(positions);
            }),
          );
        }),
      ).timeout(60_000);

      it(
        'fail for a fold that throws, with what it has thrown, and for no other',
        withJournal(async (journal) => {
          const stored = await fill(journal, 40, 5);
          await Promise.all(
            Array.from(stored, async ([id, data], n) => {
              const kept = new KeptEvents(0, n % 4 === 0 ? 3 : undefined);
              const outcome = await replayWhole(journal, id, kept, data.length).catch((error: Error) => error.message);
              expect(outcome).to.equal(n % 4 === 0 ? `broken at ${id}@3` : undefined);
              expect(kept.version).to.equal(n % 4 === 0 ? 2 : data.length);
            }),
          );
        }),
      );

      it(
        'of events that are not there change nothing',
        withJournal(async (journal) => {
          await fill(journal, 2, 3);
          const kept = new KeptEvents(6);
          for (const id of ['0', 'nobody']) await journal.replayStream('thing', id, kept, 100);
          expect(kept.version).to.equal(6);
        }),
      );
    });

    describe('outcomes', () => {
      it(
        'finds the first outcome of a command with events, and none of another',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream, { commandId: 'one', data: [1, 2], reply: { ok: true } });
          await append(journal, stream, { commandId: 'two' });
          expect(await journal.findOutcome('thing', 'a', 'one', ANYWHERE)).to.deep.equal({
            fingerprint: hashText('one'),
            outcome: { kind: 'reply', reply: { ok: true }, version: 2, position: 2 },
          });
          expect((await journal.findOutcome('thing', 'a', 'two', ANYWHERE))?.outcome).to.deep.include({
            reply: undefined,
            version: 3,
          });
          expect(await journal.findOutcome('thing', 'a', 'three', ANYWHERE)).to.equal(undefined);
          expect(await journal.findOutcome('thing', 'b', 'one', ANYWHERE)).to.equal(undefined);
        }),
      );

      it(
        'finds each of 2,000 commands near the version that loading tells for its hash, and looks nowhere else',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const other = (await journal.load('thing', 'b', undefined)).stream;
          const writes: Promise<unknown>[] = [];
          for (const n of upTo(2_000)) {
            const eventlessOutcome = n % 50 === 0 ? { eventlessOutcome: rejection(`r${n}`) } : { reply: n };
            const ids = n % 3 === 0 ? { ids: [`e${n}`] } : {};
            writes.push(append(journal, stream, { commandId: `c${n}`, ...eventlessOutcome, ...ids }));
            writes.push(append(journal, other, { commandId: `o${n}` }));
          }
          await Promise.all(writes);
          const { commandHashes } = await journal.load('thing', 'a', undefined);
          const nearOf = new Map<number, number[]>();
          for (const told of commandHashes) {
            for (const hash of hashesIn([told])) nearOf.set(hash, [...(nearOf.get(hash) ?? []), told[0]]);
          }
          for (const n of upTo(2_000)) {
            const near = nearOf.get(hashText(`c${n}`)) ?? expect.fail(`c${n}`);
            const found = await journal.findOutcome('thing', 'a', `c${n}`, near);
            expect(found?.outcome, `c${n}`).to.deep.include(n % 50 === 0 ? { reason: `r${n}` } : { reply: n });
            if (n % 3 !== 0 || n % 50 === 0) continue;
            const nearEvent = nearOf.get(hashText(`e${n}`)) ?? expect.fail(`e${n}`);
            const [event] = await journal.findEvents('thing', 'a', [`e${n}`], nearEvent);
            expect(event?.id).to.equal(`e${n}`);
          }
          const far = nearOf.get(hashText('c1999')) ?? expect.fail();
          expect(await journal.findOutcome('thing', 'a', 'c1', far)).to.equal(undefined);
          expect(await journal.findEvents('thing', 'a', ['e3'], far)).to.deep.equal([]);
          expect(await journal.findOutcome('thing', 'a', 'c50', [1])).to.equal(undefined);
        }),
      ).timeout(60_000);

      it(
        'finds events by the ids that they were given, in their aggregate only, and none by its place',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream, { data: [1, 2, 3], ids: ['x', undefined, 'z'] });
          await append(journal, stream, { data: [4] });
          await append(journal, stream, { data: [5], ids: ['y'] });
          const find = async (id: string, ids: readonly string[]): Promise<unknown[]> =>
            (await journal.findEvents('thing', id, ids, ANYWHERE)).map(({ id: found, version, position, data }) => [
              found,
              version,
              position,
              data,
            ]);
          expect(await find('a', ['x', 'y', 'z', 'nothing', 'thing/a@2'])).to.deep.equal([
            ['x', 1, 1, 1],
            ['z', 3, 3, 3],
            ['y', 5, 5, 5],
          ]);
          expect(await find('a', ['y'])).to.deep.equal([['y', 5, 5, 5]]);
          expect(await find('b', ['x'])).to.deep.equal([]);
          const { commandHashes } = await journal.load('thing', 'a', undefined);
          for (const id of ['x', 'y', 'z']) expect(hashesIn(commandHashes)).to.include(hashText(id));
        }),
      );

      it(
        'tells commands apart whose ids have the same hash',
        withJournal(async (journal) => {
          const [one, two] = idsOfOneHash();
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream, { commandId: one, reply: 1 });
          expect(await journal.findOutcome('thing', 'a', two, ANYWHERE)).to.equal(undefined);
          await append(journal, stream, { commandId: two, eventlessOutcome: rejection('no') });
          expect((await journal.findOutcome('thing', 'a', one, ANYWHERE))?.outcome).to.deep.include({ reply: 1 });
          expect((await journal.findOutcome('thing', 'a', two, ANYWHERE))?.outcome).to.deep.include({ reason: 'no' });
        }),
      );

      it('keeps the last 3 outcomes without events of each aggregate when outcomes is 3', async () => {
        await open({ outcomes: 3 }, async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const other = (await journal.load('thing', 'b', undefined)).stream;
          await append(journal, other, { commandId: 'other', eventlessOutcome: rejection('other') });
          for (const n of upTo(5))
            await append(journal, stream, { commandId: `c${n}`, eventlessOutcome: rejection(`r${n}`) });
          const found = await Promise.all(upTo(5).map((n) => journal.findOutcome('thing', 'a', `c${n}`, ANYWHERE)));
          expect(
            found.map((outcome) => (outcome?.outcome.kind === 'rejection' ? outcome.outcome.reason : '')),
          ).to.deep.equal(['', '', 'r3', 'r4', 'r5']);
          expect(await journal.findOutcome('thing', 'b', 'other', ANYWHERE)).to.deep.equal(rejection('other'));
          expect(hashesIn((await journal.load('thing', 'a', undefined)).commandHashes)).to.have.members(
            ['c3', 'c4', 'c5'].map(hashText),
          );
        });
      });

      it(
        'gives a loaded instance the hash of each command with a stored outcome',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          for (const n of upTo(40))
            await append(journal, stream, { commandId: `c${n}`, data: n % 3 === 0 ? [1, 2, 3] : [1] });
          await append(journal, stream, { commandId: 'refused', eventlessOutcome: rejection('no') });
          const { commandHashes, version } = await journal.load('thing', 'a', undefined);
          expect(hashesIn(commandHashes)).to.have.members([
            ...upTo(40).map((n) => hashText(`c${n}`)),
            hashText('refused'),
          ]);
          expect(version).to.equal(66);
        }),
      );
    });

    describe('snapshots', () => {
      it(
        'gives the newest one of the wanted schema version',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream, { snapshot: { state: '{"n":1}', schemaVersion: 1, keep: 2 } });
          await append(journal, stream, { snapshot: { state: '{"n":2}', schemaVersion: 2, keep: 2 } });
          await append(journal, stream);
          expect((await journal.load('thing', 'a', 2)).snapshot).to.deep.equal({ version: 2, state: '{"n":2}' });
          expect((await journal.load('thing', 'a', 1)).snapshot).to.deep.equal({ version: 1, state: '{"n":1}' });
          expect((await journal.load('thing', 'a', 3)).snapshot).to.equal(undefined);
          expect((await journal.load('thing', 'a', undefined)).snapshot).to.equal(undefined);
        }),
      );

      it(
        'keeps as many as the entry says',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream, { snapshot: { state: '0', schemaVersion: 9, keep: 2 } });
          for (const n of upTo(2))
            await append(journal, stream, { snapshot: { state: `${n}`, schemaVersion: 1, keep: 2 } });
          expect((await journal.load('thing', 'a', 9)).snapshot).to.equal(undefined);
          expect((await journal.load('thing', 'a', 1)).snapshot).to.deep.equal({ version: 3, state: '2' });
        }),
      );
    });

    describe('records', () => {
      it(
        'keeps the last value of each key, in order of key, by kind',
        withJournal(async (journal) => {
          await journal.writeRecords([
            { kind: 'k', key: 'b', value: { n: [1] } },
            { kind: 'k', key: 'a', value: 'first' },
            { kind: 'other', key: 'a', value: null },
          ]);
          await Promise.all([
            journal.writeRecords([{ kind: 'k', key: 'a', value: 'second' }]),
            journal.writeRecords([{ kind: 'k', key: 'c', value: 3 }]),
            journal.writeRecords([
              { kind: 'k', key: 'c', value: undefined },
              { kind: 'k', key: 'nobody', value: undefined },
            ]),
          ]);
          expect(await journal.readRecords('k')).to.deep.equal([
            { key: 'a', value: 'second' },
            { key: 'b', value: { n: [1] } },
          ]);
          expect(await journal.readRecords('other')).to.deep.equal([{ key: 'a', value: null }]);
          expect(await journal.readRecords('none')).to.deep.equal([]);
        }),
      );

      it(
        'gives ranges of records in order of key, and single ones by key',
        withJournal(async (journal) => {
          const keys = ['r/1', 'r/2', 'r/3', 'r0', 'q/9'];
          await journal.writeRecords(keys.map((key) => ({ kind: 'k', key, value: key })));
          await journal.writeRecords([{ kind: 'other', key: 'r/15', value: 0 }]);
          const found = async (range: RecordRange) => (await journal.readRecords('k', range)).map(({ key }) => key);
          expect(await found({ after: 'r/', before: 'r0' })).to.deep.equal(['r/1', 'r/2', 'r/3']);
          expect(await found({ after: 'r/1', limit: 2 })).to.deep.equal(['r/2', 'r/3']);
          expect(await found({ limit: 1 })).to.deep.equal(['q/9']);
          expect(await journal.findRecords('k', ['r/3', 'nobody', 'q/9'])).to.deep.equal(['r/3', undefined, 'q/9']);
          expect(await journal.findRecords('k', [])).to.deep.equal([]);
        }),
      );
    });

    describe('timers', () => {
      const timer = (name: string, wakeAt: number, setting = 's'): StoredTimer => ({
        owner: 'remind>a/1',
        name,
        setting,
        wakeAt,
        body: '{}',
      });
      const set = (one: StoredTimer): TimerChange => ({ kind: 'set', timer: one });
      const namesOf = async (journal: Journal, limit = 10): Promise<string[]> =>
        (await journal.readTimers({ limit })).map(({ name, setting, wakeAt }) => `${name} ${setting} ${wakeAt}`);

      it(
        'keeps them in order of time, one for each owner and name, and reads by owner, from a time, up to a limit',
        withJournal(async (journal) => {
          await journal.writeRecords([], [set(timer('late', 3e12)), set(timer('soon', -5)), set(timer('mid', 7))]);
          await journal.writeRecords([], [set(timer('mid', 9, 't')), set({ ...timer('mid', 8), owner: 'remind>a/2' })]);
          expect(await namesOf(journal)).to.deep.equal(['soon s -5', 'mid s 8', 'mid t 9', 'late s 3000000000000']);
          expect(await namesOf(journal, 2)).to.deep.equal(['soon s -5', 'mid s 8']);
          const some = await journal.readTimers({ owner: 'remind>a/1', from: 0, limit: 10 });
          expect(some).to.deep.equal([timer('mid', 9, 't'), timer('late', 3e12)]);
        }),
      );

      it(
        'ends and moves a timer only if it is still the one that is meant',
        withJournal(async (journal) => {
          const first = timer('a', 1, 'first');
          const second = timer('a', 1, 'second');
          await journal.writeRecords([], [set(first)]);
          await journal.writeRecords([], [set(second)]);
          await journal.writeRecords([], [{ kind: 'ended', timer: first }]);
          await journal.writeRecords([], [{ kind: 'moved', timer: first, to: timer('a', 5, 'first') }]);
          expect(await namesOf(journal)).to.deep.equal(['a second 1']);
          await journal.writeRecords([], [{ kind: 'moved', timer: second, to: timer('a', 5, 'second') }]);
          await journal.writeRecords([], [{ kind: 'ended', timer: second }]);
          expect(await namesOf(journal)).to.deep.equal(['a second 5']);
          await journal.writeRecords([], [{ kind: 'ended', timer: timer('a', 5, 'second') }]);
          expect(await namesOf(journal)).to.deep.equal([]);
          await journal.writeRecords([], [{ kind: 'moved', timer: second, to: second }]);
          expect(await namesOf(journal)).to.deep.equal([]);
        }),
      );

      it(
        'within one commit lets no condition undo what was set or cleared',
        withJournal(async (journal) => {
          const before = timer('a', 1, 'before');
          await journal.writeRecords([], [set(before), set(timer('b', 1)), set(timer('c', 1))]);
          await Promise.all([
            journal.writeRecords([], [set(timer('a', 2, 'after'))]),
            journal.writeRecords([], [{ kind: 'ended', timer: before }]),
            journal.writeRecords([], [{ kind: 'cleared', owner: 'remind>a/1', name: 'b' }]),
            journal.writeRecords([], [{ kind: 'moved', timer: timer('b', 1), to: timer('b', 4) }]),
            journal.writeRecords([], [{ kind: 'ended', timer: timer('c', 1) }]),
            journal.writeRecords([], [set(timer('c', 3))]),
          ]);
          expect(await namesOf(journal)).to.deep.equal(['a after 2', 'c s 3']);
        }),
      );

      it(
        'within one commit ends each of two settings of a name that had it one after the other',
        withJournal(async (journal) => {
          await journal.writeRecords([], [set(timer('a', 1, 'second'))]);
          await Promise.all([
            journal.writeRecords([], [{ kind: 'ended', timer: timer('a', 1, 'second') }]),
            journal.writeRecords([], [{ kind: 'ended', timer: timer('a', 1, 'first') }]),
          ]);
          expect(await namesOf(journal)).to.deep.equal([]);
        }),
      );

      it(
        'writes those of an entry with its events or not at all, also without events, and tells of them first',
        withJournal(
          async (journal) => {
            const told: string[] = [];
            journal.onTimers = (changes) => told.push(changes === undefined ? 'unknown' : `timers ${changes.length}`);
            const { stream } = await journal.load('thing', 'a', undefined);
            await append(journal, stream, {
              timers: [set(timer('with', 1))],
              onCommitted: () => told.push('committed'),
            });
            await append(journal, stream, { data: [], timers: [set(timer('alone', 2))] });
            expect(told).to.deep.equal(['timers 1', 'committed', 'timers 1']);
            expect(await codeOf(append(journal, stream, { timers: [set(timer('lost', 3))] }))).to.equal(
              'TROUPE_JOURNAL_WRITE_FAILED',
            );
            expect(told.at(-1)).to.equal('unknown');
            expect(await namesOf(journal)).to.deep.equal(['with s 1', 'alone s 2']);
          },
          { fault: (commit, moment) => (commit === 3 && moment === 'before' ? new Error('disk') : undefined) },
        ),
      );
    });

    describe('handles', () => {
      it(
        'load waits for what an earlier handle has appended, and takes its right to append',
        withJournal(async (journal) => {
          const first = (await journal.load('thing', 'a', undefined)).stream;
          const pending = append(journal, first);
          const second = await journal.load('thing', 'a', undefined);
          expect(second.version).to.equal(1);
          expect((await pending).firstPosition).to.equal(1);
          expect(first.alive).to.equal(false);
          expect(await codeOf(append(journal, first))).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
          await append(journal, second.stream);
          expect((await readWhole(journal, 'thing', 'a')).map(({ version }) => version)).to.deep.equal([1, 2]);
        }),
      );

      it(
        'leaves one of several handles alive that are loaded at the same time',
        withJournal(async (journal) => {
          const loaded = await Promise.all(upTo(5).map(() => journal.load('thing', 'a', undefined)));
          const alive = loaded.filter(({ stream }) => stream.alive);
          expect(alive).to.have.length(1);
          const results = await Promise.all(loaded.map(({ stream }) => codeOf(append(journal, stream))));
          expect(results.filter((code) => code === 'TROUPE_JOURNAL_WRITE_FAILED')).to.have.length(4);
          expect((await journal.load('thing', 'a', undefined)).version).to.equal(1);
        }),
      );

      it(
        'a released handle commits what it has appended, and no more',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const pending = append(journal, stream);
          journal.release(stream);
          expect(await codeOf(append(journal, stream))).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
          await pending;
          expect((await journal.load('thing', 'a', undefined)).version).to.equal(1);
        }),
      );
    });

    describe('the end', () => {
      it(
        'flushed resolves when everything before it is told',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          let told = 0;
          for (let i = 0; i < 3_000; i += 1) void append(journal, stream, { onCommitted: () => (told += 1) });
          await journal.flushed();
          expect(told).to.equal(3_000);
          await journal.flushed();
        }),
      );

      it(
        'close commits what was appended; later entries and records fail; a second close waits for the first',
        withJournal(async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          const pending = append(journal, stream);
          await Promise.all([journal.close(), journal.close()]);
          expect((await pending).firstPosition).to.equal(1);
          expect(await codeOf(append(journal, stream))).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
          expect(await codeOf(journal.writeRecords([{ kind: 'k', key: 'a', value: 1 }]))).to.equal(
            'TROUPE_JOURNAL_WRITE_FAILED',
          );
        }),
      );
    });

    describe('a commit that fails', () => {
      it('fails its entries and all queued on top of them; other aggregates go on; nothing has a gap', async () => {
        const disk = new Error('disk on fire');
        await open(
          { fault: (commit, moment) => (commit === 2 && moment === 'before' ? disk : undefined) },
          async (journal) => {
            const [a, b] = [
              (await journal.load('thing', 'a', undefined)).stream,
              (await journal.load('thing', 'b', undefined)).stream,
            ];
            await append(journal, a);
            const failing = append(journal, a, { commandId: 'retried' });
            await Promise.resolve().then(() => undefined);
            // The commit of `failing` is under way after two turns; these two queue behind it.
            await new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
            const [onTop, other] = [append(journal, a), append(journal, b)];
            const error = await errorOf(failing);
            expect(error.code).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
            expect(error.cause).to.equal(disk);
            expect(error.message).to.contain('thing/a').and.to.contain('retry with the same command id');
            expect(await codeOf(onTop)).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
            expect((await other).firstPosition).to.equal(2);
            expect(a.alive).to.equal(false);
            expect(b.alive).to.equal(true);
            const again = await journal.load('thing', 'a', undefined);
            expect(again.version).to.equal(1);
            expect((await append(journal, again.stream, { commandId: 'retried' })).firstPosition).to.equal(3);
            const events = await readAll(journal, journal.head);
            expect(events.map(({ id }) => id)).to.deep.equal(['thing/a@1', 'thing/b@1', 'thing/a@2']);
            expect(journal.metrics()).to.deep.include({ failedCommits: 1, entriesWaiting: 0, position: 3 });
          },
        );
      });

      it('leaves nothing of an aggregate, an outcome, a snapshot or a record that came with it', async () => {
        const broken = (commit: number, moment: string): Error | undefined =>
          commit === 1 && moment === 'before' ? new Error('no') : undefined;
        await open({ fault: broken }, async (journal) => {
          const { stream } = await journal.load('thing', 'a', 1);
          const results = await Promise.all([
            codeOf(append(journal, stream, { commandId: 'one', snapshot: { state: '1', schemaVersion: 1, keep: 2 } })),
            codeOf(append(journal, stream, { commandId: 'two', eventlessOutcome: rejection('no') })),
            codeOf(journal.writeRecords([{ kind: 'k', key: 'a', value: 1 }])),
          ]);
          expect(results).to.deep.equal(Array(3).fill('TROUPE_JOURNAL_WRITE_FAILED'));
          const { stream: again, ...loaded } = await journal.load('thing', 'a', 1);
          expect(loaded).to.deep.equal({ version: 0, snapshot: undefined, commandHashes: [] });
          expect(await journal.readRecords('k')).to.deep.equal([]);
          expect((await append(journal, again)).firstPosition).to.equal(1);
        });
      });

      it('counts as committed when it has landed in truth', async () => {
        const broken = (commit: number, moment: string): Error | undefined =>
          commit === 1 && moment === 'after' ? new Error('lost the answer') : undefined;
        await open({ fault: broken }, async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          expect((await append(journal, stream)).firstPosition).to.equal(1);
          expect((await append(journal, stream)).firstPosition).to.equal(2);
          expect((await readWhole(journal, 'thing', 'a')).map(({ version }) => version)).to.deep.equal([1, 2]);
        });
      });

      it('voids what was loaded while nobody knew whether a commit had landed that had', async () => {
        let isUnknown = true;
        // The second commit lands, is reported as failed, and the head can't be read for a while.
        const fault: JournalFault = (commit, moment) =>
          commit === 2 && (moment === 'after' || (moment === 'head' && isUnknown)) ? new Error('disk gone') : undefined;
        await open({ fault }, async (journal) => {
          const { stream } = await journal.load('thing', 'a', undefined);
          await append(journal, stream, { data: ['first'] });
          expect(await codeOf(append(journal, stream, { data: ['in doubt'], commandId: 'doubted' }))).to.equal(
            'TROUPE_JOURNAL_WRITE_FAILED',
          );
          const early = await journal.load('thing', 'a', undefined);
          isUnknown = false;
          const codes = [await codeOf(append(journal, early.stream, { data: ['on what is known'] }))];
          const { stream: now, version, commandHashes } = await journal.load('thing', 'a', undefined);
          expect(hashesIn(commandHashes)).to.include(hashText('doubted'));
          codes.push(await codeOf(append(journal, now, { data: ['after'] })));
          expect(codes[1]).to.equal('it succeeded');
          const events = await readAll(journal, journal.head);
          expect(events.map((event) => event.version)).to.deep.equal(upTo(events.length).map((n) => n));
          expect(events.map(({ data }) => data)).to.include.members(['first', 'in doubt', 'after']);
          expect(version).to.equal(events.length - 1);
        });
      });

      it('fails everything queued while the head cannot be read, and goes on when it can, without a restart', async () => {
        let isBroken = true;
        await open({ fault: () => (isBroken ? new Error('disk gone') : undefined) }, async (journal) => {
          for (const id of ['a', 'b', 'a']) {
            const { stream } = await journal.load('thing', id, undefined);
            expect(await codeOf(append(journal, stream))).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
            expect(stream.alive).to.equal(false);
          }
          await journal.flushed();
          isBroken = false;
          const { stream } = await journal.load('thing', 'a', undefined);
          expect((await append(journal, stream)).firstPosition).to.equal(1);
        });
      });

      it('tells subscribers of events that landed although nobody knew, before any later event', async () => {
        let isBroken = true;
        const broken = (_: number, moment: string): Error | undefined =>
          isBroken && moment !== 'before' ? new Error('no answer') : undefined;
        await open({ fault: broken }, async (journal) => {
          const positions: number[] = [];
          journal.onCommit = ({ firstPosition, lastPosition }) => positions.push(firstPosition, lastPosition);
          const { stream } = await journal.load('thing', 'a', undefined);
          const error = await errorOf(append(journal, stream, { data: [1, 2] }));
          expect(error.code).to.equal('TROUPE_JOURNAL_WRITE_FAILED');
          isBroken = false;
          const other = (await journal.load('thing', 'b', undefined)).stream;
          expect((await append(journal, other)).firstPosition).to.equal(3);
          const again = await journal.load('thing', 'a', undefined);
          expect(again.version).to.equal(2);
          expect((await append(journal, again.stream)).firstPosition).to.equal(4);
          expect(positions).to.deep.equal([1, 2, 3, 3, 4, 4]);
        });
      });
    });
  });
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function rejection(reason: string) {
  return { fingerprint: 7, outcome: { kind: 'rejection', reason, message: reason, details: { reason } } } as const;
}

/** Two texts with the same hash; some 80,000 tries find one. */
function idsOfOneHash(): [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0; ; i += 1) {
    const id = `id-${i}`;
    const other = seen.get(hashText(id));
    if (other !== undefined) return [other, id];
    seen.set(hashText(id), id);
  }
}
