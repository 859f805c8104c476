/**
 * Suite `dedupe`: what it costs to know a command or an event again, by level.
 *
 * First level: the outcomes that a living instance keeps in memory. Second level: the journal on disk, found by a hash.
 * One at a time; the baseline is a new one, which has to be written. What counts as processed got the first outcome, and
 * in the end the file has each of them once.
 */
import { join } from 'node:path';
import { ActorSystem } from 'troupe';
import { countInFile } from '../baselines/raw-writer.js';
import { account } from '../cast/account.js';
import { timeEach } from '../harness/latency.js';
import { type Arm, defineSuite } from '../harness/suite.js';
import { doAll } from '../harness/throughput.js';

/** Instances, and ids of each: far more than an instance keeps outcomes of (32), or found events (256). */
const INSTANCES = 8;
const IDS = 1_000;

interface Way {
  /** Sends the command or event of this id; resolves with what tells its outcome from others. */
  send(system: ActorSystem, instance: string, id: string): Promise<number>;
}

const COMMAND: Way = {
  async send(system, instance, id) {
    const { version } = await system.ref(account, instance).ask('deposit', { amount: 1 }, { id, receipt: true });
    return version;
  },
};

const APPEND: Way = {
  async send(system, instance, id) {
    const { version } = await system.append(account, instance, [
      { type: 'account.deposited', data: { amount: 1 }, id },
    ]);
    return version;
  },
};

export const dedupe = defineSuite({
  name: 'dedupe',
  question: 'What does it cost to know a repeat, from memory and from disk?',
  pace: { full: { rounds: 1 } },
  arms: [
    newArm('new-command', 'a new command with an id, on disk', COMMAND),
    repeatArm(
      'repeat-from-memory',
      'a repeat of one of the latest commands of an instance',
      COMMAND,
      16,
      'new-command',
    ),
    repeatArm('repeat-from-disk', 'a repeat of an older command', COMMAND, IDS, 'new-command'),
    ...[
      newArm('new-append', 'an event with an id, appended, on disk', APPEND),
      repeatArm('append-again-from-memory', 'the same event again, found lately', APPEND, 16, 'new-append'),
      repeatArm('append-again-from-disk', 'an older event again', APPEND, IDS, 'new-append'),
    ].map((arm) => ({ ...arm, notQuick: true })),
  ],
});

function newArm(name: string, question: string, way: Way): Arm {
  return {
    name,
    question,
    unit: 'µs',
    async run(context) {
      const path = join(context.folder, 'bench.db');
      const system = await ActorSystem.start({ name: 'bench', cast: [account], workers: 0, journal: path });
      const found = await timeEach(context, (index) => way.send(system, `account-${index % INSTANCES}`, `id-${index}`));
      await system.stop();
      return { ...found, processed: await countInFile(path, 'SELECT count(*) AS n FROM event_log') };
    },
  };
}

/** @param among how many ids of each instance are repeated, in turn */
function repeatArm(name: string, question: string, way: Way, among: number, baseline: string): Arm {
  return {
    name,
    question,
    unit: 'µs',
    baselines: [baseline],
    async run(context) {
      const path = join(context.folder, 'bench.db');
      const system = await ActorSystem.start({ name: 'bench', cast: [account], workers: 0, journal: path });
      const known = INSTANCES * IDS;
      const first = new Map<string, number>();
      const send = (index: number): Promise<number> =>
        way.send(system, `account-${index % INSTANCES}`, `id-${Math.floor(index / INSTANCES)}`);
      await doAll(known, 256, async (index) => first.set(String(index), await send(index)));
      let right = 0;
      const found = await timeEach(context, async (index) => {
        const place = known - INSTANCES * among + (index % (INSTANCES * among));
        if ((await send(place)) === first.get(String(place))) right += 1;
      });
      await system.stop();
      const events = await countInFile(path, 'SELECT count(*) AS n FROM event_log');
      return { ...found, processed: events === known ? right : 0 };
    },
  };
}
