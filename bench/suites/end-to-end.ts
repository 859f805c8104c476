/**
 * Suite `end-to-end`: the shop of `actors/`, its orders of real customers, from CSV to read models, durable.
 *
 * Each arm runs the scenario `retail` in a process of its own, as a user would, and counts the events in the journal. The
 * whole year is played when `TROUPE_YEAR` names its CSV; without that only the one day that the repository holds.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countInFile } from '../baselines/raw-writer.js';
import { type ProcessUsage, watchUsage } from '../harness/process-usage.js';
import { type Arm, defineSuite, type Measurement } from '../harness/suite.js';

const RUN = fileURLToPath(new URL('../../scenarios/run.js', import.meta.url));
const YEAR = process.env['TROUPE_YEAR'];

export const endToEnd = defineSuite({
  name: 'end-to-end',
  question: 'How many events a second does the whole shop make of real orders, every one durable?',
  arms: [
    shopArm('trading-day-0-workers', "one trading day, all on the caller's thread", 0, []),
    { ...shopArm('trading-day-2-workers', 'one trading day, two workers', 2, []), notQuick: true },
    { ...yearArm('year-0-workers', "the year, all on the caller's thread", 0), onlyAlone: true },
    yearArm('year-2-workers', 'the year, two workers', 2),
  ],
});

function yearArm(name: string, question: string, workers: number): Arm {
  return {
    ...shopArm(name, question, workers, ['--input', YEAR ?? '']),
    notQuick: true,
    mostRounds: 1,
    unavailable: () => (YEAR !== undefined && existsSync(YEAR) ? undefined : 'set TROUPE_YEAR to the CSV of the year'),
  };
}

function shopArm(name: string, question: string, workers: number, input: readonly string[]): Arm {
  return {
    name,
    question,
    unit: 'events/s',
    async run({ folder }): Promise<Measurement> {
      const journal = join(folder, 'shop.db');
      const args = ['retail', '--json', '--journal', journal, '--workers', String(workers), ...input];
      const { text, memoryMb, cpuUs } = await runScenario(args);
      const result = JSON.parse(text) as { readonly ok: boolean; readonly events: number; readonly seconds: number };
      if (!result.ok) throw new Error(`the scenario has failed: ${text}`);
      const each = (result.seconds * 1_000_000) / result.events;
      const times = { samples: 1, p50: each, p99: each, p999: each, cpuUs: cpuUs / result.events };
      const processed = await countInFile(journal, 'SELECT count(*) AS n FROM event_log');
      return { ...times, value: result.events / result.seconds, memoryMb, sent: result.events, processed };
    },
  };
}

interface ScenarioRun extends ProcessUsage {
  /** What it has printed. */
  readonly text: string;
}

function runScenario(args: readonly string[]): Promise<ScenarioRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--enable-source-maps', RUN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
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
