/**
 * `npm run torture -- --rounds 100 [--seed N] [--workers 0,2]`: kill -9, over and over, and an independent look each time.
 *
 * A round: a process under load is killed at a random moment, sometimes while it opens the journal; what it leaves is
 * sometimes made worse in ways that a crash may (rubbish behind the log, the log's index gone); plain SQL looks for
 * anything doubled or torn; then the system is opened and settles, and plain SQL looks for anything missing. Commands
 * without outcome go into the next round under their ids. The seed decides what is sent and when it ends, not how the
 * threads run: the same seed is the same torture, not the same run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/scenario/seeded-random.js';
import { CommandBook, readLog, type CommandType, type KnownCommand } from './command-log.js';
import { settle, type Settled } from './settle.js';
import { checkJournal, type CheckedCommand, type CheckResult, type ToldState } from './sql-check.js';

const VICTIM = fileURLToPath(new URL('./victim.js', import.meta.url));

/** A journal grows, and the look at it with it; after so many rounds a fresh one begins. */
const ROUNDS_PER_JOURNAL = 20;

/** Events that a command leaves when it is done. */
const EVENTS: Readonly<Record<CommandType, number>> = { deposit: 1, split: 2, send: 1, look: 0, refuse: 0 };

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '0,2' },
    keep: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const workerCounts = values.workers.split(',').map(Number);
if (!Number.isSafeInteger(rounds) || rounds < 1 || workerCounts.some((count) => !Number.isSafeInteger(count))) {
  process.stderr.write('torture: give --rounds N and --workers such as 0,2\n');
  process.exit(2);
}
const random = seededRandom(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), 'troupe-torture-'));

/** One journal, through some rounds. */
class Patient {
  readonly journal: string;
  readonly book = new CommandBook();

  constructor(number: number) {
    this.journal = join(folder, `bank-${number}.db`);
  }

  /** One round; resolves with what it came to, and throws when something is wrong. */
  async round(round: number, workers: number): Promise<string> {
    const logPath = join(folder, 'round.log');
    const againPath = join(folder, 'again.json');
    rmSync(logPath, { force: true });
    appendFileSync(logPath, '');
    writeFileSync(againPath, JSON.stringify(this.book.toRepeat(random)));
    const seed = Math.floor(random() * 2 ** 31);
    // One in six dies early, perhaps while it opens the journal or makes the schema.
    const end = random() < 1 / 6 ? { afterMs: random() * 400 } : { afterBytes: random() ** 2 * 100_000 };
    await killed(this.#start(logPath, workers, round, seed, againPath), logPath, end, random() * 20);
    const ruin = this.#ruin();
    const lines = readLog(logPath);
    const faults = this.book.take(lines);
    if (existsSync(this.journal)) faults.push(...(await this.#look(undefined)).faults);

    const settled = await settle(this.journal, workers);
    const result = await this.#look(settled);
    faults.push(...result.faults, ...letterFaults(settled, result.refused));
    if (faults.length > 0) throw new Error(faults.join('\n'));
    const fresh = lines.filter(([kind]) => kind === 'replied' || kind === 'rejected').length;
    const open = [...this.book.commands.values()].filter(({ outcome }) => outcome === undefined).length;
    return (
      `workers ${workers}, killed ${'afterMs' in end ? `${Math.round(end.afterMs)} ms after its start` : 'under load'}${ruin}: ` +
      `${fresh} outcomes, ${open} in doubt, ${result.events} events`
    );
  }

  #start(log: string, workers: number, round: number, seed: number, again: string): ChildProcess {
    const args = [VICTIM, this.journal, log, String(workers), String(round), String(seed), again];
    return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'ignore'] });
  }

  /** What a crash of the machine may leave behind that a killed process does not. */
  #ruin(): string {
    const wal = `${this.journal}-wal`;
    if (!existsSync(wal)) return '';
    const choice = random();
    if (choice < 0.2) {
      // Frames that were never synced: anything may stand there.
      appendFileSync(
        wal,
        Buffer.from(Array.from({ length: Math.floor(random() * 9_000) }, () => Math.floor(random() * 256))),
      );
      return ', rubbish behind the log';
    }
    if (choice < 0.3) {
      rmSync(`${this.journal}-shm`, { force: true });
      return ', index of the log gone';
    }
    return '';
  }

  #look(settled: { readonly states: readonly ToldState[] } | undefined): Promise<CheckResult> {
    return checkJournal(this.journal, [...this.book.commands.values()].map(checked), settled);
  }
}

function checked({ id, type, account, amount, to, outcome }: KnownCommand): CheckedCommand {
  return { id, type, account, amount, to, acknowledged: outcome !== undefined, events: EVENTS[type] };
}

/** Each payment to the closed account is a dead letter, once; there is no other. */
function letterFaults({ rejected, others }: Settled, refused: number): string[] {
  const faults = others.map((letter) => `a dead letter: ${letter}`);
  if (rejected !== refused) faults.push(`${refused} payments were refused, ${rejected} dead letters say so`);
  return faults;
}

/** Kills the process so long after its start, or once it has said so much. */
async function killed(
  child: ChildProcess,
  logPath: string,
  end: { readonly afterMs: number } | { readonly afterBytes: number },
  delayMs: number,
): Promise<void> {
  const closed = new Promise<string>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? String(code))),
  );
  const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));
  if ('afterMs' in end) await wait(end.afterMs);
  else {
    for (let waited = 0; statSync(logPath).size < end.afterBytes + 1 && child.exitCode === null; waited += 1) {
      if (waited > 12_000) throw new Error(`the process said nothing for a minute`);
      await wait(5);
    }
  }
  await wait(delayMs);
  child.kill('SIGKILL');
  const ended = await closed;
  if (ended !== 'SIGKILL') throw new Error(`the process ended by itself, with ${ended}`);
}

let patient = new Patient(0);
let acknowledged = 0;
let repeats = 0;
let ok = true;
for (let round = 1; round <= rounds && ok; round += 1) {
  const workers = workerCounts[(round - 1) % workerCounts.length] ?? 0;
  try {
    process.stdout.write(`${String(round).padStart(4)}  ${await patient.round(round, workers)}\n`);
  } catch (error) {
    ok = false;
    process.stderr.write(
      `round ${round}, seed ${values.seed}: ${error instanceof Error ? error.message : String(error)}\nthe journal is ${patient.journal}\n`,
    );
  }
  if (round % ROUNDS_PER_JOURNAL === 0 || round === rounds || !ok) {
    acknowledged += patient.book.acknowledged;
    repeats += patient.book.repeats;
    if (ok)
      for (const suffix of ['', '-wal', '-shm', '.lock', '.views']) rmSync(patient.journal + suffix, { force: true });
    patient = new Patient(round);
  }
}
process.stdout.write(
  `${ok ? `${rounds} rounds` : 'stopped'}: ${acknowledged} commands acknowledged, each there exactly once; ${repeats} repeats, each with its first outcome\n`,
);
if (ok && !values.keep) rmSync(folder, { recursive: true, force: true });
process.exitCode = ok ? 0 : 1;
