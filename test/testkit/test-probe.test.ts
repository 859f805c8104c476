/** Probes: what comes is taken once, in order, within its time. */
import { expect } from 'chai';
import { Subject } from 'rxjs';
import { ActorSystem, aggregate, type RecordedEvent } from 'troupe';
import { ManualClock, probeActor, TestProbe } from 'troupe/testkit';

interface Told {
  readonly type: string;
  readonly n: number;
}

const audience = probeActor('audience', ['applaud', 'boo']);
const counter = aggregate({
  name: 'counter',
  initialState: () => ({ count: 0 }),
  events: { 'counter.added': { apply: (state, n: number) => ({ count: state.count + n }) } },
  commands: { add: { handle: (_state, n: number, ctx) => ctx.emit('counter.added', n) } },
});

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error as Error).message,
  );
}

describe('TestProbe', () => {
  const clock = new ManualClock();
  let source: Subject<Told>;
  let probe: TestProbe<Told>;
  beforeEach(() => {
    source = new Subject();
    probe = TestProbe.of(source, { clock });
  });
  afterEach(() => probe.stop());

  it('gives up when nothing fits within the time, and shows what came instead', async () => {
    const waiting = messageOf(probe.expectEvent('shipped', { within: '2s' }));
    source.next({ type: 'paid', n: 1 });
    await clock.advance(2_000);
    const message = await waiting;
    expect(message).to.contain('shipped was expected, but has not come (within 2000 ms)').and.contain("'paid'");
  });

  it('gives up at once when the source has ended, or fails', async () => {
    const waiting = messageOf(probe.next());
    source.complete();
    expect(await waiting).to.contain('the source has ended');
    expect(await messageOf(probe.next())).to.contain('the source has ended');
    const broken = new Subject<Told>();
    const other = TestProbe.of(broken, { clock });
    broken.error(new Error('lost'));
    expect(await messageOf(other.next())).to.contain('lost');
  });

  it('hands out each value once, in the order they came, whether they came before or after the wait', async () => {
    source.next({ type: 'a', n: 1 });
    source.next({ type: 'b', n: 2 });
    const waits = [probe.next(), probe.next(), probe.next()];
    source.next({ type: 'a', n: 3 });
    expect((await Promise.all(waits)).map(({ n }) => n)).to.deep.equal([1, 2, 3]);
    expect(probe.received.map(({ n }) => n)).to.deep.equal([1, 2, 3]);
  });

  it('skips what does not fit, and leaves it for later', async () => {
    for (const [n, type] of ['a', 'b', 'a', 'b'].entries()) source.next({ type, n });
    expect((await probe.expectEvent('b')).n).to.equal(1);
    expect((await probe.expectEvent('b', { where: ({ n }) => n > 2 })).n).to.equal(3);
    expect((await probe.next()).n).to.equal(0);
  });

  it('expects nothing: holds when nothing comes, and shows what does', async () => {
    const quiet = probe.expectNone({ within: 50, where: ({ type }) => type === 'boo' });
    source.next({ type: 'applaud', n: 1 });
    await clock.advance(50);
    await quiet;
    const loud = messageOf(probe.expectNone({ within: 50 }));
    expect(await loud)
      .to.contain('nothing was expected')
      .and.contain('applaud');
  });

  it('leaves no timer and no subscription behind', async () => {
    const waiting = probe.next({ within: '1m' });
    source.next({ type: 'a', n: 1 });
    await waiting;
    const abandoned = messageOf(probe.next());
    probe.stop();
    probe.stop();
    expect(await abandoned).to.contain('stopped');
    expect([clock.pending, source.observed]).to.deep.equal([0, false]);
  });

  describe('in a system', () => {
    let system: ActorSystem;
    beforeEach(async () => {
      system = await ActorSystem.start({ cast: [audience, counter], workers: 0, journal: ':memory:' });
    });
    afterEach(() => system.stop());

    it('collects events as they are committed', async () => {
      const events = TestProbe.of(system.events);
      system.ref(counter, 'a').tell('add', 1);
      system.ref(counter, 'b').tell('add', 2);
      const event: RecordedEvent = await events.expectEvent('counter.added', {
        within: '5s',
        where: ({ aggregateId }) => aggregateId === 'b',
      });
      expect(event.data).to.equal(2);
      events.stop();
    });

    it('collects what an actor is sent, in order', async () => {
      const ref = await system.spawn(audience, { id: 'a' });
      ref.tell('boo', { loud: 1n });
      const messages = TestProbe.ofActor(ref);
      ref.tell('applaud', 'clap');
      expect(await messages.expectEvent('applaud', { within: '5s' })).to.include({ payload: 'clap', sender: null });
      expect((await messages.next({ within: '5s' })).payload).to.deep.equal({ loud: 1n });
      messages.stop();
    });

    it('ends with the actor', async () => {
      const ref = await system.spawn(audience, { id: 'a' });
      const messages = TestProbe.ofActor(ref);
      await ref.stop();
      expect(await messageOf(messages.next({ within: '5s' }))).to.contain('the source failed');
    });
  });
});

describe('probeActor', () => {
  it('refuses the type that asks for the messages', () => {
    expect(() => probeActor('p', ['received'])).to.throw(/received/);
  });
});
