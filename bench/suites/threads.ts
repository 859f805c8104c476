/**
 * Suite `threads`: messages between threads, against what threads do without a runtime; and what a second worker wins.
 *
 * Tells come in bursts of 1,000; each burst ends with an ask, which by the order of messages is answered once all of it
 * is processed. The actor's own count is asked at the end. Worker to worker, an actor on one thread drives one on
 * another, ten bursts at a time.
 */
import { ActorSystem } from 'troupe';
import { erlangArm, peerAskArm, peerTellArm } from '../baselines/peer.js';
import { BatchedCounter, PostedCounter } from '../baselines/posted-counter.js';
import { burner, counter, driver } from '../cast/threads.js';
import { timeEach } from '../harness/latency.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { countBursts, keepInFlight, type Uncounted } from '../harness/throughput.js';

const BURST = 1_000;
const BATCH = 256;
/** Bursts that a driver does by itself; only their sum is timed. */
const BURSTS = 10;
/** Actors of the CPU-bound arms; many, so that their ids spread evenly. */
const BURNERS = 64;

export const threads = defineSuite({
  name: 'threads',
  question: 'What does a message to another thread cost, and what does a second worker win?',
  // A message crosses some hundred functions on two threads: an ask took 4 µs of processor time after 200 ms of it, 1.7
  // after a second and a half, and a bare round trip the same before and after. A bare tell needs half a second.
  pace: { full: { warmupMs: 1_500 }, quick: { warmupMs: 300 } },
  arms: [
    {
      name: 'raw-single-posts',
      question: 'one postMessage for each message, in bursts of 1,000',
      unit: 'messages/s',
      run: (context) => withPosted(new PostedCounter(), (posted) => countBursts(context, tellBurst(posted))),
    },
    {
      name: 'raw-batches-of-256',
      question: 'msgpackr batches of 256, one postMessage each: the bound',
      unit: 'messages/s',
      run: (context) => withPosted(new BatchedCounter(BATCH), (posted) => countBursts(context, tellBurst(posted))),
    },
    peerTellArm('comedy-tell', 'comedyThreaded', 'comedy, threaded'),
    erlangArm('erlang-tell', 'across', 'messages from one scheduler to another, in bursts of 1,000', 'messages/s', 2),
    {
      name: 'tell',
      question: 'tell from the main thread to an actor on a worker, in bursts of 1,000',
      unit: 'messages/s',
      baselines: ['raw-batches-of-256', 'raw-single-posts', 'comedy-tell', 'erlang-tell'],
      run: (context) => withCounter((ref) => countBursts(context, tellBurst(ref))),
    },
    {
      name: 'tell-between-workers',
      question: 'tell from an actor on one worker to one on another, in bursts of 1,000',
      unit: 'messages/s',
      baselines: ['raw-single-posts', 'raw-batches-of-256'],
      run: (context) =>
        withDriver((drive, id) =>
          countBursts(context, async () => {
            await drive.ask('tell', { id, bursts: BURSTS, size: BURST }, { timeout: '1m' });
            return BURSTS * BURST;
          }),
        ),
    },
    {
      name: 'raw-round-trip',
      question: 'one postMessage there and one back, one at a time',
      unit: 'µs',
      run: (context) => withPosted(new PostedCounter(), (posted) => timeEach(context, () => posted.ask('next', 1))),
    },
    {
      name: 'ask-1-in-flight',
      question: 'ask an actor on a worker, one at a time',
      unit: 'µs',
      baselines: ['raw-round-trip'],
      run: (context) => withCounter((ref) => timeEach(context, () => ref.ask('next', 1))),
    },
    { ...rawAskArm('raw-round-trips-16-in-flight', 16), notQuick: true },
    { ...askArm('ask-16-in-flight', 16, 'raw-round-trips-16-in-flight'), notQuick: true },
    rawAskArm('raw-round-trips-256-in-flight', 256),
    peerAskArm('comedy-256-in-flight', 'comedyThreaded', 'comedy, threaded', 256),
    { ...peerAskArm('comlink-256-in-flight', 'comlinkWorker', 'comlink', 256), notQuick: true },
    { ...peerAskArm('piscina-256-in-flight', 'piscina', 'Piscina run', 256), notQuick: true },
    askArm(
      'ask-256-in-flight',
      256,
      'raw-round-trips-256-in-flight',
      'comedy-256-in-flight',
      'comlink-256-in-flight',
      'piscina-256-in-flight',
    ),
    {
      name: 'ask-256-between-workers',
      question: 'an actor on one worker asks one on another, with 256 in flight',
      unit: 'asks/s',
      baselines: ['raw-round-trips-256-in-flight'],
      run: (context) =>
        withDriver((drive, id) =>
          countBursts(context, async () => {
            await drive.ask('ask', { id, count: 4 * BURST, lanes: 256 }, { timeout: '1m' });
            return 4 * BURST;
          }),
        ),
    },
    cpuBoundArm('cpu-bound-1-worker', 1),
    cpuBoundArm('cpu-bound-2-workers', 2, 'cpu-bound-1-worker'),
  ],
});

