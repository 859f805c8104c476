/** Laws of beginning and ending: hooks, children, deadlines, what waits, and what a stopped actor leaves behind. */
import { expect } from 'chai';
import { actor, type ActorDefinition } from '../../src/actors/actor-definition.js';
import { ActorHarness, codeOf } from './actor-harness.js';

let log: string[] = [];

const never = new Promise<void>(() => undefined);

/** Spawns a chain of children: `root` > `root.0`, `root.1` > … */
const node: ActorDefinition<
  'node',
  { id: string; depth: number },
  { depth: number },
  {
    stopChild: { payload: number; reply: void };
    stopSelf: { payload: undefined; reply: void };
    parent: { payload: undefined; reply: string | null };
    echo: { payload: number; reply: number };
    hang: { payload: 'for ever' | 'until told'; reply: string };
  }
> = actor({
  name: 'node',
  initialState: (args: { depth: number }, ctx) => ({ id: ctx.self.id, depth: args.depth }),
  started(state, ctx) {
    log.push(`start ${state.id}`);
    if (state.depth === 0) return;
    for (const n of [0, 1]) ctx.spawn(node, { id: `${state.id}.${n}`, args: { depth: state.depth - 1 } });
  },
  stopped: (state) => void log.push(`stop ${state.id}`),
  receive: {
    stopChild: (state, n: number, ctx) => ctx.stop(ctx.ref(node, `${state.id}.${n}`)),
    stopSelf: (_state, _payload: undefined, ctx) => ctx.stop(),
    parent: (_state, _payload: undefined, ctx) => ctx.parent?.id ?? null,
    echo: (_state, n: number) => n,
    async hang(_state, how: 'for ever' | 'until told', ctx) {
      if (how === 'for ever') await never;
      await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
      return 'told';
    },
  },
});

