/** Reminders of aggregates and actors, on one thread with a clock moved by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ActorSystem, isTroupeError, type RecordedEvent } from 'troupe';
import { ManualClock } from 'troupe/testkit';
import { eventually } from '../support/eventually.js';
import { alarm, alarmChild, diary } from './fixtures/diary.js';

const START = Date.UTC(2021, 2, 27, 12);
const nothing = (): void => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (isTroupeError(error) ? error.code : String(error)),
  );
}

describe('reminders on worker threads', () => {
  it('are set by actors and aggregates there, come to them, and start an actor again', async () => {
    const cast = new URL('./fixtures/diary.js', import.meta.url);
    const system = await ActorSystem.start({ cast, workers: 1, journal: ':memory:', log: silent });
    try {
      const ref = await system.spawn(alarm, { id: 'a', args: { label: 'kitchen' } });
      await ref.ask('set', 10);
      await eventually(async () => (await ref.ask('rang')) === 'kitchen 1');
      await ref.ask('set', 10_000);
      await ref.ask('unset');
      expect(await system.reminders(alarm, 'a')).to.deep.equal([]);
      // Again and again: however late the end comes, there is one behind it.
      await ref.ask('setOften', 50);
      await ref.stop();
      let answer = '';
      await eventually(async () => {
        answer = await system
          .ref(alarm, 'a')
          .ask('rang')
          .catch(() => '');
        return answer !== '';
      });
      expect(answer).to.match(/^kitchen [1-9]/);
      await system.forget(alarm, 'a', 'ring');
      await system.ref(diary, 'd').ask('noteLater', { text: 'tea', after: 10 });
      await eventually(async () => (await system.ref(diary, 'd').ask('entries')).includes('tea'));
    } finally {
      await system.stop();
    }
  });
});

describe('reminders', () => {
  let clock: ManualClock;
  let system: ActorSystem;
  let journal = ':memory:';
  const start = async (): Promise<void> => {
    system = await ActorSystem.start({ cast: [diary, alarm, alarmChild], workers: 0, journal, clock, log: silent });
  };
  /** Lets time pass, and everything that comes of it happen. */
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    await system.settled();
  };
  const entries = (id = 'a'): Promise<readonly string[]> => system.ref(diary, id).ask('entries');
  const events = async (id = 'a'): Promise<RecordedEvent[]> => {
    const all: RecordedEvent[] = [];
    for await (const event of system.read(diary, id)) all.push(event);
    return all;
  };

  beforeEach(async () => {
    journal = ':memory:';
    clock = new ManualClock(START);
    await start();
  });
  afterEach(() => system.stop());

  describe('of an aggregate', () => {
    it('come at their time and not before, also when the instance has left memory', async () => {
      await system.ref(diary, 'a').ask('noteLater', { text: 'tea', after: 60_000 });
      await pass(30_000);
      expect(system.metrics().instances['diary'], 'instances in memory').to.equal(0);
      await pass(29_999);
      expect(await entries()).to.deep.equal(['later: tea']);
      await pass(1);
      expect(await entries()).to.deep.equal(['later: tea', 'tea']);
      await pass(600_000);
      expect(await entries()).to.have.length(2);
      expect(await system.reminders(diary, 'a')).to.deep.equal([]);
    });

    it('are set by a decision without events too', async () => {
      await system.ref(diary, 'a').ask('noteLater', { text: 'tea', after: 10, silently: true });
      await pass(10);
      expect(await entries()).to.deep.equal(['tea']);
    });

    it('are not set by a decision that is refused, or fails', async () => {
      await codeOf(system.ref(diary, 'a').ask('refuseAfterReminding'));
      await codeOf(system.ref(diary, 'a').ask('throwAfterReminding'));
      await codeOf(system.ref(diary, 'a').ask('refuseAfterReminding', undefined, { id: 'x' }));
      await pass(1_000);
      expect(await entries()).to.deep.equal([]);
    });

    it('are set once by a command that comes twice, with events and without', async () => {
      for (const silently of [false, true]) {
        const id = `a${String(silently)}`;
        const ref = system.ref(diary, id);
        await ref.ask('noteLater', { text: 'tea', after: 10, silently }, { id: 'once' });
        await pass(10);
        await ref.ask('noteLater', { text: 'tea', after: 10, silently }, { id: 'once' });
        await pass(10);
        expect((await entries(id)).filter((text) => text === 'tea')).to.have.length(1);
      }
    });

    it('take the place of one of the same name, and go when they are forgotten', async () => {
      const ref = system.ref(diary, 'a');
      await ref.ask('noteLater', { text: 'first', after: 10, silently: true });
      await ref.ask('noteLater', { text: 'second', after: 20, silently: true });
      await pass(100);
      expect(await entries()).to.deep.equal(['second']);
      await ref.ask('noteLater', { text: 'third', after: 10, silently: true });
      await ref.ask('never', { name: 'later' });
      await pass(100);
      expect(await entries()).to.deep.equal(['second']);
    });

    it('have an id made of owner, name and time, and pass on what the command had inherited', async () => {
      await system
        .ref(diary, 'a/b')
        .ask('noteLater', { text: 'tea', after: 10 }, { id: 'cause', correlationId: 'c', metadata: { by: 'me' } });
      await pass(10);
      const [, event] = await events('a/b');
      expect(event?.commandId).to.match(new RegExp(`^remind>diary/a%2fb>later@${START + 10}#`));
      expect(event).to.deep.include({ correlationId: 'c', metadata: { by: 'me' }, causationId: null });
    });

    it('set again for the very moment that is being handled come again', async () => {
      await system.ref(diary, 'a').ask('tick', { n: 1, dueAt: START, everyMs: 0, until: 50 });
      for (let i = 0; i < 200; i += 1) await pass(0);
      expect((await events()).map(({ data }) => (data as { n: number }).n)).to.deep.equal(
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
    });

    it('that are refused become dead letters, and come again at their pace', async () => {
      await system.remind(diary, 'a', 'r', 'refuse', undefined, { every: 100 });
      await pass(250);
      const letters = system.deadLetters.list();
      expect(letters.map(({ reason, type, target }) => [reason, type, target.id])).to.deep.equal([
        ['rejected', 'refuse', 'a'],
        ['rejected', 'refuse', 'a'],
      ]);
    });

    it('whose handler fails are tried 5 times, and then are dead letters', async () => {
      await system.remind(diary, 'a', 'r', 'breakDown', undefined, { after: 1 });
      for (let i = 0; i < 20; i += 1) await pass(500);
      const letters = system.deadLetters.list();
      expect(letters.map(({ reason }) => reason)).to.deep.equal(['failed']);
      expect(await system.reminders(diary, 'a')).to.deep.equal([]);
      const handled = system.metrics().handled;
      expect(handled).to.equal(5);
    });

    it('at a pace come again and again, and once for what was missed', async () => {
      await system.ref(diary, 'a').ask('noteOften', { text: 'x', every: 100 });
      for (let i = 0; i < 10; i += 1) await pass(100);
      expect(await entries()).to.have.length(10);
      clock.block(1_000);
      await pass(0);
      expect(await entries()).to.have.length(11);
      await pass(100);
      expect(await entries()).to.have.length(12);
    });

    it('at a pace come once for each time that was missed, if so asked for', async () => {
      await system.ref(diary, 'a').ask('noteOften', { text: 'x', every: 100, missed: 'each' });
      clock.block(1_000);
      for (let i = 0; i < 20; i += 1) await pass(0);
      expect(await entries()).to.have.length(10);
    });

    it('come by the calendar of a time zone: at 9 in London, before and after the clocks are changed', async () => {
      const timing = { cron: '0 9 * * *', timeZone: 'Europe/London' };
      await system.remind(diary, 'a', 'morning', 'note', { text: 'good morning' }, timing);
      for (let hour = 0; hour < 72; hour += 6) {
        clock.block(6 * 3_600_000);
        await pass(0);
      }
      const times = (await events()).map(({ commandId }) => Number(/@(\d+)#/.exec(commandId)?.[1]));
      expect(times).to.deep.equal([
        // The clocks went forward in the night before.
        Date.UTC(2021, 2, 28, 8),
        Date.UTC(2021, 2, 29, 8),
        Date.UTC(2021, 2, 30, 8),
      ]);
    });

    it('that make no sense fail the command by name, and leave nothing', async () => {
      const ref = system.ref(diary, 'a');
      const timing = { after: 1 };
      expect(await codeOf(ref.ask('remindWrongly', { type: 'nope', timing }))).to.equal('TROUPE_ACTOR_FAILED');
      const { message } = await ref.ask('remindWrongly', { type: 'notee', timing }).then(
        () => expect.fail(),
        (error: Error) => error,
      );
      expect(message).to.contain('note');
      expect(await codeOf(ref.ask('remindWrongly', { type: 'note', timing: { after: -1 } }))).to.equal(
        'TROUPE_ACTOR_FAILED',
      );
      await pass(100);
      expect(await entries()).to.deep.equal([]);
    });
  });

  describe('from outside', () => {
    it('can be set, listed, replaced and forgotten', async () => {
      await system.remind(diary, 'a', 'one', 'note', { text: '1' }, { after: '2d' });
      await system.remind(diary, 'a', 'two', 'note', { text: '2' }, { every: '1h' });
      await system.remind(diary, 'b', 'other', 'note', { text: '3' }, { at: START });
      expect(await system.reminders(diary, 'a')).to.deep.equal([
        {
          name: 'two',
          type: 'note',
          payload: { text: '2' },
          dueAt: START + 3_600_000,
          repeats: { everyMs: 3_600_000, missed: 'once' },
          attempt: 1,
        },
        {
          name: 'one',
          type: 'note',
          payload: { text: '1' },
          dueAt: START + 172_800_000,
          repeats: undefined,
          attempt: 1,
        },
      ]);
      await system.forget(diary, 'a', 'two');
      await system.forget(diary, 'a', 'never-there');
      expect((await system.reminders(diary, 'a')).map(({ name }) => name)).to.deep.equal(['one']);
    });

    it('are refused at once when their target can not take them', async () => {
      const soon = { after: 1 };
      // JavaScript may pass anything.
      const remind = (definition: unknown, type: string, payload: unknown, name: unknown = 'n'): Promise<void> =>
        system.remind(definition as typeof diary, 'a', name as string, type as 'note', payload as never, soon);
      expect(await codeOf(remind(diary, 'notes', {}))).to.equal('TROUPE_UNKNOWN_MESSAGE');
      expect(await codeOf(remind(diary, 'entries', {}))).to.equal('TROUPE_UNKNOWN_MESSAGE');
      expect(await codeOf(remind({ name: 'nobody' }, 'note', {}))).to.equal('TROUPE_UNKNOWN_ACTOR');
      expect(await codeOf(remind(undefined, 'note', {}))).to.equal('TROUPE_INVALID_OPTIONS');
      expect(await codeOf(remind(diary, 'note', { text: Number.NaN }))).to.equal('TROUPE_NOT_SERIALIZABLE');
      expect(await codeOf(remind(diary, 'note', { text: '' }, ''))).to.equal('TROUPE_INVALID_OPTIONS');
      expect(await codeOf(remind(alarm, 'ring', new Map()))).to.equal('TROUPE_NOT_SERIALIZABLE');
      await system.stop();
      expect(await codeOf(remind(diary, 'note', { text: 'x' }))).to.equal('TROUPE_SYSTEM_STOPPED');
    });
  });

  describe('of an actor', () => {
    it('come at their time, and not once they are forgotten', async () => {
      const ref = await system.spawn(alarm, { id: 'a', args: { label: 'kitchen' } });
      await ref.ask('set', 100);
      await pass(99);
      expect(await ref.ask('rang')).to.equal('kitchen 0');
      await pass(1);
      expect(await ref.ask('rang')).to.equal('kitchen 1');
      await ref.ask('set', 100);
      await ref.ask('unset');
      await pass(1_000);
      expect(await ref.ask('rang')).to.equal('kitchen 1');
    });

    it('start it again when it does not live, with the args it was spawned with', async () => {
      const ref = await system.spawn(alarm, { id: 'a', args: { label: 'kitchen' } });
      await ref.ask('setOften', 100);
      await ref.stop();
      await pass(100);
      expect(await ref.ask('rang')).to.equal('kitchen 1');
    });

    it('of a child wait until it lives again', async () => {
      const ref = await system.spawn(alarm, { id: 'a', args: { label: 'x' } });
      await ref.ask('raise', 100);
      await ref.stop();
      await clock.advance(5_000);
      const again = await system.spawn(alarm, { id: 'a', args: { label: 'x' } });
      await again.ask('raise', 1_000_000);
      await system.remind(alarmChild, 'a-child', 'other', 'ring', undefined, { after: 0 });
      await clock.advance(10_000);
      await system.settled();
      expect(await system.ref(alarmChild, 'a-child').ask('rang')).to.equal(1);
    });

    it('whose handler throws become a dead letter, once', async () => {
      await system.spawn(alarm, { id: 'a', args: { label: 'x' } });
      await system.remind(alarm, 'a', 'f', 'fail', undefined, { after: 1 });
      await clock.advance(5_000);
      await system.settled();
      expect(system.deadLetters.list().map(({ reason, type }) => [reason, type])).to.deep.equal([['failed', 'fail']]);
      expect(await system.reminders(alarm, 'a')).to.deep.equal([]);
    });

    it('are handled once, also when the handler returns what can not be sent', async () => {
      const ref = await system.spawn(alarm, { id: 'a', args: { label: 'x' } });
      await system.remind(alarm, 'a', 'odd', 'ringOddly', undefined, { after: 1 });
      await pass(10_000);
      expect(await ref.ask('rang')).to.equal('x 1');
      expect(system.deadLetters.list()).to.deep.equal([]);
    });

    it('that make no sense fail where they are set', async () => {
      const ref = await system.spawn(alarm, { id: 'a', args: { label: 'x' } });
      const error: unknown = await ref.ask('setWrongly', new Map()).catch((caught: unknown) => caught);
      expect(isTroupeError(error) && error.code).to.equal('TROUPE_ACTOR_FAILED');
      expect(String((error as Error).cause)).to.contain('reminder ring');
    });
  });

  describe('after a restart', () => {
    let folder = '';
    beforeEach(async () => {
      await system.stop();
      folder = mkdtempSync(join(tmpdir(), 'troupe-'));
      journal = join(folder, 'test.db');
      await start();
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it('are caught up, once, and not the ones that are not due', async () => {
      await system.ref(diary, 'a').ask('noteLater', { text: 'tea', after: 1_000, silently: true });
      await system.remind(diary, 'a', 'far', 'note', { text: 'far' }, { after: '1h' });
      await system.stop();
      clock.block(5_000);
      await start();
      await pass(0);
      await eventually(async () => (await entries()).length === 1, 5_000);
      expect(await entries()).to.deep.equal(['tea']);
      await system.stop();
      await start();
      await pass(1_000);
      expect(await entries()).to.deep.equal(['tea']);
      expect((await system.reminders(diary, 'a')).map(({ name }) => name)).to.deep.equal(['far']);
    });

    it('start the actor that they are for, whoever else starts it then', async () => {
      const ref = await system.spawn(alarm, { id: 'a', args: { label: 'kitchen' } });
      await ref.ask('setOften', 1_000);
      await system.stop();
      clock.block(1_500);
      await start();
      await clock.advance(0);
      await eventually(() => system.metrics().instances['alarm'] === 1, 5_000);
      const again = await system.spawn(alarm, { id: 'a', args: { label: 'hall' } });
      await system.settled();
      expect(await again.ask('rang')).to.equal('kitchen 1');
      expect(await codeOf(system.spawn(alarm, { id: 'a', args: { label: 'hall' } }))).to.equal(
        'TROUPE_INVALID_OPTIONS',
      );
    });
  });
});
