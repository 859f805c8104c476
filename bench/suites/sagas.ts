/**
 * Suite `sagas`: what a durable workflow costs beside the commands that it sends, and what one that waits does.
 *
 * Each saga asks aggregates, one ask after the other; the baseline sends the same commands without one, the same
 * number at a time. Bytes are those of the heap after full collections, when all of them have left memory.
 */
import { ActorSystem } from 'troupe';
import { countInFile } from '../baselines/raw-writer.js';
import { account, depositAndNote, depositOften, ledger, sleeper, waiter } from '../cast/chain.js';
import { heapUsed } from '../harness/heap.js';
import { scaled, timeOnce } from '../harness/once.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { doAll } from '../harness/throughput.js';
import { cpuSince } from '../harness/warm-up.js';

const SAGAS = 10_000;
const IN_FLIGHT = 500;

/** Asks of one saga. */
const STEPS = 20;
/** Orders of the retail year. */
const ORDERS = 20_725;
const SLEEPERS = 100_000;
const DAY_MS = 86_400_000;

export const sagas = defineSuite({
  name: 'sagas',
  question: 'What do workflows cost beside their commands, each step durable, and what while they wait?',
  pace: { full: { rounds: 2 } },
  arms: [
    {
      name: 'two-commands',
      question: 'two commands one after the other, 500 such pairs at a time',
      unit: 'sagas/s',
      run: (context) =>
        play(context, async (system, id) => {
          await system.ref(account, id).ask('deposit', { amount: 1 });
          await system.ref(ledger, id).ask('note', { amount: 1 });
        }),
    },
    {
      name: 'saga-of-two-asks',
      question: 'a saga that asks for the same two, 500 at a time',
      unit: 'sagas/s',
      baselines: ['two-commands'],
      run: (context) =>
        play(context, async (system, id) => {
          const ref = system.ref(depositAndNote, id);
          await ref.start({ amount: 1 });
          await ref.result();
        }),
    },
    ...stepsBesideAsks(256).map((arm) => ({ ...arm, notQuick: true })),
    ...stepsBesideAsks(1).map((arm) => ({ ...arm, onlyAlone: true })),
    {
      name: 'sleeping-sagas',
      notQuick: true,
      mostRounds: 1,
      question: `bytes of heap for each of ${SLEEPERS.toLocaleString('en')} sagas that sleep for a day`,
      unit: 'bytes',
      run: sleepingSagas,
    },
    {
      name: 'waiting-sagas',
      onlyAlone: true,
      mostRounds: 1,
      question: `bytes of heap for each of ${ORDERS.toLocaleString('en')} sagas that wait for an event of their aggregate`,
      unit: 'bytes',
      run: waitingSagas,
    },
    {
      name: 'events-nobody-waits-for',
      onlyAlone: true,
      question: 'commands with one event each, of a type that one saga waits for, 256 at a time',
      unit: 'events/s',
      run: (context) => eventsAmong(context, 1),
    },
    {
      name: 'events-among-waiting-sagas',
      onlyAlone: true,
      question: `the same while ${ORDERS.toLocaleString('en')} sagas wait for events of other aggregates`,
      unit: 'events/s',
      baselines: ['events-nobody-waits-for'],
      run: (context) => eventsAmong(context, scaled(ORDERS, context.scale, 2_000)),
    },
  ],
});

/** A chain of asks to one aggregate from outside, and the same as the steps of a saga. */
function stepsBesideAsks(chains: number): Arm[] {
  const bare = `asks-in-${chains === 1 ? 'one-chain' : `${chains}-chains`}`;
  const atATime = chains === 1 ? 'one chain at a time' : `${chains} chains at a time`;
  return [
    {
      name: bare,
      question: `chains of ${STEPS} asks to one aggregate each, ${atATime}`,
      unit: 'asks/s',
      run: (context) =>
        playSteps(context, chains, async (system, id) => {
          const ref = system.ref(account, id);
          for (let i = 0; i < STEPS; i += 1) await ref.ask('deposit', { amount: 1 });
        }),
    },
    {
      name: bare.replace('asks', 'saga-steps'),
      question: `the same asks as steps of sagas, ${chains === 1 ? 'one' : chains} at a time`,
      unit: 'asks/s',
      baselines: [bare],
      run: (context) =>
        playSteps(context, chains, async (system, id) => {
          const ref = system.ref(depositOften, id);
          await ref.start({ times: STEPS });
          await ref.result();
        }),
    },
  ];
}

