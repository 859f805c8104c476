/** Fairness among the actors of one thread, as a user sees it: who is asked answers soon, however flooded another is. */
import { expect } from 'chai';
import { ActorSystem, actor } from 'troupe';

const flooded = actor({
  name: 'flooded',
  initialState: () => ({ handled: 0, ended: false }),
  receive: {
    again(state, _nothing: undefined, ctx) {
      state.handled += 1;
      seen.handled = state.handled;
      if (!state.ended) ctx.self.tell('again');
    },
    end(state) {
      state.ended = true;
    },
  },
});
/** What the flooded actor has handled so far. */
const seen = { handled: 0 };

const quiet = actor({ name: 'quiet', initialState: () => 0, receive: { hello: () => 'hello' } });

const timer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

describe('beside an actor whose mailbox is never empty', () => {
  let system: ActorSystem;
  beforeEach(async () => {
    seen.handled = 0;
    system = await ActorSystem.start({ name: 'fair', cast: [flooded, quiet], workers: 0, journal: ':memory:' });
    const busy = await system.spawn(flooded, { id: 'busy' });
    for (let i = 0; i < 5_000; i += 1) busy.tell('again');
  });
  afterEach(async () => {
    system.ref(flooded, 'busy').tell('end');
    await system.stop();
  });

  it('each of 1,000 quiet ones answers before the flooded one has handled 1,024 more, also in a chain of promises', async () => {
    const refs = await Promise.all(Array.from({ length: 1_000 }, (_, i) => system.spawn(quiet, { id: `${i}` })));
    const between: number[] = [];
    const ask = async (index: number): Promise<void> => {
      const before = seen.handled;
      await refs[index]?.ask('hello');
      between.push(seen.handled - before);
    };
    for (let i = 0; i < refs.length; i += 1) {
      if (i % 10 === 0) await timer();
      await ask(i);
    }
    const ascending = between.toSorted((one, other) => one - other);
    expect(ascending).to.have.length(1_000);
    expect(ascending[500]).to.be.at.most(64);
    expect(ascending[999]).to.be.at.most(1_024);
    expect(seen.handled).to.be.above(5_000);
  });

  it('all of 1,000 asked at once answer, and the flood goes on meanwhile', async () => {
    const refs = await Promise.all(Array.from({ length: 1_000 }, (_, i) => system.spawn(quiet, { id: `${i}` })));
    await timer();
    const before = seen.handled;
    expect(new Set(await Promise.all(refs.map((ref) => ref.ask('hello'))))).to.deep.equal(new Set(['hello']));
    expect(seen.handled - before).to.be.within(64, 64 * 64);
  });

  it('timers fire, and I/O comes through', async () => {
    const { readFile } = await import('node:fs/promises');
    for (let i = 0; i < 20; i += 1) {
      const before = seen.handled;
      await timer();
      expect(await readFile(new URL(import.meta.url), 'utf8')).to.include('never empty');
      expect(seen.handled).to.be.above(before);
    }
  });
});
