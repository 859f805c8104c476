/**
 * Laws under random trouble: trees of actors that fail, wait, stash, spawn and stop, all from one seed.
 *
 * Whatever happens, each message ends exactly once: handled, a dead letter, or told to its sender; what one
 * instance handles without stashing comes in the order sent; each watched end is told once; and nothing is left over.
 */
import { expect } from 'chai';
import { actor, type ActorDefinition } from '../../src/actors/actor-definition.js';
import type { ActorRef } from '../../src/actors/actor-ref.js';
import type { SupervisionOptions } from '../../src/actors/supervision-options.js';
import { seededRandom } from '../../src/scenario/seeded-random.js';
import { ActorHarness } from './actor-harness.js';

type Deed =
  | 'ok'
  | 'fail'
  | 'async'
  | 'async-fail'
  | 'stash'
  | 'unstash'
  | 'spawn'
  | 'stop'
  | 'stop-child'
  | 'escalate'
  | 'resume';

interface Work {
  readonly n: number;
  readonly deed: Deed;
}

interface Run {
  readonly random: () => number;
  /** By message: how often it was handled to its end. */
  readonly handled: Map<number, number>;
  /** By key and life: numbers in the order handled. */
  readonly orders: Map<string, number[]>;
  readonly stopped: string[];
  readonly terminated: string[];
  children: string[];
  lives: number;
}

let run: Run;

const CHILDREN: SupervisionOptions = {
  maxRestarts: 2,
  within: 500,
  backoff: { min: 10, max: 40 },
  decide: (error) => {
    const { message } = error as Error;
    return message === 'escalate' || message === 'resume' ? message : 'restart';
  },
};

const worker: ActorDefinition<'worker', { key: string }, undefined, { work: { payload: Work; reply: number } }> = actor(
  {
    name: 'worker',
    mailbox: { capacity: 8 },
    children: CHILDREN,
    initialState: (_args: undefined, ctx) => {
      run.lives += 1;
      if (run.random() < 0.1) throw new Error('no state');
      return { key: `${ctx.self.id}#${run.lives}` };
    },
    async started(_state, ctx) {
      if (run.random() < 0.2) await pause();
      if (run.random() < 0.1) throw new Error('not started');
      if (run.random() < 0.3) ctx.schedule('work', { n: -1, deed: 'ok' }, { every: 15 });
    },
    stopped(state) {
      run.stopped.push(state.key);
      if (run.random() < 0.1) throw new Error('not stopped');
    },
    receive: {
      work(state, { n, deed }: Work, ctx): number | Promise<number> {
        const done = (): number => {
          if (n < 0) return n;
          run.handled.set(n, (run.handled.get(n) ?? 0) + 1);
          const order = run.orders.get(state.key) ?? [];
          run.orders.set(state.key, order);
          order.push(n);
          return n;
        };
        switch (deed) {
          case 'fail':
          case 'escalate':
          case 'resume':
            throw new Error(deed);
          case 'async':
            return pause().then(done);
          case 'async-fail':
            return pause().then(() => {
              throw new Error(deed);
            });
          case 'stash':
            ctx.stash();
            // The next time round it counts.
            if (run.random() < 0.5) return n;
            throw new Error('after stash');
          case 'unstash':
            ctx.unstashAll();
            break;
          case 'spawn': {
            const id = `${ctx.self.id}.${n}`;
            run.children.push(id);
            ctx.spawn(worker, { id });
            break;
          }
          case 'stop':
            ctx.stop();
            break;
          case 'stop-child':
            for (const id of run.children.filter((one) => one.startsWith(`${ctx.self.id}.`)))
              ctx.stop(ctx.ref(worker, id));
            break;
          case 'ok':
            break;
        }
        return done();
      },
    },
  },
);

const watcher = actor({
  name: 'watcher',
  initialState: () => 0,
  terminated: (_state, ref) => void run.terminated.push(ref.id),
  receive: { watch: (_state, ref: ActorRef<typeof worker>, ctx) => ctx.watch(ref) },
});

