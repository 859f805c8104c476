/** Workers give way to the app's thread, and to nobody else's harm: the app's own priority stays what it was. */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect } from 'chai';
import { ActorSystem } from 'troupe';
import { LIMITS } from '../../src/core/limits.js';
import { ledger } from './fixtures/mortal.js';

/** The niceness of each thread of this process, by its id, as the system tells it. */
function niceness(): Map<string, number> {
  const threads = new Map<string, number>();
  for (const thread of readdirSync('/proc/self/task')) {
    const text = statOf(thread);
    // The fields behind the name, which may hold anything, begin with the third of proc(5); niceness is the 19th.
    if (text !== undefined) threads.set(thread, Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]));
  }
  return threads;
}

/** Undefined: the thread has ended since it was listed. */
function statOf(thread: string): string | undefined {
  try {
    return readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
  } catch {
    return undefined;
  }
}

describe('the priority of threads', () => {
  it('of 2 workers is lower than that of the app and of the writer', async function () {
    if (process.platform !== 'linux' || getPriority() >= LIMITS.workerNiceness) this.skip();
    const before = niceness();
    expect(before.get(String(process.pid))).to.equal(getPriority());
    const system = await ActorSystem.start({
      cast: new URL('./fixtures/mortal.js', import.meta.url),
      workers: 2,
      journal: ':memory:',
    });
    try {
      for (const id of ['a', 'b', 'c', 'd']) await system.ref(ledger, id).ask('add', { n: 1 });
      const newcomers: number[] = [];
      for (const [thread, nice] of niceness()) {
        const was = before.get(thread);
        if (was === undefined) newcomers.push(nice);
        else expect(nice, `thread ${thread}, which was there before`).to.equal(was);
      }
      expect(newcomers.filter((nice) => nice === LIMITS.workerNiceness)).to.have.length(2);
    } finally {
      await system.stop();
    }
  });
});