async function play(
  context: ArmContext,
  run: (system: ActorSystem, id: string) => Promise<void>,
): Promise<Measurement> {
  const count = scaled(SAGAS, context.scale, 500);
  const system = await start(context);
  const found = await timeOnce(count, async () => {
    await doAll(count, IN_FLIGHT, (i) => run(system, `saga-${i}`));
    return 0;
  });
  await system.stop();
  return { ...found, processed: await eventsOf(context, 'ledger.noted') };
}

async function playSteps(
  context: ArmContext,
  chains: number,
  run: (system: ActorSystem, id: string) => Promise<void>,
): Promise<Measurement> {
  const count = scaled(chains === 1 ? 400 : 8_192, context.scale, chains);
  const system = await start(context);
  const found = await timeOnce(count * STEPS, async () => {
    await doAll(count, chains, (i) => run(system, `saga-${i}`));
    return 0;
  });
  await system.stop();
  return { ...found, processed: await eventsOf(context, 'account.deposited') };
}

async function sleepingSagas(context: ArmContext): Promise<Measurement> {
  const count = scaled(SLEEPERS, context.scale, 2_000);
  const untilMs = Date.now() + DAY_MS;
  return resting(context, count, (system, i) => system.ref(sleeper, `saga-${i}`).start({ untilMs }), 'sleeping');
}

async function waitingSagas(context: ArmContext): Promise<Measurement> {
  const count = scaled(ORDERS, context.scale, 2_000);
  return resting(context, count, (system, i) => system.ref(waiter, `saga-${i}`).start(), 'waiting');
}

async function resting(
  context: ArmContext,
  count: number,
  begin: (system: ActorSystem, i: number) => Promise<unknown>,
  state: 'sleeping' | 'waiting',
): Promise<Measurement> {
  const system = await start(context);
  // What the first ones make once for all.
  await doAll(100, 100, (i) => begin(system, -1 - i));
  await system.settled();
  const before = heapUsed();
  const cpu = process.cpuUsage();
  await doAll(count, IN_FLIGHT, (i) => begin(system, i));
  const cpuUs = cpuSince(cpu) / count;
  // Two looks after the time that they stay in memory.
  for (let look = 0; look < 3; look += 1) await new Promise((resolve) => setTimeout(resolve, 1_100));
  await system.settled();
  const value = (heapUsed() - before) / count;
  const [numbers] = system.metrics().sagas.filter((one) => one[state] > 0);
  await system.stop();
  const processed = (numbers?.[state] ?? 0) - 100;
  return { value, samples: 1, p50: value, p99: value, p999: value, cpuUs, sent: count, processed };
}

async function eventsAmong(context: ArmContext, waiting: number): Promise<Measurement> {
  const count = scaled(50_000, context.scale, 2_000);
  const system = await start(context);
  await doAll(waiting, IN_FLIGHT, (i) => system.ref(waiter, `saga-${i}`).start());
  await system.settled({ timeout: '1m' });
  const found = await timeOnce(count, async () => {
    await doAll(count, 256, (i) => system.ref(ledger, `other-${i % 1_024}`).ask('note', { amount: 1 }));
    await system.settled({ timeout: '1m' });
    return 0;
  });
  await system.stop();
  return { ...found, processed: await eventsOf(context, 'ledger.noted') };
}

function start({ folder }: ArmContext): Promise<ActorSystem> {
  const cast = [account, ledger, depositAndNote, depositOften, sleeper, waiter];
  const limits = { askTimeout: '1m' } as const;
  return ActorSystem.start({ name: 'bench', cast, workers: 0, journal: `${folder}/bench.db`, limits });
}

function eventsOf({ folder }: ArmContext, type: string): Promise<number> {
  return countInFile(`${folder}/bench.db`, `SELECT count(*) AS n FROM event_log WHERE type = '${type}'`);
}
