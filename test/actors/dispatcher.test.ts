/** The dispatcher: fair turns, and room for timers whatever happens. */
import { expect } from 'chai';
import { Dispatcher, type Runnable } from '../../src/actors/dispatcher.js';
import { systemClock } from '../../src/core/clock.js';
import { LIMITS } from '../../src/core/limits.js';
import { ManualClock } from '../../src/testkit/manual-clock.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Keeps the thread busy for a while; the one thing here that has to take real time. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('Dispatcher', () => {
  it('surfaces the error of a runnable that throws, and goes on with the others', async () => {
    const dispatcher = new Dispatcher(new ManualClock());
    const ran: string[] = [];
    const bad: Runnable = {
      run() {
        throw new Error('a defect');
      },
    };
    const caught: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => caught.push(error));
    try {
      dispatcher.schedule(bad);
      dispatcher.schedule({ run: () => (ran.push('good'), false) });
      await turn();
      await turn();
      dispatcher.schedule({ run: () => (ran.push('later'), false) });
      await turn();
      await turn();
    } finally {
      for (const listener of others) process.on('uncaughtException', listener);
    }
    expect(caught.map(String)).to.deep.equal(['Error: a defect']);
    expect(ran).to.deep.equal(['good', 'later']);
  });

  it(`gives each runnable ${LIMITS.dispatcherThroughput} messages at a time, and the next one its turn`, async () => {
    const dispatcher = new Dispatcher(new ManualClock());
    const order: string[] = [];
    const runnable = (name: string, messages: number): Runnable => {
      let left = messages;
      return {
        run(budget) {
          order.push(`${name}:${Math.min(left, budget)}`);
          left -= Math.min(left, budget);
          return left > 0;
        },
      };
    };
    dispatcher.schedule(runnable('busy', 130));
    dispatcher.schedule(runnable('calm', 1));
    await turn();
    expect(order).to.deep.equal(['busy:64', 'calm:1', 'busy:64', 'busy:2']);
    expect(dispatcher.busy).to.equal(false);
  });

  it('lets timers and I/O have their turn beside endless work, soon', async () => {
    const dispatcher = new Dispatcher(systemClock);
    let stop = false;
    for (let i = 0; i < 50; i += 1) dispatcher.schedule({ run: () => (work(0.05), !stop) });
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(performance.now() - before).to.be.below(200);
    stop = true;
    await turn();
  });

  it('asks for the time after each slow turn: 16 turns of 5 ms do not stop timers for 80 ms', async () => {
    const dispatcher = new Dispatcher(systemClock);
    let turns = 0;
    let turnsAtTimer = 0;
    setTimeout(() => (turnsAtTimer = turns), 1);
    for (let i = 0; i < 20; i += 1) dispatcher.schedule({ run: () => (work(5), (turns += 1), false) });
    while (turns < 20) await turn();
    expect(turnsAtTimer).to.be.within(1, 3);
  });

  it('lets timers have their turn beside a flood of microtasks, each of which schedules the next', async () => {
    const dispatcher = new Dispatcher(systemClock);
    let stop = false;
    const flood: Runnable = {
      run() {
        if (!stop) void Promise.resolve().then(() => dispatcher.schedule(flood));
        return false;
      },
    };
    dispatcher.schedule(flood);
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
    stop = true;
    expect(performance.now() - before).to.be.below(200);
  });
});
