/**
 * The process that is killed: it puts a system under load until then.
 *
 * Arguments: journal, log file, workers, round, seed, file with the commands to be sent again.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';
import { ActorSystem, isTroupeError } from 'troupe';
import { seededRandom } from '../../src/scenario/seeded-random.js';
import { account, ACCOUNTS } from './bank.js';
import type { LogLine, SentCommand } from './command-log.js';

/** Clients that each wait for an outcome before the next command. */
const CLIENTS = 40;

const [journal = '', logPath = '', workers = '0', round = '0', seed = '1', again = ''] = process.argv.slice(2);
const log = openSync(logPath, 'a');
const say = (line: LogLine): void => void writeSync(log, `${JSON.stringify(line)}\n`);
const random = seededRandom(Number(seed));

const system = await ActorSystem.start({
  cast: new URL('./bank.js', import.meta.url),
  workers: Number(workers),
  journal,
  // A machine that is busy with other things is no reason to fail.
  limits: { askTimeout: '60s', blockedAfter: '60s' },
});
say(['ready']);
await load();

async function load(): Promise<void> {
  const repeats = JSON.parse(readFileSync(again, 'utf8')) as SentCommand[];
  let sent = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (;;) {
        sent += 1;
        await send(repeats.pop() ?? newCommand(`r${round}-${sent}`));
      }
    }),
  );
}

function newCommand(id: string): SentCommand {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const type = pick(['deposit', 'deposit', 'split', 'send', 'send', 'send', 'look', 'refuse'] as const);
  const to = random() < 0.05 ? 'closed' : `a${Math.floor(random() * ACCOUNTS)}`;
  return { id, type, account: `a${Math.floor(random() * ACCOUNTS)}`, amount: 1 + Math.floor(random() * 9), to };
}

async function send(command: SentCommand): Promise<void> {
  const { id, type, amount, to } = command;
  say(['sent', command]);
  const ref = system.ref(account, command.account);
  const input = type === 'send' ? { amount, to } : type === 'look' || type === 'refuse' ? null : { amount };
  try {
    // Each type gets the input it wants; the compiler can't know which of them this is.
    const reply: unknown = await (ref.ask as (type: string, input: unknown, options: object) => Promise<unknown>)(
      type,
      input,
      { id },
    );
    say(['replied', id, reply]);
  } catch (error) {
    if (isTroupeError(error, 'TROUPE_REJECTED')) say(['rejected', id, String((error as { reason?: unknown }).reason)]);
    else say(['failed', id, isTroupeError(error) ? error.code : String(error)]);
  }
}
