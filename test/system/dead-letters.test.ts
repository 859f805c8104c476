import { expect } from 'chai';
import { filter, map } from 'rxjs';
import type { DeadLetter, DeadLetterReason } from '../../src/core/dead-letter.js';
import { MemoryJournal } from '../../src/journal/memory-journal.js';
import { DeadLetters } from '../../src/system/dead-letters.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { FakePost, FakeWorld } from '../reactions/fake-post.js';
import { turns } from '../support/turns.js';

const lines: string[] = [];
const write = (message: string): void => void lines.push(message);
const log = { debug: write, info: write, warn: write, error: write };

interface Office {
  readonly letters: DeadLetters;
  readonly clock: ManualClock;
  readonly post: FakePost;
}

async function open(
  journal: Pick<MemoryJournal, 'readRecords' | 'writeRecords'>,
  world = new FakeWorld(),
  kept?: number,
): Promise<Office> {
  lines.length = 0;
  const clock = new ManualClock();
  const post = new FakePost(world);
  let ids = 0;
  const newId = (): string => `id-${(ids += 1)}`;
  const facts = { tell: () => undefined };
  const letters = new DeadLetters({ journal, post, clock, log, facts, newId, ...(kept === undefined ? {} : { kept }) });
  await letters.start();
  return { letters, clock, post };
}

function letter(id: string, facts: Partial<DeadLetter> = {}): Omit<DeadLetter, 'at'> {
  const reason: DeadLetterReason = 'mailbox-full';
  return { id, reason, target: { name: 'order', id: '1' }, type: 'create', payload: { n: 1 }, error: null, ...facts };
}

const idsOf = ({ letters }: Office): string[] => letters.list().map(({ id }) => id);

