/** What is in memory of the timers: against a model, whatever is set, cleared, fired and loaded in between. */
import { expect } from 'chai';
import { array, assert, boolean, constant, constantFrom, nat, oneof, property, record, tuple } from 'fast-check';
import { addTimerChange, type StoredTimer, type TimerChange } from '../../src/journal/timer-change.js';
import { MemoryTimers } from '../../src/journal/memory-timers.js';
import { TimerHorizon } from '../../src/timers/timer-horizon.js';

const timer = (name: string, wakeAt: number, setting = 's'): StoredTimer => ({
  owner: 'remind>a/1',
  name,
  setting,
  wakeAt,
  body: '{}',
});

/** A horizon beside a journal in memory. */
class World {
  readonly horizon: TimerHorizon;
  readonly journal = new MemoryTimers();
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
    this.horizon = new TimerHorizon(room);
  }

  commit(...changes: TimerChange[]): void {
    const group = new Map<string, TimerChange>();
    for (const change of changes) addTimerChange(group, change);
    this.journal.write(group.values());
    this.horizon.changed([...group.values()]);
    expect(this.horizon.size, 'timers in memory').to.be.at.most(2 * this.#room + 1);
  }

  load(meanwhile: () => void = () => undefined, readFirst = true): void {
    const limit = this.horizon.beginLoad();
    const before = this.journal.read({ limit });
    meanwhile();
    this.horizon.loaded(readFirst ? before : this.journal.read({ limit }), limit);
  }

  /** Fires what is due, in turn; each is done. */
  fire(now: number): string[] {
    const fired: string[] = [];
    for (;;) {
      const due = this.horizon.takeDue(now);
      if (due !== undefined) {
        fired.push(`${due.name}@${due.wakeAt}`);
        this.commit({ kind: 'ended', timer: due });
        this.horizon.fired(due);
      } else if (this.horizon.wantsMore) this.load();
      else return fired;
    }
  }
}

describe('the horizon of timers', () => {
  it('keeps only the next ones in memory, and yet fires all of them in order of time', () => {
    const world = new World(10);
    world.load();
    for (let i = 0; i < 500; i += 1) world.commit({ kind: 'set', timer: timer(`t${i}`, (i * 7919) % 500) });
    expect(world.horizon.size).to.be.at.most(21);
    const times = world.fire(1_000).map((text) => Number(text.split('@')[1]));
    expect(times).to.deep.equal(Array.from({ length: 500 }, (_, i) => i));
  });

  it('fires more timers of one moment than it has room for', () => {
    const world = new World(10);
    for (let i = 0; i < 100; i += 1) world.commit({ kind: 'set', timer: timer(`t${i}`, 5) });
    world.load();
    expect(world.fire(4)).to.deep.equal([]);
    expect(new Set(world.fire(5)).size).to.equal(100);
  });

  it('does not fire one that is firing already, whatever is loaded meanwhile', () => {
    const world = new World(10);
    world.commit({ kind: 'set', timer: timer('a', 1) });
    world.load();
    const due = world.horizon.takeDue(1) ?? expect.fail();
    world.horizon.forget();
    world.load();
    expect(world.horizon.takeDue(1)).to.equal(undefined);
    world.commit({ kind: 'ended', timer: due });
    world.horizon.fired(due);
    world.load();
    expect(world.horizon.takeDue(1)).to.equal(undefined);
  });

  it('fires one that was set under the name of one that is firing, also for the same moment', () => {
    const world = new World(10);
    world.commit({ kind: 'set', timer: timer('a', 1, 'first') });
    world.load();
    const due = world.horizon.takeDue(1) ?? expect.fail();
    world.commit({ kind: 'set', timer: timer('a', 1, 'second') });
    world.commit({ kind: 'ended', timer: due });
    world.horizon.fired(due);
    expect(world.horizon.takeDue(1)?.setting).to.equal('second');
  });

  it('fires one once that was set anew while a load had read its predecessor', () => {
    const world = new World(10);
    world.load();
    world.commit({ kind: 'set', timer: timer('a', 1, 'first') });
    world.load(() => world.commit({ kind: 'set', timer: timer('a', 1, 'second') }));
    expect(world.horizon.takeDue(1)?.setting).to.equal('second');
    expect(world.horizon.takeDue(1)).to.equal(undefined);
  });

  it('drops what a load has read when it is told meanwhile that the journal is not known', () => {
    const world = new World(10);
    const limit = world.horizon.beginLoad();
    world.horizon.forget();
    expect(world.horizon.loaded([timer('ghost', 1)], limit)).to.equal(false);
    expect(world.horizon.wantsMore).to.equal(true);
    expect(world.horizon.takeDue(1)).to.equal(undefined);
  });

  it('agrees with the journal after any story of sets, clears, moves, loads and fires', () => {
    const name = constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    const step = oneof(
      record({ do: constant('set' as const), name, at: nat(30) }),
      record({ do: constant('clear' as const), name, at: nat(30) }),
      record({ do: constant('take' as const), name, at: nat(30) }),
      record({ do: constant('finish' as const), name, at: nat(30) }),
      record({ do: constant('move' as const), name, at: nat(30) }),
      record({ do: constant('forget' as const), name, at: nat(30) }),
      record({ do: constant('load' as const), name, at: nat(30) }),
    );
    assert(
      property(array(tuple(step, boolean(), boolean()), { maxLength: 60 }), (story) => {
        const world = new World(3);
        const firing: StoredTimer[] = [];
        let settings = 0;
        const perform = ([one]: (typeof story)[number]): void => {
          switch (one.do) {
            case 'set':
              settings += 1;
              return world.commit({ kind: 'set', timer: timer(one.name, one.at, `s${settings}`) });
            case 'clear':
              return world.commit({ kind: 'cleared', owner: 'remind>a/1', name: one.name });
            case 'take': {
              const due = world.horizon.takeDue(one.at);
              if (due === undefined) return;
              // None is taken twice, and none before one that is due earlier and in memory.
              expect(firing).not.to.include(due);
              firing.push(due);
              return;
            }
            case 'finish':
            case 'move': {
              const due = firing.shift();
              if (due === undefined) return;
              if (one.do === 'finish') world.commit({ kind: 'ended', timer: due });
              else world.commit({ kind: 'moved', timer: due, to: { ...due, wakeAt: due.wakeAt + 1 + one.at } });
              return world.horizon.fired(due);
            }
            case 'forget':
              return world.horizon.forget();
            case 'load':
              return;
          }
        };
        for (const entry of story) {
          const [one, within, readFirst] = entry;
          if (one.do === 'load' || within) world.load(() => perform(entry), readFirst);
          else perform(entry);
        }
        for (const due of firing.splice(0)) {
          world.commit({ kind: 'ended', timer: due });
          world.horizon.fired(due);
        }
        const left = world.journal.read({ limit: 1_000 }).map(({ name: n, wakeAt }) => `${n}@${wakeAt}`);
        expect(world.fire(1_000).toSorted()).to.deep.equal(left.toSorted());
        expect(world.journal.read({ limit: 10 })).to.deep.equal([]);
      }),
      { numRuns: 2_000 },
    );
  });
});
