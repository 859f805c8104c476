/** Messages without an envelope of their own: nobody can tell them from those with one, whatever becomes of them. */
import { expect } from 'chai';
import { array, assert, asyncProperty, constantFrom, record, tuple } from 'fast-check';
import { actor } from '../../src/actors/actor-definition.js';
import type { ActorContext } from '../../src/actors/actor-context.js';
import type { OverflowPolicy } from '../../src/actors/mailbox-options.js';
import { Envelope, type Origin } from '../../src/core/envelope.js';
import { HandlingMark, isHandling, suspectsOf } from '../../src/core/handling-mark.js';
import { ActorHarness } from './actor-harness.js';

let seen: string[] = [];

/** What a handler does with a message that names it. */
const DEEDS = {
  nothing: () => undefined,
  throw: () => {
    throw new Error('thrown');
  },
  wait: () => Promise.resolve(),
  reject: () => Promise.reject(new Error('rejected')),
  sender: (ctx: ActorContext) => void seen.push(`from ${ctx.sender?.id ?? 'nobody'}`),
  'sender, later': async (ctx: ActorContext) => {
    await Promise.resolve();
    seen.push(`later from ${ctx.sender?.id ?? 'nobody'}`);
  },
  stash: (ctx: ActorContext) => ctx.stash(),
  'stash and throw': (ctx: ActorContext) => {
    ctx.stash();
    throw new Error('thrown');
  },
  'stash, later': async (ctx: ActorContext) => {
    await Promise.resolve();
    ctx.stash();
  },
  unstash: (ctx: ActorContext) => ctx.unstashAll(),
  // More than there is room for, so that what waits is dropped or refused while this one is being handled.
  flood: (ctx: ActorContext) => {
    for (let i = 0; i < 6; i += 1) ctx.self.tell('do', 'nothing');
    seen.push(`still from ${ctx.sender?.id ?? 'nobody'}`);
  },
  'flood and throw': (ctx: ActorContext) => {
    for (let i = 0; i < 6; i += 1) ctx.self.tell('do', 'sender');
    throw new Error('thrown');
  },
  // From here on the mailbox is another one.
  first: (ctx: ActorContext) => {
    ctx.self.tell('do', 'nothing', { priority: 1 });
    seen.push(`still from ${ctx.sender?.id ?? 'nobody'}`);
  },
  become: (ctx: ActorContext) => ctx.become({ other: () => undefined }),
  stop: (ctx: ActorContext) => {
    ctx.stop();
    seen.push(`still from ${ctx.sender?.id ?? 'nobody'}`);
  },
} satisfies Record<string, (ctx: ActorContext) => unknown>;

type Deed = keyof typeof DEEDS;

function doer(overflow: OverflowPolicy) {
  return actor({
    name: 'doer',
    mailbox: { capacity: 4, overflow },
    initialState: () => 0,
    receive: {
      do(_state, deed: Deed, ctx) {
        seen.push(deed);
        return DEEDS[deed](ctx);
      },
      other: () => undefined,
    },
  });
}

interface Step {
  readonly by: 'outside' | 'giver';
  readonly deed: Deed;
  readonly pause: boolean;
}

/** Everything that can be told of a program: what was handled, what was dropped with all that it carried, what was logged. */
async function told(overflow: OverflowPolicy, steps: readonly Step[], plain: boolean): Promise<unknown[]> {
  seen = [];
  const target = doer(overflow);
  const giver = actor({
    name: 'giver',
    initialState: () => 0,
    receive: {
      give(_state, deed: Deed, ctx) {
        ctx.ref(target, 'd').tell('do', deed);
      },
    },
  });
  const letters: unknown[] = [];
  const harness = new ActorHarness([target, giver], {
    supervision: { maxRestarts: 100, backoff: { min: 1, max: 1 } },
    host: {
      deadLetters: {
        add: (letter, trace) => {
          letters.push([letter, trace]);
          return { id: 'letter', ...letter, at: 0 };
        },
        remove: () => undefined,
      },
    },
  });
  if (!plain) {
    // Whoever listens to the post gets everything by post, in envelopes.
    const { deliver } = harness.post;
    harness.post.deliver = (envelope) => deliver(envelope);
  }
  const d = harness.spawn(target, 'd');
  const g = harness.spawn(giver, 'g');
  for (const [index, { by, deed, pause }] of steps.entries()) {
    if (by === 'outside') d.tell('do', deed);
    else g.tell('give', deed, { id: `c-${index}`, metadata: { index } });
    if (pause) await harness.clock.advance(10);
  }
  await harness.clock.advance(10_000);
  return [seen, letters, harness.logged];
}

