/**
 * What it costs to be observable: one program, run as it is, run once more, then with its metrics read and its facts
 * listened to.
 *
 * The first two are the same arm twice: how far they lie apart is what this machine can't tell from nothing. Being
 * observable can't be built out, so what it costs while nobody looks is part of both; what looking costs is the rest.
 * The program does what facts are told of, too: of 1,000 messages, 10 begin and end an actor.
 */
import { ActorSystem } from 'troupe';
import { counter } from '../cast/counter.js';
import { child, counted, parent } from '../cast/nursery.js';
import type { Arm, ArmContext, Measurement } from '../harness/suite.js';
import { countBursts } from '../harness/throughput.js';

const TELLS = 1_000;
const CHILDREN = 10;
/** As often as a dashboard would at most. */
const READ_EVERY_MS = 100;

/** Begins to look, and returns how to end it; what was seen is counted. */
type Look = (system: ActorSystem) => () => number;

export const observedArms: readonly Arm[] = [
  arm('unobserved', 'tells to one actor, and actors that begin and end, while nobody looks', () => () => 0),
  arm('unobserved-again', 'the same arm once more: what differs is noise', () => () => 0, 'unobserved'),
  arm('metrics-read', `the same while metrics() is read every ${READ_EVERY_MS} ms`, readMetrics, 'unobserved'),
  arm('facts-subscribed', 'the same while somebody listens to system.facts', listenToFacts, 'unobserved'),
];

function arm(name: string, question: string, look: Look, ...baselines: string[]): Arm {
  return { name, question, unit: 'messages/s', baselines, run: (context) => observed(context, look) };
}

async function observed(context: ArmContext, look: Look): Promise<Measurement> {
  const system = await ActorSystem.start({
    name: 'bench',
    cast: [counter, parent, child],
    workers: 0,
    journal: ':memory:',
  });
  const ref = await system.spawn(counter);
  const nursery = await system.spawn(parent);
  const endLooking = look(system);
  const found = await countBursts(context, async () => {
    for (let i = 0; i < TELLS; i += 1) ref.tell('add', 1);
    nursery.tell('spawnForOne', CHILDREN);
    await ref.ask('total');
    await nursery.ask('ready');
    return TELLS + CHILDREN;
  });
  const processed = (await ref.ask('total')) + counted.handled;
  const seen = endLooking();
  await system.stop();
  if (look === listenToFacts && seen < 2 * counted.handled) throw new Error(`only ${seen} facts were told`);
  if (look === readMetrics && seen === 0) throw new Error('metrics were never read');
  return { ...found, processed };
}

function readMetrics(system: ActorSystem): () => number {
  let read = 0;
  const timer = setInterval(() => {
    system.metrics();
    read += 1;
  }, READ_EVERY_MS);
  return () => {
    clearInterval(timer);
    return read;
  };
}

function listenToFacts(system: ActorSystem): () => number {
  let told = 0;
  const subscription = system.facts.subscribe(() => {
    told += 1;
  });
  return () => {
    subscription.unsubscribe();
    return told;
  };
}
