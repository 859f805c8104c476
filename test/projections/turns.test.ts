/** Laws of turns: projections that have much to do leave the event loop to others, and one of them never waits for all. */
import { expect } from 'chai';
import type { Clock } from '../../src/core/clock.js';
import { LIMITS } from '../../src/core/limits.js';
import { projection } from '../../src/projections/projection-definition.js';
import { Turns } from '../../src/projections/turns.js';
import { EventLog } from './event-log.js';
import { ReadModels, settled } from './read-models.js';

/** A clock by which everything takes so long as it is told. */
class SlowClock implements Clock {
  ms = 0;

  now(): number {
    return this.ms;
  }
  monotonic(): number {
    return this.ms;
  }
  setTimer(): { cancel(): void } {
    return { cancel: () => undefined };
  }
}

describe('turns', () => {
  it('each is a turn of the event loop of its own, in the order asked for', async () => {
    const turns = new Turns(new SlowClock());
    const order: string[] = [];
    let loops = 0;
    const count = (): void => {
      loops += 1;
      if (loops < 10) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        await turns.next();
        order.push(`${name}${loops}`);
      }),
    );
    expect(order).to.deep.equal(['a1', 'b2', 'c3']);
  });

  it(`are over after ${LIMITS.dispatcherTurnMs} ms`, async () => {
    const clock = new SlowClock();
    const turns = new Turns(clock);
    await turns.next();
    clock.ms += LIMITS.dispatcherTurnMs - 1;
    expect(turns.over).to.equal(false);
    clock.ms += 1;
    expect(turns.over).to.equal(true);
  });

  it('a batch of 2,000 events that take 1 ms each leaves the loop to others at least every 64 events', async () => {
    const clock = new SlowClock();
    const models = new ReadModels();
    const log = new EventLog();
    let sinceTurn = 0;
    let most = 0;
    const slow = projection({
      name: 'slow',
      columns: { id: 'text primary key', n: 'integer' },
      key: (event) => event.aggregateId,
      on: {
        added: (row = { n: 0 }) => {
          clock.ms += 1;
          sinceTurn += 1;
          most = Math.max(most, sinceTurn);
          return { n: row.n + 1 };
        },
      },
    });
    log.add(...Array.from({ length: LIMITS.projectionBatch }, (_, i) => ({ type: 'added', id: `id${i % 5}` })));
    const running = await models.start(log, [slow], { clock, path: ':memory:' });
    let ended = false;
    const others = (): void => {
      sinceTurn = 0;
      if (!ended) setImmediate(others);
    };
    others();
    await settled(running, log);
    ended = true;
    expect(most).to.be.within(1, 64);
    await models.close();
  });
});