async function pause(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const DEEDS: readonly Deed[] = [
  ...Array<Deed>(12).fill('ok'),
  ...([
    'fail',
    'async',
    'async',
    'async-fail',
    'unstash',
    'spawn',
    'spawn',
    'stop',
    'stop-child',
    'escalate',
    'resume',
  ] as const),
];

async function trouble(seed: number, deeds: readonly Deed[], strategy: SupervisionOptions['strategy']): Promise<void> {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  run = {
    random,
    handled: new Map(),
    orders: new Map(),
    stopped: [],
    terminated: [],
    children: [],
    lives: 0,
  };
  const supervision = { ...CHILDREN, ...(strategy === undefined ? {} : { strategy }) };
  const harness = new ActorHarness([worker, watcher], { supervision });
  const w = harness.spawn(watcher, 'w');
  const tops = ['a', 'b', 'c'];
  const ends = new Map<number, string[]>();
  const end = (n: number, how: string): void => void ends.set(n, [...(ends.get(n) ?? []), how]);
  const watched = new Set<string>();
  for (const id of tops) harness.spawn(worker, id);
  for (let n = 0; n < 400; n += 1) {
    const id = pick([...tops, ...run.children]);
    const ref = harness.ref(worker, id);
    if (random() < 0.05 && harness.host.find('worker', id) === undefined && tops.includes(id))
      harness.spawn(worker, id);
    if (random() < 0.1 && !watched.has(id)) {
      watched.add(id);
      w.tell('watch', ref);
    }
    const work = { n, deed: pick(deeds) };
    const how = pick(['tell', 'tell', 'ask', 'send'] as const);
    if (how === 'tell') ref.tell('work', work);
    else if (how === 'ask')
      ref.ask('work', work).then(
        () => end(n, 'reply'),
        () => end(n, 'failed ask'),
      );
    else
      ref.send('work', work).then(
        () => undefined,
        () => end(n, 'failed send'),
      );
    if (random() < 0.3) await harness.settled();
    if (random() < 0.1) await harness.clock.advance(Math.floor(random() * 30));
    if (random() < 0.02) void ref.stop();
  }
  await harness.clock.advance(100);
  const stopping = harness.host.stopAll(20_000);
  await harness.clock.advance(60_000);
  await stopping;
  await harness.clock.advance(60_000);

  for (const { payload, reason } of harness.letters) end((payload as Work).n, reason);
  for (let n = 0; n < 400; n += 1) {
    const told = ends.get(n) ?? [];
    const times = run.handled.get(n) ?? 0;
    const replies = told.filter((how) => how === 'reply').length;
    expect(times, `message ${n} of seed ${seed}: handled`).to.be.at.most(1);
    // An ask that was handled has a reply; everything else ends in exactly one way.
    const ways = times + told.length - (times > 0 ? replies : 0);
    expect(ways, `message ${n} of seed ${seed}: ${times} handled, ${told.join(', ')}`).to.equal(1);
  }
  if (!deeds.includes('stash')) {
    for (const [key, order] of run.orders)
      expect(order, `${key} of seed ${seed}`).to.deep.equal(order.toSorted((a, b) => a - b));
  }
  expect(new Set(run.stopped).size, `stopped hooks of seed ${seed}`).to.equal(run.stopped.length);
  expect(new Set(run.terminated).size, `terminated of seed ${seed}`).to.equal(run.terminated.length);
  expect([harness.host.size, harness.host.busy, harness.clock.pending], `left over of seed ${seed}`).to.deep.equal([
    0,
    false,
    0,
  ]);
}

describe('actors under random trouble', () => {
  for (const strategy of ['one-for-one', 'all-for-one', 'rest-for-one'] as const) {
    it(`${strategy}: each message ends exactly once, in order, and nothing is left over (seeds 1 to 10)`, async () => {
      for (let seed = 1; seed <= 10; seed += 1) await trouble(seed, DEEDS, strategy);
    });
  }

  it('with stashing: each message ends exactly once (seeds 1 to 10)', async () => {
    for (let seed = 1; seed <= 10; seed += 1)
      await trouble(seed, [...DEEDS, 'stash', 'stash', 'unstash'], 'one-for-one');
  });
});
