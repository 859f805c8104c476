/**
 * Suite `scaling`: how costs grow with payload, actors, history and workers.
 *
 * Each row stands beside its smallest one: a ratio of 1 is what doesn't grow at all.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ActorSystem } from 'troupe';
import { countInFile } from '../baselines/raw-writer.js';
import { account } from '../cast/account.js';
import { counter, receiver } from '../cast/threads.js';
import { scaled } from '../harness/once.js';
import { timeEach } from '../harness/latency.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { countBursts, doAll, keepInFlight } from '../harness/throughput.js';

const PAYLOADS = [10, 1_000, 100_000, 1_000_000];
const ACTORS = [1, 100, 10_000];
const HISTORIES = [10, 1_000, 100_000];
/** One, two, and twice as many as long as the machine has processors for them. */
const WORKERS = [1, 2, 4, 8, 16].filter((workers) => workers <= Math.max(2, availableParallelism()));
const IN_FLIGHT = 1_000;

export const scaling = defineSuite({
  name: 'scaling',
  question: 'How do costs grow with payload, number of actors, length of history and workers?',
  pace: { full: { rounds: 1 } },
  arms: [
    ...PAYLOADS.map(payloadArm),
    ...ACTORS.map(actorsArm),
    ...HISTORIES.map(historyArm),
    ...WORKERS.map(workersArm),
  ].map((arm) => ({ ...arm, notQuick: true })),
});

/** An arm beside the first of its row. */
function beside(name: string, [first = 0]: readonly number[], size: number): Pick<Arm, 'name' | 'baselines'> {
  return { name: `${name}-${size}`, ...(size === first ? {} : { baselines: [`${name}-${first}`] }) };
}

function payloadArm(bytes: number): Arm {
  // Some hundred kilobytes under way at once.
  const burst = Math.max(1, Math.min(256, Math.floor(500_000 / bytes)));
  return {
    ...beside('payload-bytes', PAYLOADS, bytes),
    question: `tell to an actor on a worker, a text of ${bytes} bytes, in bursts of ${burst}`,
    unit: 'messages/s',
    async run(context) {
      const system = await start(1);
      const ref = await system.spawn(receiver);
      const text = 'x'.repeat(bytes);
      const found = await countBursts(context, async () => {
        for (let i = 0; i < burst; i += 1) ref.tell('take', text);
        await ref.ask('count');
        return burst;
      });
      const processed = await ref.ask('count');
      await system.stop();
      return { ...found, processed };
    },
  };
}

function actorsArm(count: number): Arm {
  return {
    ...beside('actors', ACTORS, count),
    question: `ask one of ${count} actors after the other, on one thread, 256 in flight`,
    unit: 'asks/s',
    async run(context) {
      const system = await ActorSystem.start({ name: 'bench', cast: [counter], workers: 0, journal: ':memory:' });
      const refs = await Promise.all(Array.from({ length: count }, (_, i) => system.spawn(counter, { id: `c-${i}` })));
      const found = await keepInFlight(context, 256, async (i) => refs[i % count]?.ask('next', 1));
      const totals = await Promise.all(refs.map((ref) => ref.ask('total')));
      await system.stop();
      return { ...found, processed: totals.reduce((sum, total) => sum + total, 0) };
    },
  };
}

function historyArm(events: number): Arm {
  return {
    ...beside('history-events', HISTORIES, events),
    question: `a durable command to an aggregate that has ${events} events already (at most 5,000 with --quick), one at a time`,
    unit: 'µs',
    async run(context) {
      const path = join(context.folder, 'bench.db');
      const system = await ActorSystem.start({ name: 'bench', cast: [account], workers: 0, journal: path });
      const size = events > 1_000 ? scaled(events, context.scale, 5_000) : events;
      for (let done = 0; done < size; done += 1_000) {
        const some = Array.from({ length: Math.min(1_000, size - done) }, () => ({
          type: 'account.deposited' as const,
          data: { amount: 1 },
        }));
        await system.append(account, 'one', some, { expectedVersion: 'any' });
      }
      const ref = system.ref(account, 'one');
      const found = await timeEach(context, () => ref.ask('deposit', { amount: 1 }));
      await system.stop();
      return { ...found, processed: (await countInFile(path, 'SELECT count(*) AS n FROM event_log')) - size };
    },
  };
}

function workersArm(workers: number): Arm {
  return {
    ...beside('workers', WORKERS, workers),
    question: `durable commands to 1,000 aggregates on ${workers} worker${workers === 1 ? '' : 's'}, 1,000 in flight`,
    unit: 'commands/s',
    run: (context) => durableOn(context, workers),
  };
}

async function durableOn(context: ArmContext, workers: number): Promise<Measurement> {
  const path = join(context.folder, 'bench.db');
  const cast = new URL('../cast/account.js', import.meta.url);
  const system = await ActorSystem.start({ name: 'bench', cast, workers, journal: path });
  const refs = Array.from({ length: 1_000 }, (_, i) => system.ref(account, `account-${i}`));
  const deposit = async (index: number): Promise<unknown> => refs[index % refs.length]?.ask('deposit', { amount: 1 });
  await doAll(refs.length, IN_FLIGHT, deposit);
  const found = await keepInFlight(context, IN_FLIGHT, deposit);
  await system.stop();
  const processed = await countInFile(path, 'SELECT count(*) AS n FROM event_log');
  return { ...found, sent: found.sent + refs.length, processed };
}

function start(workers: number): Promise<ActorSystem> {
  const cast = new URL('../cast/threads.js', import.meta.url);
  return ActorSystem.start({ name: 'bench', cast, workers, journal: ':memory:' });
}
