/** Workers give way to the app's thread, and to nobody else's harm: the app's own priority stays what it was. */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect } from 'chai';
import { ActorSystem } from 'troupe';
import { LIMITS } from '../../src/core/limits.js';
import { ledger } from './fixtures/mortal.js';

/** How many threads of this process have each niceness, as the system tells it. */
function niceness(): Map<number, number> {
  const counts = new Map<number, number>();
  for (const thread of readdirSync('/proc/self/task')) {
    const text = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    // The fields behind the name, which may hold anything, begin with the third of proc(5); niceness is the 19th.
    const nice = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]);
    counts.set(nice, (counts.get(nice) ?? 0) + 1);
  }
  return counts;
}

describe('the priority of threads', () => {
  it('of 2 workers is lower than that of the app and of the writer', async function () {
    if (process.platform !== 'linux' || getPriority() >= LIMITS.workerNiceness) this.skip();
    const before = getPriority();
    const lowBefore = niceness().get(LIMITS.workerNiceness) ?? 0;
    const system = await ActorSystem.start({
      cast: new URL('./fixtures/mortal.js', import.meta.url),
      workers: 2,
      journal: ':memory:',
    });
    try {
      for (const id of ['a', 'b', 'c', 'd']) await system.ref(ledger, id).ask('add', { n: 1 });
      expect((niceness().get(LIMITS.workerNiceness) ?? 0) - lowBefore).to.equal(2);
      expect(getPriority()).to.equal(before);
    } finally {
      await system.stop();
    }
  });
});
