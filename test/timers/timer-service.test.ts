/** When durable timers fire: by the wall clock, once, whatever happens to clock, journal and owner. */
import { expect } from 'chai';
import { LIMITS } from '../../src/core/limits.js';
import { TroupeError } from '../../src/core/troupe-error.js';
import { MemoryJournal } from '../../src/journal/memory-journal.js';
import type { JournalFault } from '../../src/journal/journal-store.js';
import type { StoredTimer } from '../../src/journal/timer-change.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';
import { type FireTimer, TimerService } from '../../src/timers/timer-service.js';

const START = Date.UTC(2020, 0, 1);

function timer(name: string, afterMs: number, setting = 's'): StoredTimer {
  return { owner: 'test>a/1', name, setting, wakeAt: START + afterMs, body: '{}' };
}

interface World {
  readonly clock: ManualClock;
  readonly journal: MemoryJournal;
  readonly service: TimerService;
  /** Names and times, in order of firing. */
  readonly fired: string[];
  readonly warnings: string[];
}

interface WorldOptions {
  readonly clock?: ManualClock;
  readonly journal?: MemoryJournal;
  readonly fire?: FireTimer;
  readonly fault?: JournalFault;
  readonly room?: number;
  readonly started?: boolean;
}

async function worldOf({ clock = new ManualClock(START), ...options }: WorldOptions = {}): Promise<World> {
  const journal = options.journal ?? new MemoryJournal({ clock, fault: options.fault });
  const fired: string[] = [];
  const warnings: string[] = [];
  const note = (message: string): void => void warnings.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const { room } = options;
  const service = new TimerService({ journal, clock, log, ...(room === undefined ? {} : { room }) });
  service.serve('test', async (due) => {
    fired.push(`${due.name}@${clock.now() - START}`);
    return options.fire === undefined ? 'done' : options.fire(due);
  });
  if (options.started !== false) await service.start();
  return { clock, journal, service, fired, warnings };
}

const left = async ({ journal }: World): Promise<string[]> =>
  (await journal.readTimers({ limit: 100 })).map(({ name, wakeAt }) => `${name}@${wakeAt - START}`);