/** What both a reference and a baseline can do. */
interface Counting {
  tell(type: 'add', amount: number): void;
  ask(type: 'total' | 'next', amount: number): Promise<number>;
}

function tellBurst(counting: Counting): () => Promise<number> {
  return async () => {
    for (let i = 0; i < BURST; i += 1) counting.tell('add', 1);
    await counting.ask('total', 0);
    return BURST;
  };
}

function rawAskArm(name: string, lanes: number): Arm {
  return {
    name,
    question: `one postMessage there and one back, ${lanes} in flight`,
    unit: 'asks/s',
    run: (context) =>
      withPosted(new PostedCounter(), (posted) => keepInFlight(context, lanes, () => posted.ask('next', 1))),
  };
}

function askArm(name: string, lanes: number, ...baselines: string[]): Arm {
  return {
    name,
    question: `ask an actor on a worker, ${lanes} in flight`,
    unit: 'asks/s',
    baselines,
    run: (context) => withCounter((ref) => keepInFlight(context, lanes, () => ref.ask('next', 1))),
  };
}

function cpuBoundArm(name: string, workers: number, baseline?: string): Arm {
  return {
    name,
    question: `actors that compute for some 50 µs, on ${workers} worker${workers === 1 ? '' : 's'}, 64 in flight`,
    unit: 'messages/s',
    ...(baseline === undefined ? {} : { baselines: [baseline] }),
    run: (context) => withBurners(context, workers),
  };
}

async function withPosted<C extends PostedCounter | BatchedCounter>(
  posted: C,
  use: (posted: C) => Promise<Uncounted>,
): Promise<Measurement> {
  const found = await use(posted);
  const processed = await posted.ask('total', 0);
  await posted.stop();
  return { ...found, processed };
}

function start(workers: number): Promise<ActorSystem> {
  const cast = new URL('../cast/threads.js', import.meta.url);
  return ActorSystem.start({ name: 'bench', cast, workers, journal: ':memory:' });
}

async function withCounter(use: (counting: Counting) => Promise<Uncounted>): Promise<Measurement> {
  const system = await start(1);
  const ref = await system.spawn(counter);
  const found = await use({
    tell: (type, amount) => ref.tell(type, amount),
    ask: (type, amount) => (type === 'next' ? ref.ask('next', amount) : ref.ask('total')),
  });
  const processed = await ref.ask('total');
  await system.stop();
  return { ...found, processed };
}

type Drive = Awaited<ReturnType<typeof spawnDriver>>;

function spawnDriver(system: ActorSystem) {
  return system.spawn(driver);
}

/** A driver, and the id of a counter on the other worker. */
async function withDriver(use: (drive: Drive, id: string) => Promise<Uncounted>): Promise<Measurement> {
  const system = await start(2);
  const drive = await spawnDriver(system);
  const here = await drive.ask('thread');
  let ref = await system.spawn(counter);
  while ((await ref.ask('thread')) === here) ref = await system.spawn(counter);
  const found = await use(drive, ref.id);
  const processed = await ref.ask('total');
  await system.stop();
  return { ...found, processed };
}

async function withBurners(context: ArmContext, workers: number): Promise<Measurement> {
  const system = await start(workers);
  const refs = await Promise.all(Array.from({ length: BURNERS }, (_, id) => system.spawn(burner, { id: `b-${id}` })));
  const [first] = refs;
  if (first === undefined) throw new Error('there are no burners');
  const found = await keepInFlight(context, BURNERS, (index) => (refs[index % BURNERS] ?? first).ask('burn', index));
  const counts = await Promise.all(refs.map((ref) => ref.ask('total')));
  await system.stop();
  return { ...found, processed: counts.reduce((sum, count) => sum + count, 0) };
}
