/** The audit of a journal: every event that today's definitions could not read or apply, and no other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, aggregate, auditJournal, type RuntimeAggregate, type UnreadableEvent } from 'troupe';
import { z } from 'zod';
import { Audit } from '../../src/system/journal-audit.js';
import { openJournalReader } from '../../src/journal/open-journal.js';

type Upcast = Readonly<Record<number, (data: { readonly [field: string]: unknown }) => unknown>>;

interface Shape {
  readonly version?: number;
  readonly upcast?: Upcast;
  readonly schema?: z.ZodType;
  readonly apply?: (state: { readonly sum: number }, data: { readonly n: number }) => { readonly sum: number };
  readonly unknownEvents?: 'fail' | 'skip';
}

function add(state: { readonly sum: number }, data: { readonly n: number }): { readonly sum: number } {
  return { sum: state.sum + data.n };
}

/** One aggregate at some time of its development. */
function ledger({ version = 1, upcast = {}, schema, apply = add, unknownEvents = 'fail' }: Shape = {}) {
  return aggregate({
    name: 'ledger',
    initialState: () => ({ sum: 0 }),
    events: { 'ledger.added': { version, upcast, ...(schema === undefined ? {} : { schema }), apply } },
    unknownEvents,
  });
}

const diary = aggregate({
  name: 'diary',
  initialState: () => ({ lines: 0 }),
  events: { 'diary.written': { apply: (state) => ({ lines: state.lines + 1 }) } },
});

