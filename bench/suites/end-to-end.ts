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
import { type Arm, defineSuite, type Measurement } from '../harness/suite.js';

const RUN = fileURLToPath(new URL('../../scenarios/run.js', import.meta.url));
const YEAR = process.env['TROUPE_YEAR'];
/** Milliseconds between two looks at the memory of the process. */
const LOOK_EVERY_MS = 100;

export const endToEnd = defineSuite({
  name: 'end-to-end',
  question: 'How many events a second does the whole shop make of real orders, every one durable?',
  arms: [
    shopArm('trading-day-0-workers', "one trading day, all on the caller's thread", 0, []),
    shopArm('trading-day-2-workers', 'one trading day, two workers', 2, []),
    yearArm('year-0-workers', "the year, all on the caller's thread", 0),
    yearArm('year-2-workers', 'the year, two workers', 2),
  ],
});

function yearArm(name: string, question: string, workers: number): Arm {
  return {
    ...shopArm(name, question, workers, ['--input', YEAR ?? '']),
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
      const { text, memoryMb } = await runScenario(args);
      const result = JSON.parse(text) as { readonly ok: boolean; readonly events: number; readonly seconds: number };
      if (!result.ok) throw new Error(`the scenario has failed: ${text}`);
      const each = (result.seconds * 1_000_000) / result.events;
      const times = { samples: 1, p50: each, p99: each, p999: each, cpuUs: each };
      const processed = await countInFile(journal, 'SELECT count(*) AS n FROM event_log');
      return { ...times, value: result.events / result.seconds, memoryMb, sent: result.events, processed };
    },
  };
}

/** What the scenario prints, and the most memory that it was seen to use. */
function runScenario(args: readonly string[]): Promise<{ readonly text: string; readonly memoryMb: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--enable-source-maps', RUN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    let complaint = '';
    let memoryMb = 0;
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    child.stderr.on('data', (data: Buffer) => (complaint = (complaint + data.toString()).slice(-2_000)));
    const looking = setInterval(() => (memoryMb = Math.max(memoryMb, memoryOf(child.pid))), LOOK_EVERY_MS);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(looking);
      if (code === 0) resolve({ text, memoryMb });
      else reject(new Error(`the scenario ended with ${code}: ${complaint}`));
    });
  });
}

/** Greatest resident memory of a process so far, in megabytes; 0 where the system doesn't tell. */
function memoryOf(pid: number | undefined): number {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(found?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
