/**
 * Suite `timers`: how late durable timers are on an idle machine, and what those cost that are not due.
 *
 * Lateness is taken where the user's code runs; one that is early ends the bench. The promise is 50 ms in 99 of 100.
 */
import { ActorSystem } from 'troupe';
import { countInFile } from '../baselines/raw-writer.js';
import { account, ledger, sleeper } from '../cast/chain.js';
import { heard, listener } from '../cast/listener.js';
import { heapUsed } from '../harness/heap.js';
import { scaled } from '../harness/once.js';
import { quantile } from '../harness/statistics.js';
import { type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { doAll } from '../harness/throughput.js';
import { cpuSince } from '../harness/warm-up.js';

const PUNCTUAL = 1_000;
/** They are due one after the other within this time, after another one for setting them. */
const SPREAD_MS = 4_000;
const AHEAD_MS = 2_000;
const PENDING = 1_000_000;
const DAY_MS = 86_400_000;

export const timers = defineSuite({
  name: 'timers',
  question: 'How late are durable timers, and what do a million of them cost while they wait?',
  arms: [
    {
      name: 'lateness-of-reminders',
      notQuick: true,
      mostRounds: 1,
      question: `milliseconds that 99 of 100 reminders of an actor are late at most; ${PUNCTUAL} within 4 s`,
      unit: 'ms',
      run: latenessOfReminders,
    },
    {
      name: 'lateness-of-sleeps',
      notQuick: true,
      mostRounds: 1,
      question: `milliseconds that 99 of 100 sleeps of sagas are late at most; ${PUNCTUAL} within 4 s`,
      unit: 'ms',
      run: latenessOfSleeps,
    },
    {
      name: 'pending-reminders',
      onlyAlone: true,
      mostRounds: 1,
      question: `bytes of heap for each of ${PENDING.toLocaleString('en')} reminders that are due in a day or later`,
      unit: 'bytes',
      run: pendingReminders,
    },
  ],
});

async function latenessOfReminders(context: ArmContext): Promise<Measurement> {
  const count = scaled(PUNCTUAL, context.scale, 200);
  const system = await start(context);
  const ref = await system.spawn(listener, { id: 'one' });
  const firstMs = Date.now() + AHEAD_MS;
  const cpu = process.cpuUsage();
  await doAll(count, 100, (i) => {
    const at = firstMs + Math.floor((i * SPREAD_MS) / count);
    return system.remind(listener, 'one', `${i}`, 'hear', at, { at });
  });
  while ((await ref.ask('heard')) < count) await new Promise((resolve) => setTimeout(resolve, 100));
  await system.stop();
  return lateness(heard, count, cpu);
}

async function latenessOfSleeps(context: ArmContext): Promise<Measurement> {
  const count = scaled(PUNCTUAL, context.scale, 200);
  const system = await start(context);
  const firstMs = Date.now() + AHEAD_MS;
  const cpu = process.cpuUsage();
  const late: number[] = [];
  await doAll(count, count, async (i) => {
    const ref = system.ref(sleeper, `saga-${i}`);
    await ref.start({ untilMs: firstMs + Math.floor((i * SPREAD_MS) / count) });
    late.push(await ref.result());
  });
  await system.stop();
  return lateness(late, count, cpu);
}

function lateness(late: readonly number[], sent: number, cpu: NodeJS.CpuUsage): Measurement {
  const ascending = late.toSorted((a, b) => a - b);
  const [first = 0] = ascending;
  if (first < 0) throw new Error(`a timer was ${-first} ms early`);
  const at = (share: number): number => quantile(ascending, share) * 1_000;
  const cpuUs = cpuSince(cpu) / sent;
  const value = quantile(ascending, 0.99);
  return { value, samples: late.length, p50: at(0.5), p99: at(0.99), p999: at(1), cpuUs, sent, processed: late.length };
}

async function pendingReminders(context: ArmContext): Promise<Measurement> {
  const count = scaled(PENDING, context.scale, 10_000);
  const system = await start(context);
  const dueMs = Date.now() + DAY_MS;
  const remind = (i: number) =>
    system.remind(listener, `${i}`, 'wake', 'hear', i, { at: dueMs + ((i * 7_919) % DAY_MS) });
  // What the first ones make once for all: those that wake next are in memory.
  await doAll(5_000, 500, (i) => remind(count + i));
  const before = heapUsed();
  const cpu = process.cpuUsage();
  await doAll(count, 1_000, remind);
  const cpuUs = cpuSince(cpu) / count;
  const value = Math.max(0, heapUsed() - before) / count;
  await system.stop();
  const inFile = await countInFile(`${context.folder}/bench.db`, 'SELECT count(*) AS n FROM timer');
  return { value, samples: 1, p50: value, p99: value, p999: value, cpuUs, sent: count, processed: inFile - 5_000 };
}

function start({ folder }: ArmContext): Promise<ActorSystem> {
  const cast = [account, ledger, sleeper, listener];
  return ActorSystem.start({ name: 'bench', cast, workers: 0, journal: `${folder}/bench.db` });
}
