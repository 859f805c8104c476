/**
 * Suite `journal`: commands that are answered once their event is on the disk.
 *
 * Each command is an ask that deposits into one account and emits one small event, or ten, or a hundred. Counted are
 * events, in SQL after the end, in the file itself. The baseline stores the same facts as JSON with nothing around them,
 * the same number in flight, through the same driver.
 */
import { join } from 'node:path';
import { ActorSystem } from 'troupe';
import { emmettArm } from '../baselines/peer.js';
import { countInFile, RawWriter } from '../baselines/raw-writer.js';
import { account } from '../cast/account.js';
import { timeEach } from '../harness/latency.js';
import { timeAtHalfCapacity } from '../harness/steady-rate.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { doAll, keepInFlight, type Uncounted } from '../harness/throughput.js';

const AGGREGATES = 10_000;
const IN_FLIGHT = 1_000;

type Durability = 'disk' | 'os';
type Command = (index: number) => Promise<unknown>;
type Method = (context: ArmContext, command: Command) => Promise<Uncounted>;

const manyInFlight: Method = (context, command) => keepInFlight(context, IN_FLIGHT, command);
const atHalfCapacity: Method = (context, command) => timeAtHalfCapacity(context, IN_FLIGHT, command);

export const journal = defineSuite({
  name: 'journal',
  question: 'How many commands a second are on the disk when they are answered, and how long does one take?',
  // The compiler takes longer with a command than with a row; see `threads`.
  pace: { full: { warmupMs: 1_500 } },
  arms: [
    rawArm(
      'raw-1000-in-flight',
      "one row per commit with fsync, 1,000 in flight: the disk's bound",
      'disk',
      manyInFlight,
    ),
    emmettArm('emmett-1-an-append', 1, 1_000),
    emmettArm('emmett-100-an-append', 100, 1_000),
    troupeArm({
      name: 'commands-1000-in-flight',
      question: 'commands of one event to 10,000 aggregates, 1,000 in flight',
      baselines: ['raw-1000-in-flight', 'emmett-1-an-append', 'emmett-100-an-append'],
    }),
    troupeArm({
      name: 'hot-aggregate-1000-in-flight',
      question: 'commands to one aggregate, 1,000 in flight',
      aggregates: 1,
      baselines: ['commands-1000-in-flight', 'raw-1000-in-flight'],
    }),
    troupeArm({
      name: 'memory-1000-in-flight',
      question: "commands to 10,000 aggregates with the journal in memory: the runtime's own cost",
      memory: true,
      baselines: ['raw-1000-in-flight'],
    }),
    rawArm('raw-os-1000-in-flight', 'the bound without fsync', 'os', manyInFlight),
    troupeArm({
      name: 'os-1000-in-flight',
      question: "commands to 10,000 aggregates, durability 'os', 1,000 in flight",
      durability: 'os',
      baselines: ['raw-os-1000-in-flight'],
    }),
    batchArm('disk', 10, 'commands-1000-in-flight', 'emmett-100-an-append'),
    batchArm('disk', 100, 'commands-1000-in-flight', 'emmett-100-an-append'),
    { ...batchArm('os', 10, 'os-1000-in-flight'), notQuick: true },
    { ...batchArm('os', 100, 'os-1000-in-flight'), notQuick: true },
    {
      ...rawArm(
        'raw-half-load',
        'one row per commit with fsync, at half the rate of its bound',
        'disk',
        atHalfCapacity,
      ),
      unit: 'µs',
    },
    {
      ...troupeArm({
        name: 'commands-half-load',
        question: 'durable commands to 10,000 aggregates that come evenly, at half the rate of 1,000 in flight',
        method: atHalfCapacity,
        baselines: ['raw-half-load'],
      }),
      unit: 'µs',
    },
    { ...rawArm('raw-1-in-flight', 'one row with fsync, one at a time', 'disk', timeEach), unit: 'µs' },
    {
      ...troupeArm({
        name: 'command-1-in-flight',
        question: 'a durable command, one at a time',
        aggregates: 100,
        method: timeEach,
        baselines: ['raw-1-in-flight'],
      }),
      unit: 'µs',
    },
  ],
});

interface TroupeArm {
  readonly name: string;
  readonly question: string;
  readonly baselines: readonly string[];
  readonly durability?: Durability;
  readonly aggregates?: number;
  readonly method?: Method;
  readonly memory?: boolean;
  /** Events of a command. */
  readonly events?: number;
}

/** Some ten thousand events are in flight, and each aggregate has begun with one command. */
function batchArm(durability: Durability, events: number, ...baselines: string[]): Arm {
  const lanes = Math.min(IN_FLIGHT, 10_000 / events);
  const aggregates = AGGREGATES / events;
  return troupeArm({
    name: `${durability}-${events}-events-a-command`,
    question: `commands of ${events} events to ${aggregates} aggregates, durability '${durability}', ${lanes} in flight`,
    durability,
    events,
    aggregates,
    method: async (context, command) => inEvents(await keepInFlight(context, lanes, command), events),
    baselines,
  });
}

/** Of commands that make several events each: what an event costs. The times stay those of a command. */
function inEvents(found: Uncounted, events: number): Uncounted {
  return { ...found, value: found.value * events, cpuUs: found.cpuUs / events };
}

function troupeArm(spec: TroupeArm): Arm {
  const { durability = 'disk', aggregates = AGGREGATES, method = manyInFlight, memory = false, events = 1 } = spec;
  return {
    name: spec.name,
    question: spec.question,
    unit: 'events/s',
    baselines: spec.baselines,
    async run(context): Promise<Measurement> {
      const path = join(context.folder, 'bench.db');
      const system = await ActorSystem.start({
        name: 'bench',
        cast: [account],
        workers: 0,
        journal: memory ? ':memory:' : { path, durability },
      });
      const refs = Array.from({ length: aggregates }, (_, i) => system.ref(account, `account-${i}`));
      const deposit = (index: number): Promise<unknown> => {
        const ref = refs[index % aggregates];
        if (ref === undefined) throw new Error(`no reference ${index}`);
        return events === 1 ? ref.ask('deposit', { amount: 1 }) : ref.ask('depositEach', { amount: 1, times: events });
      };
      await doAll(aggregates, IN_FLIGHT, deposit);
      const found = await method(context, deposit);
      const counted = memory ? await countInMemory(system) : undefined;
      await system.stop();
      return {
        ...found,
        sent: (found.sent + aggregates) * events,
        processed: counted ?? (await countInFile(path, 'SELECT count(*) AS n FROM event_log')),
      };
    },
  };
}

function rawArm(name: string, question: string, durability: Durability, method: Method): Arm {
  return {
    name,
    question,
    unit: 'events/s',
    async run(context): Promise<Measurement> {
      const path = join(context.folder, 'raw.db');
      const writer = await RawWriter.open(path, durability === 'disk' ? 'FULL' : 'NORMAL');
      const versions = new Uint32Array(AGGREGATES);
      const found = await method(context, (index) => {
        const place = index % AGGREGATES;
        const version = (versions[place] ?? 0) + 1;
        versions[place] = version;
        return writer.write(
          JSON.stringify([
            'account',
            `account-${place}`,
            version,
            'account.deposited',
            { amount: 1 },
            `command-${index}`,
          ]),
        );
      });
      await writer.close();
      const processed = await countInFile(path, 'SELECT sum(json_array_length(body)) AS n FROM commits');
      return { ...found, processed };
    },
  };
}

async function countInMemory(system: ActorSystem): Promise<number> {
  let count = 0;
  for await (const _event of system.readAll()) count += 1;
  return count;
}
