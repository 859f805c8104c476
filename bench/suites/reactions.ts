/**
 * Suite `reactions`: what it costs that one thing leads to another.
 *
 * A fixed number of durable commands, 1,000 in flight, until the system has settled: alone, and with a reaction that sends a
 * command to another aggregate for each event. What was processed is counted in the journal.
 */
import { ActorSystem } from 'troupe';
import { countInFile } from '../baselines/raw-writer.js';
import { account, ledger, noteDeposits } from '../cast/chain.js';
import { scaled, timeOnce } from '../harness/once.js';
import { type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { doAll } from '../harness/throughput.js';

const COMMANDS = 100_000;
const AGGREGATES = 1_000;
const IN_FLIGHT = 1_000;

export const reactions = defineSuite({
  name: 'reactions',
  question: 'How many events a second lead to a command, each exactly once?',
  pace: { full: { rounds: 2 } },
  arms: [
    {
      name: 'commands-alone',
      question: 'commands to 1,000 aggregates, nobody reacts',
      unit: 'commands/s',
      run: (context) => play(context, false),
    },
    {
      name: 'with-a-reaction',
      question: 'the same, and each event leads to a command of another aggregate; until all is settled',
      unit: 'commands/s',
      baselines: ['commands-alone'],
      run: (context) => play(context, true),
    },
  ],
});

async function play({ folder, scale }: ArmContext, reacts: boolean): Promise<Measurement> {
  const count = scaled(COMMANDS, scale, 5_000);
  const path = `${folder}/bench.db`;
  const cast = reacts ? [account, ledger, noteDeposits] : [account];
  const system = await ActorSystem.start({ name: 'bench', cast, workers: 0, journal: path });
  const refs = Array.from({ length: AGGREGATES }, (_, i) => system.ref(account, `account-${i}`));
  const found = await timeOnce(count, async () => {
    await doAll(count, IN_FLIGHT, async (i) => refs[i % AGGREGATES]?.ask('deposit', { amount: 1 }));
    await system.settled({ timeout: '2m' });
    return 0;
  });
  await system.stop();
  const type = reacts ? 'ledger.noted' : 'account.deposited';
  const processed = await countInFile(path, `SELECT count(*) AS n FROM event_log WHERE type = '${type}'`);
  return { ...found, processed };
}
