/**
 * Suite `mailbox`: local messages to one actor with synchronous handlers, on one thread.
 *
 * Tells come in bursts below the mailbox capacity of 10,000, so that none is refused; each burst ends with an ask,
 * which by the order of messages is answered once all of it is processed. Sends may wait for room and come one
 * by one. The actor's own count is asked at the end.
 */
import { ActorSystem } from 'troupe';
import { erlangArm, peerAskArm, peerTellArm } from '../baselines/peer.js';
import { MessageRing } from '../baselines/message-ring.js';
import { PromiseQueue } from '../baselines/promise-queue.js';
import { counter } from '../cast/counter.js';
import { player, teller, volley } from '../cast/players.js';
import { timeEach } from '../harness/latency.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { countBursts, keepInFlight, type Uncounted } from '../harness/throughput.js';
import { observedArms } from '../mailbox/observed.js';
import { quietArms } from '../mailbox/quiet-actors.js';

const BURST = 1_000;
/** Asks between two looks at the clock when they go one at a time. */
const SEQUENCE = 100;

export const mailbox = defineSuite({
  name: 'mailbox',
  question: 'How many messages does one actor handle, and what does an answer cost, on one thread?',
  arms: [
    {
      name: 'ring-bursts-of-1000',
      question: 'a ring of messages drained in one microtask: the bound in JavaScript',
      unit: 'messages/s',
      run: ringBursts,
    },
    peerTellArm('nact-bursts-of-1000', 'nact', 'nact'),
    peerTellArm('xstate-machine-bursts-of-1000', 'xstateMachine', 'xstate, a machine'),
    peerTellArm('xstate-transition-bursts-of-1000', 'xstateTransition', 'xstate, fromTransition'),
    peerTellArm('comedy-bursts-of-1000', 'comedyMemory', 'comedy in memory'),
    peerTellArm('effect-bursts-of-1000', 'effect', 'effect, a fiber and a queue'),
    erlangArm('erlang-bursts-of-1000', 'tell', 'messages to a counter, in bursts of 1,000', 'messages/s', 1),
    {
      name: 'tell-bursts-of-1000',
      question: 'tell to a counting actor, in bursts of 1,000, below the capacity of its mailbox',
      unit: 'messages/s',
      baselines: [
        'ring-bursts-of-1000',
        'erlang-bursts-of-1000',
        'nact-bursts-of-1000',
        'xstate-machine-bursts-of-1000',
        'xstate-transition-bursts-of-1000',
        'comedy-bursts-of-1000',
        'effect-bursts-of-1000',
      ],
      run: (context) =>
        withCounter((ref) =>
          countBursts(context, async () => {
            for (let i = 0; i < BURST; i += 1) ref.tell('add', 1);
            await ref.ask('total');
            return BURST;
          }),
        ),
    },
    {
      name: 'send-one-by-one',
      question: 'send to a counting actor, the next one when the mailbox has taken the last',
      unit: 'messages/s',
      baselines: ['ring-bursts-of-1000'],
      run: (context) =>
        withCounter((ref) =>
          countBursts(context, async () => {
            for (let i = 0; i < BURST; i += 1) await ref.send('add', 1);
            await ref.ask('total');
            return BURST;
          }),
        ),
    },
    queueArm('promise-queue-1-in-flight', 'a promise answered by a microtask, one at a time: the bound', 1),
    erlangArm('erlang-call', 'call', 'a call with a monitor, one at a time', 'asks/s', 1),
    peerAskArm('nact-ask-1-in-flight', 'nact', 'nact', 1),
    askArm(
      'ask-1-in-flight',
      'ask one at a time',
      1,
      'promise-queue-1-in-flight',
      'erlang-call',
      'nact-ask-1-in-flight',
    ),
    { ...queueArm('promise-queue-16-in-flight', 'the bound with 16 in flight', 16), notQuick: true },
    { ...askArm('ask-16-in-flight', 'ask with 16 in flight', 16, 'promise-queue-16-in-flight'), notQuick: true },
    queueArm('promise-queue-256-in-flight', 'the bound with 256 in flight', 256),
    askArm('ask-256-in-flight', 'ask with 256 in flight', 256, 'promise-queue-256-in-flight'),
    erlangArm('erlang-ping-pong', 'pingpong', 'one message there and one back, again and again', 'messages/s', 1),
    {
      name: 'ping-pong',
      question: 'two actors send one message to and fro, again and again',
      unit: 'messages/s',
      baselines: ['erlang-ping-pong'],
      run: pingPong,
    },
    {
      name: 'fan-in',
      question: '100 actors tell one, 10 messages each',
      unit: 'messages/s',
      baselines: ['ring-bursts-of-1000'],
      run: (context) => fan(context, 'in'),
    },
    {
      name: 'fan-out',
      question: 'one actor tells 100 others, 10 messages each',
      unit: 'messages/s',
      baselines: ['ring-bursts-of-1000'],
      run: (context) => fan(context, 'out'),
    },
    ...quietArms,
    ...observedArms,
  ],
});