describe('durable timers', () => {
  it('fire at their time, in order, never early, and leave the journal', async () => {
    const world = await worldOf();
    for (const ms of [300, 100, 200]) await world.service.set(timer(`t${ms}`, ms));
    await world.clock.advance(99);
    expect(world.fired).to.deep.equal([]);
    await world.clock.advance(1);
    expect(world.fired).to.deep.equal(['t100@100']);
    await world.clock.advance(1_000);
    expect(world.fired).to.deep.equal(['t100@100', 't200@200', 't300@300']);
    expect(await left(world)).to.deep.equal([]);
    expect(world.service.metrics()).to.deep.equal({ nextAt: null, firing: 0, fired: 3 });
  });

  it('refuse to start when one of them is damaged, and are read again when it was the disk', async () => {
    for (const code of ['TROUPE_JOURNAL_CORRUPT', 'TROUPE_JOURNAL_WRITE_FAILED'] as const) {
      const world = await worldOf({ started: false });
      const { readTimers } = world.journal;
      let fails = 1;
      world.journal.readTimers = async (query) => {
        if ((fails -= 1) >= 0) throw new TroupeError(code, 'it can not be read');
        return readTimers.call(world.journal, query);
      };
      await world.service.set(timer('t', 100));
      const started = world.service.start().then(
        () => 'started',
        (error: unknown) => (error as TroupeError).code,
      );
      await world.clock.advance(LIMITS.timerRetryMaxMs + 100);
      const damaged = code === 'TROUPE_JOURNAL_CORRUPT';
      expect(await started).to.equal(damaged ? code : 'started');
      await world.clock.advance(100);
      expect(world.fired).to.have.length(damaged ? 0 : 1);
      await world.service.stop();
    }
  });

  it('fire within a second when the clock jumps forward, and wait when it jumps back', async () => {
    const world = await worldOf();
    await world.service.set(timer('forward', 3_600_000));
    await world.clock.advance(10);
    world.clock.jump(3_600_000);
    await world.clock.advance(1_000);
    expect(world.fired).to.have.length(1);
    await world.service.set(timer('backward', 3_602_000));
    world.clock.jump(-60_000);
    await world.clock.advance(60_900);
    expect(world.fired).to.have.length(1);
    await world.clock.advance(200);
    expect(world.fired.at(-1)).to.equal('backward@3602000');
  });

  it('catch up after a restart: what fell due meanwhile fires at once, what did not waits', async () => {
    const before = await worldOf();
    for (const ms of [100, 200, 9_000]) await before.service.set(timer(`t${ms}`, ms));
    await before.clock.advance(150);
    await before.service.stop();
    await before.clock.advance(1_000);
    expect(before.fired).to.deep.equal(['t100@100']);
    const { clock, journal } = before;
    const after = await worldOf({ clock, journal });
    await clock.advance(0);
    expect(after.fired).to.deep.equal(['t200@1150']);
    await clock.advance(9_000);
    expect(after.fired).to.deep.equal(['t200@1150', 't9000@9000']);
  });

  it('fire again after a crash between firing and its end, with the same owner, name and time', async () => {
    const crash = new Promise<never>(() => undefined);
    const before = await worldOf({ fire: () => crash });
    await before.service.set(timer('a', 100));
    await before.clock.advance(500);
    expect(before.fired).to.deep.equal(['a@100']);
    const { clock, journal } = before;
    const after = await worldOf({ clock, journal });
    await clock.advance(0);
    expect(after.fired).to.deep.equal(['a@500']);
    expect(await left(after)).to.deep.equal([]);
  });

  it('keep what an owner sets under the same name while the old one fires, also for the same moment', async () => {
    const world: World = await worldOf({
      fire: async (due) => {
        if (due.setting === 's') await world.service.set(timer('a', 100, 'again'));
        return 'done';
      },
    });
    await world.service.set(timer('a', 100));
    await world.clock.advance(100);
    await world.clock.advance(10);
    expect(world.fired).to.have.length(2);
    expect(await left(world)).to.deep.equal([]);
  });

  it('go on to a later time when their owner says so, unless it has been set or cleared meanwhile', async () => {
    const world: World = await worldOf({
      fire: async (due) => {
        if (due.name === 'cleared') await world.service.clear(due.owner, due.name);
        return { wakeAt: due.wakeAt + 100, body: due.body };
      },
    });
    await world.service.set(timer('a', 100));
    await world.service.set(timer('cleared', 100));
    await world.clock.advance(350);
    expect(world.fired).to.deep.equal(['a@100', 'cleared@100', 'a@200', 'a@300']);
  });

  it('do not fire once cleared', async () => {
    const world = await worldOf();
    await world.service.set(timer('a', 100));
    await world.service.clear('test>a/1', 'a');
    await world.clock.advance(1_000);
    expect(world.fired).to.deep.equal([]);
  });

  it('try again with backoff when their owner fails, and lose nothing', async () => {
    let failures = 3;
    const world = await worldOf({
      fire: async () => {
        failures -= 1;
        if (failures >= 0) throw new Error('broken');
        return 'done';
      },
    });
    await world.service.set(timer('a', 0));
    await world.clock.advance(5_000);
    expect(world.fired).to.have.length(4);
    expect(world.warnings).to.have.length(1);
    expect(await left(world)).to.deep.equal([]);
  });

  it('are read anew when a commit failed, so that one that landed although nobody knew fires too', async () => {
    // A commit without events that has landed although it was reported as failed can't be told from one that has not.
    const world = await worldOf({
      fault: (commit, moment) => (commit === 1 && moment === 'after' ? new Error('disk') : undefined),
    });
    const refused = await world.service.set(timer('a', 50)).catch((error: unknown) => error);
    expect(refused).to.have.property('code', 'TROUPE_JOURNAL_WRITE_FAILED');
    await world.clock.advance(100);
    expect(world.fired).to.deep.equal(['a@50']);
  });

  it('end when the journal can be written again, and do not fire a second time meanwhile', async () => {
    let broken = false;
    const world = await worldOf({ fault: () => (broken ? new Error('disk full') : undefined) });
    await world.service.set(timer('a', 50));
    broken = true;
    await world.clock.advance(1_000);
    expect(world.fired).to.deep.equal(['a@50']);
    expect(await left(world)).to.deep.equal(['a@50']);
    broken = false;
    await world.clock.advance(10_000);
    expect(world.fired).to.deep.equal(['a@50']);
    expect(await left(world)).to.deep.equal([]);
  });

  it('of a kind that nobody knows are kept', async () => {
    const world = await worldOf();
    await world.service.set({ ...timer('a', 50), owner: 'later-release>a/1' });
    await world.clock.advance(1_000);
    expect(world.warnings).to.deep.equal(['nobody knows timers of the kind later-release; they are kept']);
    expect(await left(world)).to.have.length(1);
  });

  it('3,000 due at once fire once each, and no more than 512 at a time', async () => {
    let now = 0;
    let most = 0;
    const world = await worldOf({
      room: 100,
      started: false,
      fire: async () => {
        now += 1;
        most = Math.max(most, now);
        await Promise.resolve();
        now -= 1;
        return 'done';
      },
    });
    const timers = Array.from({ length: 3_000 }, (_, i) => timer(`t${i}`, i % 3));
    await world.journal.writeRecords(
      [],
      timers.map((one) => ({ kind: 'set', timer: one })),
    );
    await world.clock.advance(100);
    await world.service.start();
    for (let turns = 0; world.fired.length < 3_000 && turns < 10_000; turns += 1) await world.clock.advance(1);
    expect(new Set(world.fired.map((text) => text.split('@')[0])).size).to.equal(3_000);
    expect(world.fired).to.have.length(3_000);
    expect(most).to.be.at.most(512);
  });
});