describe('journal audit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-audit-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let journals = 0;

  /** A new journal with a number in each event of ledger; `b` gets the even ones. */
  async function journalOf(numbers: readonly unknown[]): Promise<string> {
    journals += 1;
    const path = join(folder, `${journals}.db`);
    const system = await ActorSystem.start({
      cast: [ledger({ apply: (state) => state }), diary],
      workers: 0,
      journal: path,
    });
    for (const [index, n] of numbers.entries()) {
      await system.append(ledger(), index % 2 === 0 ? 'a' : 'b', [{ type: 'ledger.added', data: { n } }]);
    }
    await system.append(diary, 'd', [{ type: 'diary.written', data: null }]);
    await system.stop();
    return path;
  }

  it('is good when every event can be read and applied, and counts what nobody reads', async () => {
    const path = await journalOf([1, 2, 3]);
    const audit = await auditJournal(path, { cast: [ledger()] });
    expect(audit).to.deep.equal({
      ok: true,
      position: 4,
      events: 4,
      failed: 0,
      failures: [],
      unapplied: 0,
      skipped: {},
      foreign: { diary: 1 },
    });
  });

  it('names aggregate, id, type, versions and position of each event that no upcaster leads on', async () => {
    const path = await journalOf([1, 2]);
    const { ok, failures } = await auditJournal(path, {
      cast: [ledger({ version: 3, upcast: { 1: (data) => data } }), diary],
    });
    expect(ok).to.equal(false);
    expect(
      failures.map(({ position, aggregateId, version, code }) => [position, aggregateId, version, code]),
    ).to.deep.equal([
      [1, 'a', 1, 'TROUPE_UPCAST_MISSING'],
      [2, 'b', 1, 'TROUPE_UPCAST_MISSING'],
    ]);
    expect(failures[0]).to.include({ aggregate: 'ledger', type: 'ledger.added', schemaVersion: 1 });
    expect(failures[0]?.message).to.match(/ledger\/a, version 1, position 1.*version 1, the code has 3.*from 2 to 3/);
  });

  it('finds what fails its schema, what upcasters and apply throw, and what they forget to return', async () => {
    const cases: readonly [Shape, string, RegExp][] = [
      [
        { schema: z.object({ n: z.number().max(2) }) },
        'TROUPE_INVALID_EVENT',
        /position 3: .* does not pass its schema: n: /,
      ],
      [
        { version: 2, upcast: { 1: ({ n }) => (n === 3 ? oops() : { n }) } },
        'TROUPE_ACTOR_FAILED',
        /position 3: upcast .* from 1 to 2 threw .*oops/,
      ],
      [
        { version: 2, upcast: { 1: ({ n }) => (n === 3 ? undefined : { n }) } },
        'TROUPE_INVALID_EVENT',
        /position 3: upcast .* returned undefined/,
      ],
      [
        { version: 2, upcast: { 1: ({ n }) => (n === 3 ? { n, at: [new Date()] } : { n }) } },
        'TROUPE_INVALID_EVENT',
        /position 3: .*as its upcasters have made it: the field at\[0\] is a Date; make JSON values/,
      ],
      [
        { apply: (state, { n }) => (n === 3 ? (undefined as never) : state) },
        'TROUPE_INVALID_EVENT',
        /^ledger\/., version \d, position 3: .*apply of event ledger\.added returned undefined/,
      ],
      [{ apply: (state, { n }) => (n === 3 ? oops() : state) }, 'TROUPE_ACTOR_FAILED', /position 3: .*threw .*oops/],
    ];
    const path = await journalOf([1, 2, 3, 4]);
    for (const [shape, code, message] of cases) {
      const { failures } = await auditJournal(path, { cast: [ledger(shape), diary] });
      expect(failures[0]?.code).to.equal(code);
      expect(failures[0]?.message).to.match(message);
    }
  });

  it('goes on behind an unreadable event: checks what can be read, and says what has no state to be applied to', async () => {
    const path = await journalOf([1, 0, 'two', 0, 3, 0, 'four']);
    const schema = z.object({ n: z.number() });
    const audit = await auditJournal(path, { cast: [ledger({ schema }), diary] });
    expect(audit.failures.map(({ position }) => position)).to.deep.equal([3, 7]);
    expect(audit.unapplied).to.equal(1);
    expect(audit.events).to.equal(8);
  });

  it('counts unknown types that their aggregate skips, and fails those that it does not', async () => {
    const path = await journalOf([1]);
    const renamed = (unknownEvents: 'fail' | 'skip'): RuntimeAggregate =>
      aggregate({
        name: 'ledger',
        initialState: () => ({}),
        events: { other: { apply: (state) => state } },
        unknownEvents,
      });
    const skipping = await auditJournal(path, { cast: [renamed('skip'), diary] });
    expect(skipping).to.deep.include({ ok: true, skipped: { 'ledger: ledger.added': 1 } });
    const failing = await auditJournal(path, { cast: [renamed('fail'), diary] });
    expect(failing.failures[0]).to.include({ code: 'TROUPE_INVALID_EVENT', position: 1 });
  });

  it('tells of every failure, keeps as many as asked for, and shows how far it is', async () => {
    const path = await journalOf(['a', 'b', 'c']);
    const told: UnreadableEvent[] = [];
    const seen: number[] = [];
    const audit = await auditJournal(path, {
      cast: [ledger({ schema: z.object({ n: z.number() }) }), diary],
      limit: 1,
      found: (failure) => told.push(failure),
      progress: (position) => seen.push(position),
    });
    expect([audit.failed, audit.failures.length, told.length]).to.deep.equal([3, 1, 3]);
    expect(seen.at(-1)).to.equal(4);
  });

  it('folds states anew when they had to give way, and finds the same', async () => {
    const path = await journalOf([1, 2, 3, 4, 5, 6]);
    const apply = (state: { readonly sum: number }, { n }: { readonly n: number }): { readonly sum: number } =>
      state.sum + n > 10 ? oops() : { sum: state.sum + n };
    const reader = await openJournalReader(path);
    try {
      for (const statesKept of [1, 2, 100]) {
        const audit = await new Audit(reader, [ledger({ apply }), diary], {}, statesKept).run();
        // 2 + 4 + 6 = 12 is too much, 1 + 3 + 5 = 9 is not.
        expect(audit.failures.map(({ position }) => position)).to.deep.equal([6]);
      }
    } finally {
      await reader.close();
    }
  });

  it('reads beside a running system, and takes no lock', async () => {
    const path = join(folder, 'running.db');
    const system = await ActorSystem.start({ cast: [ledger()], workers: 0, journal: path });
    await system.append(ledger(), 'a', [{ type: 'ledger.added', data: { n: 1 } }]);
    expect(await auditJournal(path, { cast: [ledger()] })).to.include({ ok: true, events: 1 });
    await system.append(ledger(), 'a', [{ type: 'ledger.added', data: { n: 2 } }]);
    await system.stop();
  });
});

function oops(): never {
  throw new Error('oops');
}
