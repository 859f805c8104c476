/** Laws of supervising living actors: who is restarted, resumed, stopped, in which order, and what their mail does. */
import { expect } from 'chai';
import { actor } from '../../src/actors/actor-definition.js';
import type { ActorRef } from '../../src/actors/actor-ref.js';
import type { SupervisionDirective, SupervisionOptions } from '../../src/actors/supervision-options.js';
import { ActorHarness, codeOf } from './actor-harness.js';

/** What happened, in order; each test starts with an empty one. */
let log: string[] = [];

const child = actor({
  name: 'child',
  initialState: (_args: unknown, ctx) => ({ id: ctx.self.id, seen: 0 }),
  started: (state) => void log.push(`start ${state.id}`),
  stopped: (state) => void log.push(`stop ${state.id}`),
  receive: {
    hit(state, n: number) {
      state.seen += n;
      log.push(`${state.id} ${n}`);
      return state.seen;
    },
    fail(state, text: string) {
      log.push(`${state.id} fails`);
      throw new Error(text);
    },
    seen: (state) => state.seen,
  },
});

function parent(children: SupervisionOptions) {
  return actor({
    name: 'parent',
    children,
    initialState: () => ({}),
    started(_state, ctx) {
      log.push('start parent');
      for (const id of ['a', 'b', 'c']) ctx.spawn(child, { id });
    },
    stopped: () => void log.push('stop parent'),
    receive: {
      ping: () => 'pong',
      fail() {
        throw new Error('parent');
      },
    },
  });
}

async function family(children: SupervisionOptions, supervision: SupervisionOptions = {}) {
  const definition = parent(children);
  const harness = new ActorHarness([definition, child], { supervision });
  const top = harness.spawn(definition, 'p');
  await harness.settled();
  log = [];
  const [a, b, c] = ['a', 'b', 'c'].map((id) => harness.ref(child, id));
  return { harness, top, a, b, c } as {
    harness: ActorHarness;
    top: ActorRef<typeof definition>;
    a: ActorRef<typeof child>;
    b: ActorRef<typeof child>;
    c: ActorRef<typeof child>;
  };
}