/** The same for messages that another thread has sent: what it is told of each of them. */
async function toldFromAfar(overflow: OverflowPolicy, steps: readonly Step[], plain: boolean): Promise<unknown[]> {
  seen = [];
  const target = doer(overflow);
  const harness = new ActorHarness([target], { supervision: { maxRestarts: 100, backoff: { min: 1, max: 1 } } });
  harness.spawn(target, 'd');
  const cell = harness.host.find('doer', 'd');
  if (cell === undefined) throw new Error('it was spawned');
  const outcomes: string[] = [];
  const from: Origin = {
    thread: 3,
    done: (seq) => void outcomes.push(`${seq} done`),
    sinkOf: (seq) => ({
      wantsReply: false,
      reply: () => void outcomes.push(`${seq} done`),
      fail: (error) => void outcomes.push(`${seq} ${error.message}`),
    }),
  };
  for (const [index, { by, deed, pause }] of steps.entries()) {
    const seq = 100 + index;
    const facts = { sender: by === 'outside' ? undefined : { name: 'giver', id: 'g' }, from };
    const isTaken = plain && !cell.closed && cell.knows('do') && cell.acceptPlain('do', deed, facts, seq);
    if (!isTaken) cell.accept(new Envelope('doer', 'd', 'do', deed, facts, from.sinkOf(seq)));
    if (pause) await harness.clock.advance(10);
  }
  await harness.clock.advance(10_000);
  return [seen, outcomes, harness.letters, harness.logged];
}

const step = record({
  by: constantFrom<Step['by']>('outside', 'giver'),
  deed: constantFrom<Deed>('nothing', ...(Object.keys(DEEDS) as Deed[])),
  pause: constantFrom(true, false),
});
const program = tuple(
  constantFrom<OverflowPolicy>('reject', 'drop-oldest', 'drop-newest'),
  array(step, { maxLength: 12 }),
);

describe('plain messages', () => {
  it('are handled, set aside, dropped and traced as those with an envelope', async () => {
    let dropped = 0;
    await assert(
      asyncProperty(program, async ([overflow, steps]) => {
        const plain = await told(overflow, steps, true);
        expect(plain).to.deep.equal(await told(overflow, steps, false));
        dropped += (plain[1] as unknown[]).length;
      }),
      { numRuns: 400 },
    );
    expect(dropped).to.be.above(100);
  });

  it('of another thread end as those with an envelope, each once', async () => {
    let failed = 0;
    await assert(
      asyncProperty(program, async ([overflow, steps]) => {
        const plain = await toldFromAfar(overflow, steps, true);
        expect(plain).to.deep.equal(await toldFromAfar(overflow, steps, false));
        const outcomes = plain[1] as string[];
        failed += outcomes.filter((outcome) => !outcome.endsWith(' done')).length;
        // What is set aside until the end has none yet.
        expect(new Set(outcomes.map((outcome) => outcome.split(' ')[0])).size).to.equal(outcomes.length);
      }),
      { numRuns: 400 },
    );
    expect(failed).to.be.above(100);
  });

  it('name the thread and the number of those being handled', async () => {
    const memory = HandlingMark.memory();
    const marks: unknown[] = [];
    const marked = actor({
      name: 'marked',
      initialState: () => 0,
      receive: {
        look() {
          marks.push([...suspectsOf(memory).byThread].map(([thread, seqs]) => [thread, [...seqs.keys()]]));
        },
      },
    });
    const harness = new ActorHarness([marked], { host: { mark: new HandlingMark(memory) } });
    const m = harness.spawn(marked, 'm');
    const from: Origin = { thread: 3, done: () => undefined, sinkOf: () => never() };
    m.tell('look');
    harness.host.find('marked', 'm')?.acceptPlain('look', undefined, { from }, 77);
    m.tell('look');
    await harness.settled();
    expect(marks).to.deep.equal([[], [[3, [77]]], []]);
    expect(isHandling(memory)).to.equal(false);
  });

  it('are not retained once they are handled', async () => {
    const target = doer('reject');
    const harness = new ActorHarness([target]);
    const d = harness.spawn(target, 'd');
    d.tell('do', 'nothing');
    await harness.settled();
    const cell = harness.host.find('doer', 'd');
    expect([cell?.current, cell?.currentFacts, cell?.occupied, cell?.waiting]).to.deep.equal([
      undefined,
      undefined,
      false,
      0,
    ]);
  });
});

function never(): never {
  throw new Error('nobody needs a sink');
}