describe('dead letters', () => {
  it('are listed oldest first, frozen, with the time they came', async () => {
    const office = await open(new MemoryJournal());
    const first = office.letters.add(letter('b'));
    await office.clock.advance(5);
    office.letters.add(letter('a'));
    expect(idsOf(office)).to.deep.equal(['b', 'a']);
    expect(first).to.be.frozen;
    expect(first.at).to.equal(Date.UTC(2020, 0, 1));
  });

  it('get an id when they have none', async () => {
    const office = await open(new MemoryJournal());
    const { id: _id, ...rest } = letter('');
    expect(office.letters.add(rest).id).to.equal('id-1');
  });

  it('are one letter when the id is the same, told and counted once', async () => {
    const office = await open(new MemoryJournal());
    let told = 0;
    office.letters.subscribe(() => (told += 1));
    office.letters.add(letter('a'));
    office.letters.add(letter('a', { payload: 'other' }));
    expect(told).to.equal(1);
    expect(office.letters.counts()).to.deep.equal({ 'mailbox-full': 1 });
    expect(office.letters.list()[0]?.payload).to.deep.equal({ n: 1 });
  });

  it('survive a restart', async () => {
    const journal = new MemoryJournal();
    const office = await open(journal);
    const facts = { error: { code: 'TROUPE_MAILBOX_FULL', message: 'full' }, payload: { deep: [1, null, 'x'] } };
    office.letters.add(letter('a', facts));
    await office.letters.flushed();
    const next = await open(journal);
    expect(next.letters.list()).to.deep.equal(office.letters.list());
    expect(next.letters.counts()).to.deep.equal({});
  });

  it('give way to newer ones beyond the limit, and are counted; parked ones never do', async () => {
    const journal = new MemoryJournal();
    const office = await open(journal, undefined, 3);
    const parked = office.letters.draft({ ...letter('p'), position: 1 }, {});
    await journal.writeRecords([parked.record]);
    office.letters.keep(parked);
    for (let i = 1; i <= 5; i += 1) {
      await office.clock.advance(1);
      office.letters.add(letter(String(i)));
    }
    expect(idsOf(office)).to.deep.equal(['p', '3', '4', '5']);
    expect(office.letters.counts()).to.deep.equal({ parked: 1, 'mailbox-full': 5, forgotten: 2 });
    await office.letters.flushed();
    expect(idsOf(await open(journal))).to.deep.equal(['p', '3', '4', '5']);
  });

  it('are written in few writes when they come in floods, and only those that are kept', async () => {
    const inner = new MemoryJournal();
    let writes = 0;
    let changes = 0;
    const journal = {
      readRecords: (kind: string) => inner.readRecords(kind),
      writeRecords: (all: Parameters<MemoryJournal['writeRecords']>[0]) => {
        writes += 1;
        changes += all.length;
        return inner.writeRecords(all);
      },
    };
    const office = await open(journal, undefined, 100);
    for (let i = 0; i < 10_000; i += 1) {
      office.letters.add(letter(String(i)));
      if (i % 1_000 === 0) await turns();
    }
    await office.letters.flushed();
    expect(writes).to.be.at.most(3);
    expect(changes).to.be.at.most(500);
    expect(await inner.readRecords('dead-letter')).to.have.length(100);
  });

  it('keep a payload that is no JSON in memory, and its description in the journal', async () => {
    const journal = new MemoryJournal();
    const world = new FakeWorld();
    const office = await open(journal, world);
    const payload = new Map([['a', 1]]);
    office.letters.add(letter('a', { payload }));
    office.letters.add(letter('b', { payload }));
    expect(office.letters.list()[0]?.payload).to.equal(payload);
    await office.letters.retry('b');
    expect(world.effects[0]?.payload).to.equal(payload);
    const next = await open(journal);
    expect(next.letters.list()[0]?.payload).to.match(/a Map, which JSON can't keep/);
    await failsWith(next.letters.retry('a'), 'TROUPE_NOT_SERIALIZABLE');
    await next.letters.discard('a');
    expect(idsOf(await open(journal))).to.deep.equal([]);
  });

  it('are written when the journal works again', async () => {
    let broken = true;
    const journal = new MemoryJournal({
      fault: (_n, moment) => (broken && moment === 'before' ? new Error('full') : undefined),
    });
    const office = await open(journal);
    office.letters.add(letter('a'));
    await failsWith(office.letters.flushed(), 'TROUPE_JOURNAL_WRITE_FAILED');
    broken = false;
    await office.clock.advance(1_000);
    await turns(8);
    expect(idsOf(await open(journal))).to.deep.equal(['a']);
  });

  it('are told to every subscriber, whatever another one does, also behind pipe', async () => {
    const office = await open(new MemoryJournal());
    const seen: string[] = [];
    office.letters.subscribe(() => {
      throw new Error('careless');
    });
    office.letters
      .pipe(
        filter(({ reason }) => reason === 'mailbox-full'),
        map(({ id }) => id),
      )
      .subscribe((id) => {
        seen.push(id);
        throw new Error('careless too');
      });
    office.letters.add(letter('a'));
    office.letters.add(letter('b'));
    await turns();
    expect(seen).to.deep.equal(['a', 'b']);
    expect(office.letters.errors).to.equal(4);
    await office.letters.stop();
  });

  it('are logged at once, then at most once in 10 s for each kind, with the count', async () => {
    const office = await open(new MemoryJournal());
    for (let i = 0; i < 5; i += 1) office.letters.add(letter(String(i)));
    office.letters.add(letter('x', { type: 'other' }));
    expect(lines).to.deep.equal([
      'dead letter (mailbox-full): create for order/1',
      'dead letter (mailbox-full): other for order/1',
    ]);
    await office.clock.advance(10_000);
    expect(lines.slice(2)).to.deep.equal(['dead letter (mailbox-full): create for order/1 (4 more like it)']);
    await office.clock.advance(20_000);
    expect(lines).to.have.length(3);
    office.letters.add(letter('y'));
    expect(lines).to.have.length(4);
    await office.letters.stop();
    expect(office.clock.pending).to.equal(0);
  });
});

describe('a dead letter', () => {
  const trace = { commandId: 'c1', correlationId: 'k', causationId: 'e1', metadata: { by: 'me' } };

  it('is sent again with its command id, correlation, causation and metadata, and is gone when that was good', async () => {
    const journal = new MemoryJournal();
    const world = new FakeWorld();
    const office = await open(journal, world);
    office.letters.add(letter('a'), trace);
    await office.letters.flushed();
    const next = await open(journal, world);
    await next.letters.retry('a');
    expect(world.effects).to.have.length(1);
    expect(world.effects[0]).to.include({ target: 'order', targetId: '1', type: 'create', waits: true });
    expect(world.effects[0]).to.deep.include(trace);
    expect(idsOf(next)).to.deep.equal([]);
    expect(await journal.readRecords('dead-letter')).to.deep.equal([]);
  });

  it('stays with the new error when it fails again, and can be retried again', async () => {
    const world = new FakeWorld();
    const office = await open(new MemoryJournal(), world);
    const told: DeadLetter[] = [];
    office.letters.add(letter('a'), trace);
    office.letters.subscribe((one) => void told.push(one));
    world.decide = () => ({ failed: 'broken' });
    await office.letters.retry('a');
    expect(office.letters.list()).to.deep.equal(told);
    expect(told[0]).to.deep.include({
      id: 'a',
      reason: 'failed',
      error: { code: 'TROUPE_ACTOR_FAILED', message: 'broken' },
    });
    expect(office.letters.counts()).to.deep.equal({ 'mailbox-full': 1 });
    world.decide = () => ({ reply: undefined });
    await office.letters.retry('a');
    expect(world.effects.map(({ commandId }) => commandId)).to.deep.equal(['c1']);
  });

  it('that was rejected gets a fresh id for each retry, the same one across a crash', async () => {
    const journal = new MemoryJournal();
    const world = new FakeWorld();
    world.outcomes.set('c1', { rejected: 'no' });
    world.decide = () => ({ rejected: 'still' });
    const office = await open(journal, world);
    office.letters.add(letter('a', { reason: 'rejected' }), trace);
    await office.letters.retry('a');
    expect(office.letters.list()[0]?.error?.reason).to.equal('still');
    await office.letters.flushed();
    world.decide = () => ({ reply: undefined });
    // Two offices on one journal: the second begins as if the first had died before it could note the outcome.
    const one = await open(journal, world);
    const other = await open(journal, world);
    await one.letters.retry('a');
    await other.letters.retry('a');
    expect(world.effects.map(({ commandId }) => commandId)).to.deep.equal(['c1~retry2']);
    expect(idsOf(other)).to.deep.equal([]);
  });

  it('without a command id gets one from its letter, so that a second retry is the same command', async () => {
    const journal = new MemoryJournal();
    const world = new FakeWorld();
    const office = await open(journal, world);
    office.letters.add(letter('a'));
    await office.letters.flushed();
    const other = await open(journal, world);
    await Promise.all([office.letters.retry('a'), office.letters.retry('a'), other.letters.retry('a')]);
    expect(world.effects.map(({ commandId }) => commandId)).to.deep.equal(['dead-letter>a']);
  });

  it('is discarded for good', async () => {
    const journal = new MemoryJournal();
    const office = await open(journal);
    office.letters.add(letter('a'));
    await office.letters.discard('a');
    expect(idsOf(office)).to.deep.equal([]);
    expect(idsOf(await open(journal))).to.deep.equal([]);
  });

  it('that nobody knows is TROUPE_INVALID_OPTIONS', async () => {
    const office = await open(new MemoryJournal());
    await failsWith(office.letters.retry('x'), 'TROUPE_INVALID_OPTIONS');
    await failsWith(office.letters.discard('x'), 'TROUPE_INVALID_OPTIONS');
  });

  it('whose target is gone stays, and the retry throws what a sender would see', async () => {
    const office = await open(new MemoryJournal());
    office.post.known = () => false;
    office.letters.add(letter('a'), trace);
    await failsWith(office.letters.retry('a'), 'TROUPE_UNKNOWN_MESSAGE');
    expect(idsOf(office)).to.deep.equal(['a']);
  });
});

async function failsWith(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.include({ code });
}