describe('supervision of children', () => {
  beforeEach(() => {
    log = [];
  });

  it('one-for-one restarts the failed child after the wait: new state, mail kept in order, the failed message gone', async () => {
    const { harness, b } = await family({});
    b.tell('hit', 1);
    b.tell('fail', 'x');
    b.tell('hit', 2);
    await harness.settled();
    b.tell('hit', 3);
    await harness.clock.advance(49);
    expect(log).to.deep.equal(['b 1', 'b fails', 'stop b']);
    await harness.clock.advance(1);
    expect(log).to.deep.equal(['b 1', 'b fails', 'stop b', 'start b', 'b 2', 'b 3']);
    expect(await b.ask('seen')).to.equal(5);
    expect(harness.dropped).to.deep.equal(['failed fail']);
  });

  it('all-for-one ends all, the last one first, and begins them again, the first one first', async () => {
    const { harness, a, b } = await family({ strategy: 'all-for-one' });
    a.tell('hit', 1);
    b.tell('fail', 'x');
    a.tell('hit', 2);
    await harness.clock.advance(50);
    expect(log).to.deep.equal(['a 1', 'a 2', 'b fails', 'stop c', 'stop b', 'stop a', 'start a', 'start b', 'start c']);
    expect(await a.ask('seen')).to.equal(0);
  });

  it('rest-for-one leaves those spawned before the failed one alone', async () => {
    const { harness, a, b } = await family({ strategy: 'rest-for-one' });
    a.tell('hit', 1);
    b.tell('fail', 'x');
    await harness.clock.advance(50);
    expect(log).to.deep.equal(['a 1', 'b fails', 'stop c', 'stop b', 'start b', 'start c']);
    expect(await a.ask('seen')).to.equal(1);
  });

  it('leaves a handler of a sibling behind that does not end in time, and begins the next life without it', async () => {
    const lives: string[] = [];
    let finish = (): void => undefined;
    const kid = actor({
      name: 'kid',
      initialState: (_args: unknown, ctx) => void lives.push(ctx.self.id),
      receive: {
        hang: () =>
          new Promise<string>((resolve) => {
            finish = () => resolve('late');
          }),
        fail() {
          throw new Error('x');
        },
        ping: () => 'pong',
      },
    });
    const house = actor({
      name: 'house',
      children: { strategy: 'all-for-one' },
      initialState: () => 0,
      started: (_state, ctx) => ['a', 'b'].forEach((id) => ctx.spawn(kid, { id })),
      receive: {},
    });
    const harness = new ActorHarness([house, kid]);
    harness.spawn(house, 'h');
    const a = harness.ref(kid, 'a');
    await harness.settled();
    const hanging = codeOf(a.ask('hang'));
    await harness.settled();
    const ping = a.ask('ping');
    harness.ref(kid, 'b').tell('fail');
    await harness.clock.advance(4_999);
    expect(lives).to.deep.equal(['a', 'b', 'b']);
    await harness.clock.advance(1);
    expect(lives).to.deep.equal(['a', 'b', 'b', 'a']);
    expect(await hanging).to.equal('TROUPE_ACTOR_FAILED');
    finish();
    expect(await ping).to.equal('pong');
  });

  it('keeps the mail of all that restart together', async () => {
    const { harness, b, c } = await family({ strategy: 'all-for-one' });
    b.tell('fail', 'x');
    await harness.settled();
    c.tell('hit', 1);
    b.tell('hit', 2);
    const seen = c.ask('seen');
    await harness.clock.advance(50);
    expect(await seen).to.equal(1);
    expect(harness.dropped).to.deep.equal(['failed fail']);
  });

  it('counts one restart for a group, and gives a second failure in the same wait no second verdict', async () => {
    const { harness, a, b } = await family({ strategy: 'all-for-one', maxRestarts: 1 });
    a.tell('fail', 'x');
    b.tell('fail', 'y');
    await harness.clock.advance(50);
    expect(log.filter((line) => line.startsWith('start'))).to.deep.equal(['start a', 'start b', 'start c']);
    expect(log).not.to.include('stop parent');
  });

  it('resume goes on with the state and the next message, without hooks', async () => {
    const { harness, b } = await family({ decide: () => 'resume' });
    b.tell('hit', 5);
    b.tell('fail', 'x');
    b.tell('hit', 1);
    await harness.settled();
    expect(log).to.deep.equal(['b 5', 'b fails', 'b 1']);
    expect(await b.ask('seen')).to.equal(6);
  });

  it('stop ends the child: its mail are dead letters, its asks fail', async () => {
    const { harness, b } = await family({ decide: () => 'stop' });
    b.tell('fail', 'x');
    b.tell('hit', 1);
    const seen = codeOf(b.ask('seen'));
    await harness.settled();
    expect(await seen).to.equal('TROUPE_ACTOR_STOPPED');
    expect(harness.dropped).to.deep.equal(['failed fail', 'stopped hit']);
    expect(log).to.deep.equal(['b fails', 'stop b']);
    expect(harness.host.find('child', 'b')).to.equal(undefined);
  });

  it('decides by the error', async () => {
    const decide = (error: unknown): SupervisionDirective => ((error as Error).message === 'mild' ? 'resume' : 'stop');
    const { harness, b, c } = await family({ decide });
    b.tell('fail', 'mild');
    c.tell('fail', 'bad');
    await harness.settled();
    expect(await b.ask('seen')).to.equal(0);
    expect(await codeOf(c.ask('seen'))).to.equal('TROUPE_ACTOR_STOPPED');
  });

  it('escalates the 4th failure within the window: the parent restarts, its children with it', async () => {
    const { harness, b } = await family({ maxRestarts: 3, within: '10s' });
    for (let i = 0; i < 4; i += 1) {
      b.tell('fail', 'x');
      await harness.clock.advance(400);
    }
    expect(log.filter((line) => line.includes('parent'))).to.deep.equal(['stop parent', 'start parent']);
    expect(log.slice(log.indexOf('stop parent') - 2)).to.deep.equal([
      'stop b',
      'stop a',
      'stop parent',
      'start parent',
      'start a',
      'start b',
      'start c',
    ]);
  });

  it('restarts for ever when failures lie further apart than the window allows', async () => {
    const { harness, b } = await family({ maxRestarts: 1, within: '1s' });
    for (let i = 0; i < 10; i += 1) {
      b.tell('fail', 'x');
      await harness.clock.advance(1_050);
    }
    expect(log.filter((line) => line === 'start b')).to.have.length(10);
    expect(log).not.to.include('stop parent');
  });

  it('goes on with parent and child when an escalated failure is resumed above', async () => {
    const { harness, top, b } = await family({ decide: () => 'escalate' }, { decide: () => 'resume' });
    b.tell('hit', 1);
    b.tell('fail', 'x');
    b.tell('hit', 2);
    await harness.settled();
    expect(log).to.deep.equal(['b 1', 'b fails', 'b 2']);
    expect(await top.ask('ping')).to.equal('pong');
    expect(await b.ask('seen')).to.equal(3);
  });

  it('escalation beyond the system stops the top-level actor', async () => {
    const { harness, top, b } = await family({ decide: () => 'escalate' }, { decide: () => 'escalate' });
    b.tell('fail', 'x');
    await harness.settled();
    expect(log).to.deep.equal(['b fails', 'stop c', 'stop b', 'stop a', 'stop parent']);
    expect(await codeOf(top.ask('ping'))).to.equal('TROUPE_ACTOR_STOPPED');
    expect(harness.host.size).to.equal(0);
    expect(harness.host.busy).to.be.false;
  });

  it('answers while a child restarts in a loop', async () => {
    const broken = actor({
      name: 'broken',
      initialState: () => {
        throw new Error('never');
      },
      receive: {},
    });
    const patient = actor({
      name: 'patient',
      children: { maxRestarts: Infinity, backoff: { min: 1, max: 1 } },
      initialState: () => 0,
      started: (_state, ctx) => void ctx.spawn(broken, { id: 'x' }),
      receive: { ping: () => 'pong' },
    });
    const harness = new ActorHarness([patient, broken]);
    const top = harness.spawn(patient, 'p');
    let answers = 0;
    for (let i = 0; i < 50; i += 1) {
      await harness.clock.advance(2);
      if ((await top.ask('ping')) === 'pong') answers += 1;
    }
    expect(answers).to.equal(50);
    expect(harness.logged.length).to.be.greaterThan(40);
  });

  it('supervises a child while a handler of the parent is under way, so that the parent can wait for it', async () => {
    const waiting = actor({
      name: 'waiting',
      initialState: () => 0,
      receive: {
        async go(_state, _payload: undefined, ctx): Promise<unknown> {
          const kid = ctx.spawn(child, { id: 'kid' });
          kid.tell('fail', 'x');
          return kid.ask('hit', 1);
        },
      },
    });
    const harness = new ActorHarness([waiting, child]);
    const reply = harness.spawn(waiting, 'w').ask('go');
    await harness.clock.advance(50);
    expect(await reply).to.equal(1);
  });

  it('a failing initialState is supervised: waits, tries again, and then handles what came meanwhile', async () => {
    let attempts = 0;
    const late = actor({
      name: 'late',
      initialState: () => {
        attempts += 1;
        if (attempts < 3) throw new Error('not yet');
        return { ok: true };
      },
      receive: { ok: (state) => state.ok },
    });
    const harness = new ActorHarness([late]);
    const ok = harness.spawn(late, 'l').ask('ok');
    await harness.clock.advance(149);
    expect(attempts).to.equal(2);
    await harness.clock.advance(1);
    expect(await ok).to.equal(true);
  });

  it('an actor that never starts is stopped after 3 restarts, and asks to it fail', async () => {
    const never = actor({
      name: 'never',
      initialState: () => ({}),
      async started() {
        await Promise.resolve();
        throw new Error('never');
      },
      stopped: () => void log.push('stopped'),
      receive: { ok: () => true },
    });
    const harness = new ActorHarness([never]);
    const ok = codeOf(harness.spawn(never, 'n').ask('ok'));
    await harness.clock.advance(1_000);
    expect(await ok).to.equal('TROUPE_ACTOR_STOPPED');
    // What has not started needs no end.
    expect(log).to.be.empty;
  });

  it('restarts instead of resuming what has no state yet', async () => {
    let attempts = 0;
    const late = actor({
      name: 'late',
      initialState: () => {
        attempts += 1;
        if (attempts === 1) throw new Error('not yet');
        return attempts;
      },
      receive: { state: (state) => state },
    });
    const harness = new ActorHarness([late], { supervision: { decide: () => 'resume' } });
    const state = harness.spawn(late, 'l').ask('state');
    await harness.clock.advance(50);
    expect(await state).to.equal(2);
  });

  it('gives each life its own copy of the arguments', async () => {
    const greedy = actor({
      name: 'greedy',
      initialState: (args: { list: number[] }) => args,
      receive: {
        push(state, n: number) {
          state.list.push(n);
          if (n === 2) throw new Error('two');
        },
        list: (state) => state.list,
      },
    });
    const harness = new ActorHarness([greedy]);
    const args = { list: [0] };
    const g = harness.spawn(greedy, 'g', args);
    g.tell('push', 1);
    g.tell('push', 2);
    await harness.clock.advance(50);
    expect(await g.ask('list')).to.deep.equal([0]);
    expect(args).to.deep.equal({ list: [0] });
  });

  it('a handler that fails while its actor has failed already fails alone: one verdict, one restart', async () => {
    let breakOff = (): void => undefined;
    const busy = actor({
      name: 'busy',
      children: { decide: () => 'escalate' },
      initialState: () => 0,
      started(_state, ctx) {
        log.push('start busy');
        ctx.spawn(child, { id: 'kid' });
      },
      receive: {
        async work() {
          await new Promise<void>((_resolve, reject) => {
            breakOff = () => reject(new Error('broken off'));
          });
        },
        ping: () => 'pong',
      },
    });
    const harness = new ActorHarness([busy, child]);
    const b = harness.spawn(busy, 'b');
    const work = codeOf(b.ask('work'));
    await harness.settled();
    harness.ref(child, 'kid').tell('fail', 'x');
    await harness.settled();
    breakOff();
    expect(await work).to.equal('TROUPE_ACTOR_FAILED');
    await harness.clock.advance(50);
    expect(await b.ask('ping')).to.equal('pong');
    expect(log.filter((line) => line === 'start busy')).to.have.length(2);
    await harness.clock.advance(60_000);
    expect(log.filter((line) => line === 'start busy')).to.have.length(2);
  });

  it('one actor that fails again and again costs another top-level actor none of its restarts', async () => {
    const harness = new ActorHarness([child], { supervision: { maxRestarts: 1 } });
    const a = harness.spawn(child, 'a');
    const b = harness.spawn(child, 'b');
    a.tell('fail', 'x');
    b.tell('fail', 'x');
    await harness.clock.advance(50);
    expect(await a.ask('seen')).to.equal(0);
    expect(await b.ask('seen')).to.equal(0);
  });
});
