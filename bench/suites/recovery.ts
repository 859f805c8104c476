/**
 * Suite `recovery`: how fast instances come back from the journal.
 *
 * A journal is made, its system stopped, and a new one started on it; what is timed is a query of each aggregate, which is
 * answered when all its events are folded. With many aggregates their events lie far apart: one of each after the
 * other. The baselines parse and fold the same events without a journal.
 */
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { ActorSystem } from 'troupe';
import { emmettReadArm } from '../baselines/peer.js';
import { account } from '../cast/account.js';
import { accountWithSnapshots } from '../cast/account-with-snapshots.js';
import { scaled, timeOnce } from '../harness/once.js';
import { type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { countBursts, doAll } from '../harness/throughput.js';

const ONE = 1_000_000;
const MANY = { aggregates: 10_000, events: 100 };
const IN_FLIGHT = 1_000;
/** Events of one append. */
const APPEND = 1_000;

export const recovery = defineSuite({
  name: 'recovery',
  question: 'How many events a second are folded when instances come back from the journal?',
  // Each round writes two million events before it reads them.
  pace: { full: { rounds: 2 } },
  arms: [
    {
      name: 'parse-and-apply',
      question: 'JSON.parse and apply of each event, without SQLite: the bound',
      unit: 'events/s',
      run: parseAndApply,
    },
    emmettReadArm('emmett-read', 1_000),
    {
      name: 'one-aggregate',
      question: 'one aggregate with 1,000,000 events (fewer with --quick)',
      unit: 'events/s',
      baselines: ['parse-and-apply', 'emmett-read'],
      run: (context) => recoverOne(context, account),
    },
    {
      name: 'one-aggregate-with-snapshot',
      question: 'the time until it answers with a snapshot near its end',
      unit: 'ms',
      run: async (context) => inMilliseconds(await recoverOne(context, accountWithSnapshots)),
    },
    {
      name: 'many-aggregates',
      question: '10,000 aggregates with 100 events each (fewer with --quick), their events far apart',
      unit: 'events/s',
      baselines: ['parse-and-apply', 'emmett-read'],
      run: recoverMany,
    },
  ],
});

/** Events that nobody has to read have no rate. */
function inMilliseconds(found: Measurement): Measurement {
  return { ...found, value: (found.sent * 1_000) / found.value };
}

type Account = typeof account | typeof accountWithSnapshots;

function start(folder: string, cast: Account): Promise<ActorSystem> {
  const journal = { path: join(folder, 'bench.db'), durability: 'os' as const };
  return ActorSystem.start({ name: 'bench', cast: [cast], workers: 0, journal, limits: { askTimeout: '2m' } });
}

function deposits(count: number): { type: 'account.deposited'; data: { amount: number } }[] {
  return Array.from({ length: count }, () => ({ type: 'account.deposited', data: { amount: 1 } }));
}

async function recoverOne({ folder, scale }: ArmContext, cast: Account): Promise<Measurement> {
  const count = Math.ceil(scaled(ONE, scale, 20_000) / APPEND) * APPEND;
  const writing = await start(folder, cast);
  for (let i = 0; i < count; i += APPEND) {
    await writing.append(cast, 'one', deposits(APPEND), { expectedVersion: 'any' });
  }
  await writing.stop();
  const reading = await start(folder, cast);
  const found = await timeOnce(count, () => reading.ref(cast, 'one').ask('balance'));
  await reading.stop();
  return found;
}

async function recoverMany({ folder, scale }: ArmContext): Promise<Measurement> {
  const aggregates = scaled(MANY.aggregates, Math.sqrt(scale), 200);
  const each = scaled(MANY.events, Math.sqrt(scale), 20);
  const writing = await start(folder, account);
  const refs = Array.from({ length: aggregates }, (_, i) => writing.ref(account, `account-${i}`));
  await doAll(aggregates * each, IN_FLIGHT, async (index) => refs[index % aggregates]?.ask('deposit', { amount: 1 }));
  await writing.stop();
  const reading = await start(folder, account);
  const found = await timeOnce(aggregates * each, async () => {
    let sum = 0;
    await doAll(aggregates, IN_FLIGHT, async (i) => {
      const balance = await reading.ref(account, `account-${i}`).ask('balance');
      sum += balance;
    });
    return sum;
  });
  await reading.stop();
  return found;
}

/** The events that a journal of such commands holds, each with the outcome that its command left. */
async function parseAndApply(context: ArmContext): Promise<Measurement> {
  const texts = Array.from({ length: APPEND }, (_, i) => {
    const commandId = `${nanoid(12)}-${i}`;
    return JSON.stringify([
      'account',
      `account-${i}`,
      5,
      'account.deposited',
      1,
      { amount: 1 },
      commandId,
      commandId,
      null,
      null,
      null,
      [0, { balance: 5 }],
    ]);
  });
  let state = { balance: 0 };
  const found = await countBursts(context, () => {
    for (const text of texts) {
      // Written just above.
      const event = JSON.parse(text) as readonly unknown[];
      const { amount } = event[5] as { readonly amount: number };
      state = { balance: state.balance + amount };
    }
    return texts.length;
  });
  return { ...found, processed: state.balance };
}
