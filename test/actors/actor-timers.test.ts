/** Laws of scheduled messages: in time, cancelled for good, and never from the life before a restart. */
import { expect } from 'chai';
import { actor } from '../../src/actors/actor-definition.js';
import type { ScheduledMessage } from '../../src/actors/actor-context.js';
import { ActorHarness } from './actor-harness.js';

let log: string[] = [];
let handle: ScheduledMessage | undefined;
let gate = { open: (): void => undefined, fail: (): void => undefined };
let clock: { now(): number };

const alarm = actor({
  name: 'alarm',
  initialState: () => ({ start: clock.now() }),
  receive: {
    after(_state, ms: number, ctx) {
      handle = ctx.schedule('ring', `after ${ms}`, { after: ms });
    },
    every(_state, ms: number, ctx) {
      handle = ctx.schedule('ring', `every ${ms}`, { every: ms });
    },
    wrong(_state, timing: never, ctx) {
      ctx.schedule('ring', '', timing);
    },
    unknown(_state, _payload: undefined, ctx) {
      ctx.schedule('rong', '', { after: 1 });
    },
    ring: (state, text: string, ctx) => void log.push(`${ctx.now() - state.start} ${text}`),
    cancel: () => handle?.cancel(),
    /** Keeps the mailbox waiting, until the test says how it ends. */
    hang: () =>
      new Promise<void>((resolve, reject) => {
        gate = { open: resolve, fail: () => reject(new Error('x')) };
      }),
    fail() {
      throw new Error('x');
    },
  },
});

function start(): { harness: ActorHarness; a: ReturnType<typeof spawn> } {
  const harness = new ActorHarness([alarm]);
  clock = harness.clock;
  return { harness, a: spawn(harness) };
}
const spawn = (harness: ActorHarness) => harness.spawn(alarm, 'a');

describe('scheduled messages', () => {
  beforeEach(() => {
    log = [];
    handle = undefined;
  });

  it('come once after a while, not a millisecond early', async () => {
    const { harness, a } = start();
    a.tell('after', 100);
    await harness.clock.advance(99);
    expect(log).to.be.empty;
    await harness.clock.advance(1_000);
    expect(log).to.deep.equal(['100 after 100']);
  });

  it('come again and again, on the beat', async () => {
    const { harness, a } = start();
    a.tell('every', 30);
    await harness.clock.advance(100);
    expect(log).to.deep.equal(['30 every 30', '60 every 30', '90 every 30']);
  });

  it('come no more after cancel, nor does a tick that waits already', async () => {
    const { harness, a } = start();
    a.tell('every', 30);
    await harness.clock.advance(30);
    a.tell('hang');
    await harness.clock.advance(30);
    handle?.cancel();
    gate.open();
    await harness.clock.advance(300);
    expect(log).to.deep.equal(['30 every 30']);
    expect(harness.clock.pending).to.equal(0);
    expect(harness.letters).to.be.empty;
  });

  it('end with the actor', async () => {
    const { harness, a } = start();
    a.tell('every', 30);
    a.tell('after', 50);
    await harness.settled();
    await a.stop();
    await harness.clock.advance(300);
    expect(log).to.be.empty;
    expect(harness.letters).to.be.empty;
    expect(harness.clock.pending).to.equal(0);
  });

  it('never come from the life before a restart, also when their ticks wait already', async () => {
    const { harness, a } = start();
    a.tell('every', 60);
    a.tell('after', 61);
    a.tell('hang');
    await harness.clock.advance(61);
    gate.fail();
    await harness.clock.advance(500);
    expect(log).to.be.empty;
    a.tell('after', 10);
    await harness.clock.advance(10);
    expect(log).to.have.length(1);
  });

  it('go on after a resume', async () => {
    const harness = new ActorHarness([alarm], { supervision: { decide: () => 'resume' } });
    clock = harness.clock;
    const a = harness.spawn(alarm, 'a');
    a.tell('every', 60);
    a.tell('fail');
    await harness.clock.advance(120);
    expect(log).to.deep.equal(['60 every 60', '120 every 60']);
  });

  it('are refused at the call: an unknown type, a wrong or double timing', async () => {
    const { harness, a } = start();
    for (const timing of [{}, { after: 1, every: 1 }, { after: 'soon' }, { every: 0 }, undefined]) {
      a.tell('wrong', timing as never);
      await harness.clock.advance(60_000);
    }
    a.tell('unknown');
    await harness.settled();
    expect(harness.letters).to.have.length(6);
    expect(harness.letters[2]?.error?.cause).to.contain("alarm/a: schedule ring: after is 'soon'");
    expect(harness.clock.pending).to.equal(1);
  });

  it('become dead letters when the mailbox is full', async () => {
    const full = actor({
      name: 'full',
      initialState: () => 0,
      mailbox: { capacity: 1 },
      started: (_state, ctx) => void ctx.schedule('tick', undefined, { every: 10 }),
      receive: { tick: () => undefined, hang: () => new Promise(() => undefined) },
    });
    const harness = new ActorHarness([full]);
    harness.spawn(full, 'f').tell('hang');
    await harness.clock.advance(30);
    expect(harness.dropped).to.deep.equal(['mailbox-full tick', 'mailbox-full tick']);
  });

  it('leave out beats that were missed, and keep the beat', async () => {
    const { harness, a } = start();
    a.tell('every', 10);
    await harness.settled();
    harness.clock.block(45);
    await harness.clock.advance(15);
    expect(log).to.deep.equal(['45 every 10', '50 every 10', '60 every 10']);
  });
});
