/** Laws of death watch: exactly once, also for what is gone; never on a restart, never after unwatch. */
import { expect } from 'chai';
import { actor } from '../../src/actors/actor-definition.js';
import type { ActorRef } from '../../src/actors/actor-ref.js';
import { ActorHarness } from './actor-harness.js';

const target = actor({
  name: 'target',
  initialState: () => 0,
  receive: {
    fail() {
      throw new Error('x');
    },
    echo: (_state, n: number) => n,
  },
});

interface Seen {
  ended: string[];
}

const watcher = actor({
  name: 'watcher',
  initialState: (): Seen => ({ ended: [] }),
  terminated: (state, ref) => void state.ended.push(`${ref.name}/${ref.id}`),
  receive: {
    watch: (_state, ref: ActorRef<typeof target>, ctx) => ctx.watch(ref),
    unwatch: (_state, ref: ActorRef<typeof target>, ctx) => ctx.unwatch(ref),
    spawn(_state, id: string, ctx) {
      const child = ctx.spawn(target, { id });
      ctx.watch(child);
      return child;
    },
    async watchAndHang(_state, ref: ActorRef<typeof target>, ctx) {
      ctx.watch(ref);
      await new Promise((resolve) => setImmediate(resolve));
      ctx.unwatch(ref);
    },
    fail() {
      throw new Error('x');
    },
    ended: (state) => state.ended,
  },
});

function start(): { harness: ActorHarness; w: ActorRef<typeof watcher>; t: ActorRef<typeof target> } {
  const harness = new ActorHarness([watcher, target]);
  return { harness, w: harness.spawn(watcher, 'w'), t: harness.spawn(target, 't') };
}