describe('actor life cycle', () => {
  beforeEach(() => {
    log = [];
  });

  it('stops children before their parent, the last one first, at every depth', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 2 });
    await harness.settled();
    expect(harness.host.size).to.equal(7);
    log = [];
    await root.stop();
    expect(log).to.deep.equal([
      'stop r.1.1',
      'stop r.1.0',
      'stop r.1',
      'stop r.0.1',
      'stop r.0.0',
      'stop r.0',
      'stop r',
    ]);
    expect(harness.host.size).to.equal(0);
    expect(harness.host.busy).to.be.false;
  });

  it('knows its parent; a top-level actor has none', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 1 });
    expect(await root.ask('parent')).to.equal(null);
    expect(await harness.ref(node, 'r.1').ask('parent')).to.equal('r');
  });

  it('finishes the message being handled; what waits behind it are dead letters and failed asks', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 0 });
    const hanging = root.ask('hang', 'until told');
    await harness.settled();
    root.tell('echo', 1);
    const echo = codeOf(root.ask('echo', 2));
    const stopping = root.stop();
    root.tell('echo', 3);
    expect(await hanging).to.equal('told');
    await stopping;
    expect(await echo).to.equal('TROUPE_ACTOR_STOPPED');
    root.tell('echo', 4);
    expect(harness.letters.map(({ reason, payload }) => `${reason} ${String(payload)}`)).to.deep.equal([
      'stopped 1',
      'stopped 3',
      'stopped 4',
    ]);
    expect(log).to.deep.equal(['start r', 'stop r']);
  });

  it('leaves a handler behind that does not end within the time to stop, and never hears of it again', async () => {
    const endings: ((how: 'resolve' | 'reject') => void)[] = [];
    const stuck = actor({
      name: 'stuck',
      initialState: () => 0,
      receive: {
        hang: () =>
          new Promise<void>((resolve, reject) => {
            endings.push((how) => (how === 'resolve' ? resolve() : reject(new Error('late'))));
          }),
      },
    });
    const harness = new ActorHarness([stuck]);
    for (const how of ['resolve', 'reject'] as const) {
      const asked = codeOf(harness.spawn(stuck, `asked ${how}`).ask('hang'));
      harness.spawn(stuck, `told ${how}`).tell('hang');
      await harness.settled();
      let over = 0;
      const stopping = ['asked', 'told'].map((whom) =>
        harness
          .ref(stuck, `${whom} ${how}`)
          .stop()
          .then(() => void (over += 1)),
      );
      await harness.clock.advance(4_999);
      expect(over).to.equal(0);
      await harness.clock.advance(1);
      await Promise.all(stopping);
      expect(await asked).to.equal('TROUPE_ACTOR_STOPPED');
      for (const end of endings.splice(0)) end(how);
      await harness.settled();
    }
    expect(harness.dropped).to.deep.equal(['stopped hang', 'stopped hang']);
    expect(harness.host.busy).to.be.false;
  });

  it('stops itself after the message being handled', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 0 });
    root.tell('stopSelf');
    root.tell('echo', 1);
    await harness.settled();
    expect(harness.dropped).to.deep.equal(['stopped echo']);
    expect(log).to.deep.equal(['start r', 'stop r']);
  });

  it('a stop is not delayed by a flooded mailbox, and not dropped by a full one', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 0 });
    await harness.settled();
    for (let i = 0; i < 10_001; i += 1) root.tell('echo', i);
    await root.stop();
    expect(harness.letters).to.have.length(10_001);
    expect(harness.letters[0]).to.include({ reason: 'mailbox-full', payload: 10_000 });
  });

  it('a child that was stopped may be spawned again under its id', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 1 });
    await harness.settled();
    root.tell('stopChild', 0);
    await harness.settled();
    expect(harness.host.find('node', 'r.0')).to.equal(undefined);
    harness.spawn(node, 'r.0', { depth: 0 });
    expect(await harness.ref(node, 'r.0').ask('parent')).to.equal(null);
    await root.stop();
    expect(harness.host.size).to.equal(1);
  });

  it('a stop while starting waits for started, and then ends what had begun', async () => {
    const slow = actor({
      name: 'slow',
      initialState: () => 0,
      async started() {
        await new Promise((resolve) => setImmediate(resolve));
        log.push('started');
      },
      stopped: () => void log.push('stopped'),
      receive: { x: () => void log.push('x') },
    });
    const harness = new ActorHarness([slow]);
    const s = harness.spawn(slow, 's');
    s.tell('x');
    await Promise.resolve();
    await s.stop();
    expect(log).to.deep.equal(['started', 'stopped']);
    expect(harness.dropped).to.deep.equal(['stopped x']);
  });

  it('a stop before the first turn runs nothing at all', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 0 });
    await root.stop();
    expect(log).to.be.empty;
    expect(harness.host.size).to.equal(0);
  });

  it('a stop during the wait for a restart ends it, and nothing begins afterwards', async () => {
    let begun = 0;
    const broken = actor({
      name: 'broken',
      initialState: () => {
        begun += 1;
        throw new Error('never');
      },
      receive: { x: () => 1 },
    });
    const harness = new ActorHarness([broken]);
    const b = harness.spawn(broken, 'b');
    await harness.settled();
    const x = codeOf(b.ask('x'));
    await b.stop();
    expect(await x).to.equal('TROUPE_ACTOR_STOPPED');
    await harness.clock.advance(60_000);
    expect(begun).to.equal(1);
    expect(harness.clock.pending).to.equal(0);
  });

  it('resolves every stop of one actor, and that of one that is gone', async () => {
    const harness = new ActorHarness([node]);
    const root = harness.spawn(node, 'r', { depth: 0 });
    await Promise.all([root.stop(), root.stop()]);
    await root.stop();
    expect(log).to.be.empty;
  });

  it('a throw in stopped is logged, and ends nothing but itself', async () => {
    const rude = actor({
      name: 'rude',
      initialState: () => 0,
      stopped() {
        throw new Error('no');
      },
      receive: {},
    });
    const harness = new ActorHarness([rude]);
    const r = harness.spawn(rude, 'r');
    await harness.settled();
    await r.stop();
    expect(harness.host.size).to.equal(0);
    expect(harness.logged.join()).to.contain('rude/r');
  });

  it('aborts the signal when told to stop and when restarted; each life has its own', async () => {
    const signals: AbortSignal[] = [];
    const listening = actor({
      name: 'listening',
      initialState: () => 0,
      started: (_state, ctx) => void signals.push(ctx.signal),
      receive: {
        fail() {
          throw new Error('x');
        },
      },
    });
    const harness = new ActorHarness([listening]);
    const l = harness.spawn(listening, 'l');
    l.tell('fail');
    await harness.clock.advance(50);
    expect(signals.map((signal) => signal.aborted)).to.deep.equal([true, false]);
    await l.stop();
    expect(signals.map((signal) => signal.aborted)).to.deep.equal([true, true]);
  });

  it('refuses to spawn, schedule or become in an actor that ends', async () => {
    const codes: unknown[] = [];
    const late = actor({
      name: 'late',
      initialState: () => 0,
      stopped(_state, ctx) {
        for (const attempt of [
          () => ctx.spawn(node, { id: 'x', args: { depth: 0 } }),
          () => ctx.schedule('x', undefined, { after: 1 }),
          () => ctx.pipeToSelf(Promise.resolve(), 'x'),
        ]) {
          try {
            attempt();
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
      },
      receive: { x: () => 1 },
    });
    const harness = new ActorHarness([late, node]);
    const l = harness.spawn(late, 'l');
    await harness.settled();
    await l.stop();
    expect(codes).to.deep.equal(['TROUPE_ACTOR_STOPPED', 'TROUPE_ACTOR_STOPPED', 'TROUPE_ACTOR_STOPPED']);
  });

  it('stopAll ends every actor; what hangs is left behind at the deadline with TROUPE_SYSTEM_STOPPED', async () => {
    const harness = new ActorHarness([node], { host: { stopTimeoutMs: 60_000 } });
    harness.spawn(node, 'q', { depth: 2 });
    const root = harness.spawn(node, 'r', { depth: 1 });
    await harness.settled();
    const hanging = codeOf(root.ask('hang', 'for ever'));
    await harness.settled();
    const waiting = codeOf(root.ask('echo', 1));
    let over = false;
    const stopping = harness.host.stopAll(1_000).then(() => void (over = true));
    await harness.clock.advance(999);
    expect(harness.host.size).to.equal(3);
    expect(over).to.be.false;
    await harness.clock.advance(1);
    await stopping;
    expect(await Promise.all([hanging, waiting])).to.deep.equal(['TROUPE_SYSTEM_STOPPED', 'TROUPE_SYSTEM_STOPPED']);
    expect([harness.host.size, harness.host.busy]).to.deep.equal([0, false]);
    expect(() => harness.spawn(node, 'x', { depth: 0 })).to.throw('the system stops');
    await harness.clock.advance(60_000);
    expect(harness.clock.pending).to.equal(0);
  });

  it('stopAll without actors resolves at once and sets no timer', async () => {
    const harness = new ActorHarness([node]);
    await harness.host.stopAll(1_000);
    expect(harness.clock.pending).to.equal(0);
  });
});
