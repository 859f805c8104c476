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

/** Ids of each of some instances: far more than an instance keeps outcomes of (32), or found events (256). */
interface History {
  readonly instances: number;
  readonly ids: number;
}

const SHORT: History = { instances: 8, ids: 1_000 };
const LONG: History = { instances: 1, ids: 50_000 };

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
    {
      ...repeatArm('repeat-from-memory', 'a repeat of one of the latest commands of an instance', COMMAND, SHORT, 16),
      baselines: ['new-command'],
    },
    {
      ...repeatArm('repeat-from-disk', 'a repeat of an older command', COMMAND, SHORT, SHORT.ids),
      baselines: ['new-command'],
    },
    ...[
      {
        ...repeatArm(
          'repeat-in-long-history',
          'one of the oldest of 50,000 commands of an instance',
          COMMAND,
          LONG,
          5_000,
        ),
        baselines: ['repeat-from-disk'],
      },
      newArm('new-append', 'an event with an id, appended, on disk', APPEND),
      {
        ...repeatArm('append-again-from-memory', 'the same event again, found lately', APPEND, SHORT, 16),
        baselines: ['new-append'],
      },
      {
        ...repeatArm('append-again-from-disk', 'an older event again', APPEND, SHORT, SHORT.ids),
        baselines: ['new-append'],
      },
      {
        ...repeatArm(
          'append-again-in-long-history',
          'one of the oldest of 50,000 events of an instance',
          APPEND,
          LONG,
          5_000,
        ),
        baselines: ['append-again-from-disk'],
      },
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
      const found = await timeEach(context, (index) =>
        way.send(system, `account-${index % SHORT.instances}`, `id-${index}`),
      );
      await system.stop();
      return { ...found, processed: await countInFile(path, 'SELECT count(*) AS n FROM event_log') };
    },
  };
}

/** @param among how many ids of each instance are repeated, in turn: in a long history the oldest, else the latest */
function repeatArm(name: string, question: string, way: Way, history: History, among: number): Arm {
  const { instances, ids } = history;
  return {
    name,
    question,
    unit: 'µs',
    async run(context) {
      const path = join(context.folder, 'bench.db');
      const system = await ActorSystem.start({ name: 'bench', cast: [account], workers: 0, journal: path });
      const known = instances * ids;
      const from = history === LONG ? 0 : known - instances * among;
      const first = new Map<string, number>();
      const send = (index: number): Promise<number> =>
        way.send(system, `account-${index % instances}`, `id-${Math.floor(index / instances)}`);
      await doAll(known, 256, async (index) => first.set(String(index), await send(index)));
      let right = 0;
      const found = await timeEach(context, async (index) => {
        const place = from + (index % (instances * among));
        if ((await send(place)) === first.get(String(place))) right += 1;
      });
      await system.stop();
      const events = await countInFile(path, 'SELECT count(*) AS n FROM event_log');
      return { ...found, processed: events === known ? right : 0 };
    },
  };
}