describe('death watch', () => {
  it('tells the end of a watched actor exactly once, however often it was watched', async () => {
    const { w, t } = start();
    w.tell('watch', t);
    w.tell('watch', t);
    await w.ask('ended');
    await t.stop();
    expect(await w.ask('ended')).to.deep.equal(['target/t']);
    await t.stop();
    expect(await w.ask('ended')).to.deep.equal(['target/t']);
  });

  it('tells the end of an actor that is gone already, or never was', async () => {
    const { harness, w, t } = start();
    await t.stop();
    w.tell('watch', t);
    w.tell('watch', harness.ref(target, 'nobody'));
    await harness.settled();
    expect(await w.ask('ended')).to.deep.equal(['target/t', 'target/nobody']);
  });

  it('tells the end also when the watch comes behind the stop, in whichever phase that finds the actor', async () => {
    const closing = actor({
      name: 'closing',
      initialState: (): Seen => ({ ended: [] }),
      terminated: (state, ref) => void state.ended.push(ref.id),
      receive: {
        close(_state, ref: ActorRef<typeof target>, ctx) {
          ctx.stop(ref);
          ctx.watch(ref);
        },
        closeTwice(_state, ref: ActorRef<typeof target>, ctx) {
          ctx.stop(ref);
          ctx.watch(ref);
          ctx.unwatch(ref);
        },
        ended: (state) => state.ended,
      },
    });
    const harness = new ActorHarness([closing, target]);
    const c = harness.spawn(closing, 'c');
    const running = harness.spawn(target, 'running');
    const halted = harness.spawn(target, 'halted');
    halted.tell('fail');
    await harness.settled();
    c.tell('close', running);
    c.tell('close', halted);
    c.tell('close', harness.spawn(target, 'new'));
    c.tell('closeTwice', harness.spawn(target, 'unwatched'));
    await harness.settled();
    expect((await c.ask('ended')).toSorted()).to.deep.equal(['halted', 'new', 'running']);
  });

  it('does not tell a restart', async () => {
    const { harness, w, t } = start();
    w.tell('watch', t);
    t.tell('fail');
    await harness.clock.advance(50);
    expect(await t.ask('echo', 1)).to.equal(1);
    expect(await w.ask('ended')).to.deep.equal([]);
    await t.stop();
    expect(await w.ask('ended')).to.deep.equal(['target/t']);
  });

  it('tells nothing after unwatch', async () => {
    const { w, t } = start();
    w.tell('watch', t);
    w.tell('unwatch', t);
    await w.ask('ended');
    await t.stop();
    expect(await w.ask('ended')).to.deep.equal([]);
  });

  it('tells nothing after unwatch, also when the end came while the handler was under way', async () => {
    const { harness, w, t } = start();
    await harness.settled();
    w.tell('watchAndHang', t);
    await Promise.all([t.stop(), harness.settled()]);
    expect(await w.ask('ended')).to.deep.equal([]);
  });

  it('tells the end of the second actor of one id once for the second watch', async () => {
    const { harness, w, t } = start();
    w.tell('watch', t);
    await w.ask('ended');
    await t.stop();
    harness.spawn(target, 't');
    w.tell('watch', t);
    await w.ask('ended');
    await t.stop();
    expect(await w.ask('ended')).to.deep.equal(['target/t', 'target/t']);
  });

  it('goes on across a restart of the watcher', async () => {
    const { harness, w, t } = start();
    w.tell('watch', t);
    w.tell('fail');
    await harness.clock.advance(50);
    await t.stop();
    expect(await w.ask('ended')).to.deep.equal(['target/t']);
  });

  it('is no news for the next life that the children of the last one have ended', async () => {
    const { harness, w } = start();
    const child = await w.ask('spawn', 'kid');
    w.tell('fail');
    await harness.clock.advance(50);
    expect(harness.host.find('target', child.id)).to.equal(undefined);
    expect(await w.ask('ended')).to.deep.equal([]);
  });

  it('tells the end of a child that stops by itself', async () => {
    const { w } = start();
    const child = await w.ask('spawn', 'kid');
    await child.stop();
    expect(await w.ask('ended')).to.deep.equal(['target/kid']);
  });

  it('goes before mail, and after the message being handled', async () => {
    const log: string[] = [];
    const orderly = actor({
      name: 'orderly',
      initialState: () => 0,
      started: (_state, ctx) => ctx.watch(ctx.ref(target, 't')),
      terminated: () => void log.push('terminated'),
      receive: {
        async work() {
          log.push('begin');
          await new Promise((resolve) => setImmediate(resolve));
          log.push('end');
        },
      },
    });
    const harness = new ActorHarness([orderly, target]);
    const t = harness.spawn(target, 't');
    const o = harness.spawn(orderly, 'o');
    await harness.settled();
    for (let i = 0; i < 3; i += 1) o.tell('work');
    await Promise.resolve();
    await Promise.all([t.stop(), harness.settled()]);
    await harness.settled();
    expect(log.slice(0, 4)).to.deep.equal(['begin', 'end', 'terminated', 'begin']);
  });

  it('a throw in terminated goes to the supervisor', async () => {
    let lives = 0;
    const touchy = actor({
      name: 'touchy',
      initialState: () => (lives += 1),
      started: (_state, ctx) => ctx.watch(ctx.ref(target, 't')),
      terminated() {
        throw new Error('x');
      },
      receive: {},
    });
    const harness = new ActorHarness([touchy, target], { supervision: { maxRestarts: 1 } });
    const t = harness.spawn(target, 't');
    harness.spawn(touchy, 'y');
    await harness.settled();
    await t.stop();
    await harness.clock.advance(50);
    expect(lives).to.equal(2);
  });

  it('refuses to watch what is no actor', async () => {
    const { harness, w } = start();
    w.tell('watch', { ...harness.ref(target, 't'), name: 'order' });
    await harness.settled();
    expect(harness.letters[0]?.error?.message).to.contain('watch of order/t, which is no actor');
  });

  it('forgets watchers that have ended', async () => {
    const { harness, w, t } = start();
    w.tell('watch', t);
    await w.ask('ended');
    await w.stop();
    await t.stop();
    await harness.settled();
    expect(harness.letters).to.be.empty;
    expect(harness.host.busy).to.be.false;
  });
});
