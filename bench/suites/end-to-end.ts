/**
 * Suite `end-to-end`: the shop of `actors/`, its orders of real customers, from CSV to read models, durable.
 *
 * Each arm runs the scenario `retail` in a process of its own, as a user would, and counts the events in the journal. The
 * whole year is played when `TROUPE_YEAR` names its CSV; without that only the one day that the repository holds.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countInFile } from '../baselines/raw-writer.js';
import type { LoopDelay } from '../harness/loop-delay.js';
import { type ProcessUsage, watchUsage } from '../harness/process-usage.js';
import { type Arm, type ArmContext, defineSuite, type Measurement } from '../harness/suite.js';

const RUN = fileURLToPath(new URL('../../scenarios/run.js', import.meta.url));
const LOOP_DELAY = new URL('../harness/loop-delay.js', import.meta.url).href;
const YEAR = process.env['TROUPE_YEAR'];
const YEAR_INPUT = ['--input', YEAR ?? ''];

export const endToEnd = defineSuite({
  name: 'end-to-end',
  question: 'How many events a second does the whole shop make of real orders, every one durable?',
  arms: [
    shopArm('trading-day-0-workers', "one trading day, all on the caller's thread", 0, []),
    { ...shopArm('trading-day-2-workers', 'one trading day, two workers', 2, []), notQuick: true },
    { ...yearArm('year-0-workers', "the year, all on the caller's thread", 0), onlyAlone: true },
    yearArm('year-2-workers', 'the year, two workers', 2),
    {
      ...yearArm(
        'app-loop-1-worker',
        "how late the main thread's loop is in 99 of 100 looks during the year, one worker",
        1,
      ),
      unit: 'ms',
      run: appLoop,
    },
  ],
});

function yearArm(name: string, question: string, workers: number): Arm {
  return {
    ...shopArm(name, question, workers, YEAR_INPUT),
    notQuick: true,
    mostRounds: 1,
    unavailable: () => (YEAR !== undefined && existsSync(YEAR) ? undefined : 'set TROUPE_YEAR to the CSV of the year'),
  };
}

/** The app's own thread, while one worker does the year: the value is the 99th percentile. */
async function appLoop({ folder }: ArmContext): Promise<Measurement> {
  const file = join(folder, 'loop-delay.json');
  const { value: _, ...shop } = await runShop(folder, 1, YEAR_INPUT, ['--import', LOOP_DELAY], {
    ...process.env,
    LOOP_DELAY_FILE: file,
  });
  // Written by loop-delay.ts, of this same version.
  const delay = JSON.parse(readFileSync(file, 'utf8')) as LoopDelay;
  return { ...shop, ...delay, value: delay.p99 / 1_000 };
}

function shopArm(name: string, question: string, workers: number, input: readonly string[]): Arm {
  return {
    name,
    question,
    unit: 'events/s',
    run: ({ folder }) => runShop(folder, workers, input),
  };
}

async function runShop(
  folder: string,
  workers: number,
  input: readonly string[],
  nodeOptions: readonly string[] = [],
  env = process.env,
): Promise<Measurement> {
  const journal = join(folder, 'shop.db');
  const args = ['retail', '--json', '--journal', journal, '--workers', String(workers), ...input];
  const { text, memoryMb, cpuUs } = await runScenario([...nodeOptions, '--enable-source-maps', RUN, ...args], env);
  const result = JSON.parse(text) as { readonly ok: boolean; readonly events: number; readonly seconds: number };
  if (!result.ok) throw new Error(`the scenario has failed: ${text}`);
  const each = (result.seconds * 1_000_000) / result.events;
  const times = { samples: 1, p50: each, p99: each, p999: each, cpuUs: cpuUs / result.events };
  const processed = await countInFile(journal, 'SELECT count(*) AS n FROM event_log');
  return { ...times, value: result.events / result.seconds, memoryMb, sent: result.events, processed };
}

interface ScenarioRun extends ProcessUsage {
  /** What it has printed. */
  readonly text: string;
}

function runScenario(args: readonly string[], env: NodeJS.ProcessEnv): Promise<ScenarioRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    let complaint = '';
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    child.stderr.on('data', (data: Buffer) => (complaint = (complaint + data.toString()).slice(-2_000)));
    const usage = watchUsage(child.pid);
    child.on('error', reject);
    child.on('close', (code) => {
      const used = usage();
      if (code === 0) resolve({ text, ...used });
      else reject(new Error(`the scenario ended with ${code}: ${complaint}`));
    });
  });
}
