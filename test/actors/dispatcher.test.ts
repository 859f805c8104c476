/** The dispatcher: fair turns, and room for timers whatever happens. */
import { expect } from 'chai';
import { Dispatcher, type Runnable } from '../../src/actors/dispatcher.js';
import { PendingAsk } from '../../src/actors/pending-ask.js';
import { systemClock } from '../../src/core/clock.js';
import { continuations } from '../../src/core/microtask.js';
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

  it('lets newcomers run before those that have used up a turn, and one of these after every 64 of them', async () => {
    const dispatcher = new Dispatcher(new ManualClock());
    const order: string[] = [];
    let busyTurns = 4;
    const busy: Runnable = {
      run() {
        order.push('busy');
        busyTurns -= 1;
        if (busyTurns === 2) for (let i = 0; i < 200; i += 1) dispatcher.schedule(quiet);
        return busyTurns > 0;
      },
    };
    const quiet: Runnable = { run: () => (order.push('quiet'), false) };
    dispatcher.schedule(busy);
    dispatcher.schedule(quiet);
    await turn();
    await turn();
    const rows = order.join(' ').replaceAll(/quiet(?: quiet)*/g, (found) => `quiet:${found.split(' ').length}`);
    expect(rows).to.equal('busy quiet:1 busy quiet:64 busy quiet:64 busy quiet:72');
  });

  it('lets whoever waited for a reply go on beside a flood, through a chain of 10 promises', async () => {
    const dispatcher = new Dispatcher(new ManualClock());
    let turns = 0;
    let ended = false;
    const asking = new PendingAsk('quiet', 'a', 'next', 1_000, false);
    dispatcher.schedule({ run: () => ((turns += 1), !ended) });
    dispatcher.schedule({ run: () => (asking.reply(1, 0, 0), false) });
    let promise = asking.promise;
    for (let i = 0; i < 10; i += 1) promise = promise.then((value) => value);
    await promise;
    ended = true;
    expect(turns).to.be.within(1, 16);
    await turn();
  });

  it('lets a reply to another thread leave after 0.1 ms, and not when the round is over', async () => {
    let now = 0;
    const clock = new ManualClock();
    clock.monotonic = () => now;
    const dispatcher = new Dispatcher(clock);
    let ended = false;
    let leftAtMs = Number.NaN;
    dispatcher.schedule({ run: () => ((now += 0.02), !ended) });
    const replying = {
      run: () => {
        continuations.soon = true;
        void Promise.resolve().then(() => (leftAtMs = now));
        return false;
      },
    };
    dispatcher.schedule(replying);
    while (Number.isNaN(leftAtMs)) await turn();
    ended = true;
    expect(leftAtMs).to.be.within(0.02, 0.2);
    await turn();
  });

  it('makes turns shorter while they take more than 0.25 ms, and longer again when they are quick', async () => {
    let now = 0;
    const clock = new ManualClock();
    clock.monotonic = () => now;
    const dispatcher = new Dispatcher(clock);
    const budgets: number[] = [];
    let perMessageMs = 0.1;
    dispatcher.schedule({
      run(budget) {
        budgets.push(budget);
        now += budget * perMessageMs;
        if (budgets.length === 20) perMessageMs = 0;
        return budgets.length < 60;
      },
    });
    while (dispatcher.busy) await turn();
    expect(budgets[0]).to.equal(64);
    expect(Math.max(...budgets.slice(5, 20))).to.be.within(1, 4);
    expect(budgets.at(-1)).to.equal(64);
  });

  it('lets timers and I/O have their turn beside endless work, after 200 turns of 0.05 ms at the latest', async () => {
    const dispatcher = new Dispatcher(systemClock);
    const most = 10_000;
    let stop = false;
    let turns = 0;
    for (let i = 0; i < 50; i += 1) dispatcher.schedule({ run: () => (work(0.05), (turns += 1) < most && !stop) });
    await new Promise((resolve) => setTimeout(resolve, 1));
    stop = true;
    // A machine that is busy with other things makes turns longer, and so fewer.
    expect(turns).to.be.within(1, 200);
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
    const most = 100_000;
    let runs = 0;
    let stop = false;
    const flood: Runnable = {
      run() {
        runs += 1;
        if (!stop && runs < most) void Promise.resolve().then(() => dispatcher.schedule(flood));
        return false;
      },
    };
    dispatcher.schedule(flood);
    await new Promise((resolve) => setTimeout(resolve, 1));
    stop = true;
    expect(runs).to.be.within(1, most - 1);
  });
});
