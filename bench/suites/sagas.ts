/**
 * Suite `sagas`: what a durable workflow costs beside the commands that it sends.
 *
 * Each saga asks two aggregates, one after the other; the baseline sends the same two commands without one.
 */
import { ActorSystem } from 'troupe';
import { countInFile } from '../baselines/raw-writer.js';
import { account, depositAndNote, ledger } from '../cast/chain.js';
import { scaled, timeOnce } from '../harness/once.js';
import { type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';
import { doAll } from '../harness/throughput.js';

const SAGAS = 10_000;
const IN_FLIGHT = 500;

export const sagas = defineSuite({
  name: 'sagas',
  question: 'How many workflows of two steps a second come to their end, each step durable?',
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
  ],
});

async function play(
  { folder, scale }: ArmContext,
  run: (system: ActorSystem, id: string) => Promise<void>,
): Promise<Measurement> {
  const count = scaled(SAGAS, scale, 500);
  const path = `${folder}/bench.db`;
  const cast = [account, ledger, depositAndNote];
  const limits = { askTimeout: '1m' } as const;
  const system = await ActorSystem.start({ name: 'bench', cast, workers: 0, journal: path, limits });
  const found = await timeOnce(count, async () => {
    await doAll(count, IN_FLIGHT, (i) => run(system, `saga-${i}`));
    return 0;
  });
  await system.stop();
  const processed = await countInFile(path, "SELECT count(*) AS n FROM event_log WHERE type = 'ledger.noted'");
  return { ...found, processed };
}
