/** Deadlines: none early, none forgotten, one timer for each duration, and nothing kept of what is settled. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { array, asyncProperty, assert, integer, record, boolean } from 'fast-check';
import { Deadlines, type Expiring } from '../../src/core/deadlines.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';

class Wait implements Expiring {
  settled = false;
  dueMs = 0;
  expiredAt: number | undefined;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  expire(): void {
    this.settled = true;
    this.expiredAt = this.#clock.monotonic();
  }
}

describe('Deadlines', () => {
  it('ends each wait at its time and not before, unless it is settled', async () => {
    const wait = record({
      pauseMs: integer({ min: 0, max: 30 }),
      durationMs: integer({ min: 0, max: 50 }),
      settles: boolean(),
    });
    await assert(
      asyncProperty(array(wait, { maxLength: 30 }), async (waits) => {
        const clock = new ManualClock();
        const deadlines = new Deadlines(clock);
        const all: { one: Wait; dueMs: number; settles: boolean }[] = [];
        for (const { pauseMs, durationMs, settles } of waits) {
          const one = new Wait(clock);
          all.push({ one, dueMs: clock.monotonic() + durationMs, settles });
          deadlines.add(one, durationMs);
          if (settles) one.settled = true;
          await clock.advance(pauseMs);
        }
        await clock.advance(100);
        for (const { one, dueMs, settles } of all) expect(one.expiredAt).to.equal(settles ? undefined : dueMs);
        expect(clock.pending).to.equal(0);
      }),
      { numRuns: 100 },
    );
  });

  it('never ends a wait of Infinity, and keeps no timer for it', () => {
    const clock = new ManualClock();
    new Deadlines(clock).add(new Wait(clock), Infinity);
    expect(clock.pending).to.equal(0);
  });

  it('has one timer for each duration, however many waits there are', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    for (let i = 0; i < 1_000; i += 1) deadlines.add(new Wait(clock), 100 + (i % 3));
    await clock.advance(0);
    expect(clock.pending).to.equal(3);
  });

  it('looks at the clock once for 200 waits of one turn of the loop, and not once more for each that is settled', async () => {
    const clock = new ManualClock();
    let looks = 0;
    const monotonic = clock.monotonic.bind(clock);
    clock.monotonic = () => ((looks += 1), monotonic());
    const deadlines = new Deadlines(clock);
    const all = Array.from({ length: 200 }, () => new Wait(clock));
    for (const one of all) deadlines.add(one, 100);
    for (const one of all.slice(1)) one.settled = true;
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks).to.equal(1);
    await clock.advance(100);
    expect(all.map(({ expiredAt }) => expiredAt)).to.deep.equal([100, ...Array<undefined>(199).fill(undefined)]);
  });

  it('ends none early whose turn of the loop takes long, and dates what comes while the last one expires', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const late = new Wait(clock);
    const first = new Wait(clock);
    const expire = first.expire.bind(first);
    first.expire = () => {
      expire();
      deadlines.add(late, 100);
    };
    deadlines.add(first, 100);
    clock.block(50);
    await clock.advance(1_000);
    expect([first.expiredAt, late.expiredAt]).to.deep.equal([150, 250]);
    expect(clock.pending).to.equal(0);
  });

  it('forgets all of them at once, with their timers', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const one = new Wait(clock);
    deadlines.add(one, 100);
    deadlines.clear();
    expect(clock.pending).to.equal(0);
    await clock.advance(1_000);
    expect(one.expiredAt).to.equal(undefined);
    const later = new Wait(clock);
    deadlines.add(later, 100);
    await clock.advance(100);
    expect(later.expiredAt).to.equal(1_100);
  });

  it('keeps nothing of 1,000,000 settled waits behind one that is not', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    deadlines.add(new Wait(clock), 30_000);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1_000_000; i += 1) {
      const one = new Wait(clock);
      deadlines.add(one, 30_000);
      one.settled = true;
    }
    collect();
    const grownBy = process.memoryUsage().heapUsed - before;
    expect(clock.pending).to.equal(1);
    deadlines.clear();
    expect(grownBy).to.be.below(5_000_000);
  });

  it('ends waits whose timer comes late all at once', async () => {
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const waits = Array.from({ length: 5 }, () => new Wait(clock));
    for (const one of waits) {
      deadlines.add(one, 10);
      await clock.advance(1);
    }
    await clock.advance(1_000);
    expect(waits.map((one) => one.expiredAt)).to.deep.equal([10, 11, 12, 13, 14]);
  });
});