type Ask = () => Promise<unknown>;

function queueArm(name: string, question: string, lanes: number): Arm {
  return {
    name,
    question,
    unit: 'asks/s',
    async run(context) {
      let count = 0;
      const queue = new PromiseQueue((amount) => (count += amount));
      const found = await asks(context, lanes, () => queue.ask(1));
      return { ...found, processed: count };
    },
  };
}

function askArm(name: string, question: string, lanes: number, ...baselines: string[]): Arm {
  return {
    name,
    question,
    unit: 'asks/s',
    baselines,
    run: (context) => withCounter((ref) => asks(context, lanes, () => ref.ask('next', 1))),
  };
}

/** Several in flight, or one at a time: then first their rate, and after that the time of each one. */
async function asks(context: ArmContext, lanes: number, ask: Ask): Promise<Uncounted> {
  if (lanes > 1) return keepInFlight(context, lanes, ask);
  const half = { warmupMs: context.warmupMs, measureMs: context.measureMs / 2 };
  const rate = await countBursts(half, async () => {
    for (let i = 0; i < SEQUENCE; i += 1) await ask();
    return SEQUENCE;
  });
  const each = await timeEach(half, ask);
  return { ...each, value: rate.value, cpuUs: rate.cpuUs, sent: rate.sent + each.sent };
}

async function ringBursts(context: ArmContext): Promise<Measurement> {
  let count = 0;
  const ring = new MessageRing(2_048, (message) => {
    count += message.payload;
  });
  const found = await countBursts(context, async () => {
    for (let i = 0; i < BURST; i += 1) ring.tell('add', 1);
    // The ring's microtask stands before this one.
    await Promise.resolve();
    return BURST;
  });
  return { ...found, processed: count };
}

/** Volleys of 1,000 messages; each actor counts what it gets. */
async function pingPong(context: ArmContext): Promise<Measurement> {
  const system = await ActorSystem.start({ name: 'bench', cast: [player, counter], workers: 0, journal: ':memory:' });
  const ping = await system.spawn(player, { id: 'ping' });
  const pong = await system.spawn(player, { id: 'pong' });
  const found = await countBursts(context, async () => {
    const over = new Promise<void>((resolve) => {
      volley.over = resolve;
    });
    ping.tell('serve', { to: pong, messages: BURST });
    await over;
    return BURST;
  });
  const processed = (await ping.ask('hits')) + (await pong.ask('hits'));
  await system.stop();
  return { ...found, processed };
}

const FAN = 100;
const EACH = 10;

async function fan(context: ArmContext, way: 'in' | 'out'): Promise<Measurement> {
  const system = await ActorSystem.start({ name: 'bench', cast: [teller, counter], workers: 0, journal: ':memory:' });
  const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
  const counters = await Promise.all(ids(way === 'in' ? 1 : FAN).map((id) => system.spawn(counter, { id })));
  const tellers = await Promise.all(ids(way === 'in' ? FAN : 1).map((id) => system.spawn(teller, { id })));
  const targets = counters.map(({ id }) => id);
  const [last] = counters.slice(-1);
  if (last === undefined) throw new Error('there is no counter');
  const found = await countBursts(context, async () => {
    for (const one of tellers) one.tell('tell', { targets, each: EACH });
    await tellers.at(-1)?.ask('done');
    await last.ask('total');
    return FAN * EACH;
  });
  const totals = await Promise.all(counters.map((one) => one.ask('total')));
  await system.stop();
  return { ...found, processed: totals.reduce((sum, total) => sum + total, 0) };
}

/** Spawns a counter on a system of its own, and asks it at the end what it has counted. */
async function withCounter(
  use: (ref: Awaited<ReturnType<typeof spawnCounter>>) => Promise<Uncounted>,
): Promise<Measurement> {
  const system = await ActorSystem.start({ name: 'bench', cast: [counter], workers: 0, journal: ':memory:' });
  const ref = await spawnCounter(system);
  const found = await use(ref);
  const processed = await ref.ask('total');
  await system.stop();
  return { ...found, processed };
}

function spawnCounter(system: ActorSystem) {
  return system.spawn(counter);
}
