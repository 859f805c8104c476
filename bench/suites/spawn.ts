/**
 * Suite `spawn`: what plain actors cost to begin, to keep and to end, on one thread.
 *
 * Children are spawned by a parent, as programs do; each counts its own beginning and its own message. Bytes are those
 * of the heap after a full collection, so that only what is kept counts.
 */
import { ActorSystem, type ActorRef } from 'troupe';
import { erlangArm, peerSpawnArm } from '../baselines/peer.js';
import { child, counted, parent } from '../cast/nursery.js';
import { heapUsed } from '../harness/heap.js';
import { type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { countBursts } from '../harness/throughput.js';
import { cpuSince, startWarmUp } from '../harness/warm-up.js';

const BURST = 1_000;

export const spawn = defineSuite({
  name: 'spawn',
  question: 'What does an actor cost to begin, to keep idle, and to end, on one thread?',
  arms: [
    {
      name: 'objects-in-a-map',
      question: 'an object with a state, put into a map, called once and taken out: the bound in JavaScript',
      unit: 'actors/s',
      run: objectsInAMap,
    },
    peerSpawnArm('nact-spawn', 'nact', 'nact'),
    peerSpawnArm('xstate-spawn', 'xstate', 'xstate, fromTransition'),
    peerSpawnArm('effect-spawn', 'effect', 'effect, a fiber and a queue'),
    erlangArm('erlang-spawn', 'spawn', 'processes that handle one message, in bursts of 1,000', 'actors/s', 1),
    {
      name: 'spawn-tell-stop',
      question: 'spawn a child, tell it one message, which it handles and stops; in bursts of 1,000',
      unit: 'actors/s',
      baselines: ['objects-in-a-map', 'nact-spawn', 'xstate-spawn', 'effect-spawn', 'erlang-spawn'],
      run: spawnTellStop,
    },
    {
      name: 'stop-1000-children',
      question:
        'stop a parent with 1,000 children, the last one first: children per second; p50 is the time of one child',
      unit: 'actors/s',
      run: (context) => stopChildren(context, 1_000),
    },
    {
      name: 'stop-10000-children',
      question: 'the same with 10,000 children; p50 is the time of one child',
      unit: 'actors/s',
      baselines: ['stop-1000-children'],
      run: (context) => stopChildren(context, 10_000),
    },
    {
      name: 'stop-100000-children',
      notQuick: true,
      question: 'the same with 100,000 children: linear, if the rate is that of 1,000',
      unit: 'actors/s',
      baselines: ['stop-1000-children'],
      run: (context) => stopChildren(context, 100_000),
    },
    {
      name: 'idle-actors',
      question: 'bytes of heap for each of 1,000,000 idle actors (of 100,000 in a quick run)',
      unit: 'bytes',
      // The same to the byte each time, and it takes some seconds.
      mostRounds: 1,
      run: idleActors,
    },
  ],
});

interface PlainActor {
  readonly id: string;
  readonly state: { count: number };
}

async function objectsInAMap(context: ArmContext): Promise<Measurement> {
  const living = new Map<string, PlainActor>();
  let ids = 0;
  let count = 0;
  const found = await countBursts(context, async () => {
    for (let i = 0; i < BURST; i += 1) {
      ids += 1;
      const one: PlainActor = { id: `id-${ids}`, state: { count: 0 } };
      living.set(one.id, one);
    }
    await Promise.resolve();
    for (const [id, { state }] of living) {
      state.count += 1;
      count += state.count;
      living.delete(id);
    }
    return BURST;
  });
  return { ...found, processed: count };
}

async function spawnTellStop(context: ArmContext): Promise<Measurement> {
  const { system, ref } = await start();
  const found = await countBursts(context, async () => {
    ref.tell('spawnForOne', BURST);
    await ref.ask('ready');
    return BURST;
  });
  await system.stop();
  return { ...found, processed: counted.handled };
}

/** Only the stopping is timed. */
async function stopChildren(context: ArmContext, children: number): Promise<Measurement> {
  const { system } = await start();
  const rates: number[] = [];
  // The parent of `start` ends with the system.
  let sent = 1;
  let cpuUs = 0;
  let stopped = 0;
  system.facts.subscribe(({ kind }) => {
    if (kind === 'stopped') stopped += 1;
  });
  const isWarm = startWarmUp(context.warmupMs);
  let measuredMs = 0;
  while (!isWarm() || measuredMs < context.measureMs) {
    const isMeasured = isWarm();
    const ref = await system.spawn(parent);
    await ref.ask('spawn', children, { timeout: '60s' });
    await ref.ask('ready', undefined, { timeout: '60s' });
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await ref.stop();
    const ms = performance.now() - startedAt;
    sent += children + 1;
    if (!isMeasured) continue;
    measuredMs += ms;
    cpuUs += cpuSince(cpu);
    rates.push((children * 1_000) / ms);
  }
  await system.stop();
  const ascending = rates.toSorted((one, other) => one - other);
  const value = ascending[ascending.length >> 1] ?? 0;
  const each = 1_000_000 / value;
  const facts = { samples: rates.length, p50: each, p99: each, p999: each };
  return { value, ...facts, cpuUs: cpuUs / (rates.length * children), sent, processed: stopped };
}

async function idleActors(context: ArmContext): Promise<Measurement> {
  const actors = context.scale < 1 ? 100_000 : 1_000_000;
  const { system, ref } = await start();
  const before = heapUsed();
  const cpu = process.cpuUsage();
  for (let i = 0; i < actors; i += 10_000) await ref.ask('spawn', 10_000, { timeout: '60s' });
  await ref.ask('ready', undefined, { timeout: '60s' });
  const cpuUs = cpuSince(cpu) / actors;
  const value = (heapUsed() - before) / actors;
  const processed = counted.begun;
  await system.stop();
  return { value, samples: 1, p50: value, p99: value, p999: value, cpuUs, sent: actors, processed };
}

async function start(): Promise<{ readonly system: ActorSystem; readonly ref: ActorRef<typeof parent> }> {
  const system = await ActorSystem.start({ name: 'bench', cast: [parent, child], workers: 0, journal: ':memory:' });
  return { system, ref: await system.spawn(parent) };
}
