/**
 * The process of one arm: loads its suite, runs it once, and hands over what it found.
 *
 * Started by run-arm.ts. By hand it prints the measurement, which is how an arm is profiled:
 * `node --cpu-prof dist/bench/harness/arm-process.js dist/bench/suites/mailbox.js mailbox tell-bursts-of-1000`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadSuite } from './find-suites.js';
import type { Arm, ArmContext, Measurement } from './suite.js';

/** What the child hands over. */
export interface ArmReport extends Measurement {
  /** Greatest resident memory of the process. */
  readonly memoryMb: number;
}

/** Long enough for a profile to settle. */
const BY_HAND = { warmupMs: 500, measureMs: 3_000, scale: 1 };

let reported = false;
const [module = '', suiteName = '', armName = '', contextText] = process.argv.slice(2);

async function findArm(): Promise<Arm> {
  const url = module.startsWith('file:') ? new URL(module) : pathToFileURL(resolve(module));
  const { suite } = await loadSuite(url, suiteName);
  const arm = suite.arms.find(({ name }) => name === armName);
  if (arm === undefined) throw new Error(`the suite ${suiteName} has no arm '${armName}'`);
  return arm;
}

async function runArm(arm: Arm, context: ArmContext): Promise<ArmReport> {
  const measurement = await arm.run(context);
  // maxRSS is in kilobytes.
  return { memoryMb: process.resourceUsage().maxRSS / 1_024, ...measurement };
}

if (process.send !== undefined && contextText !== undefined) {
  // The bench has gone without a word: nobody wants the result, nor what this process has started.
  process.once('disconnect', () => {
    if (!reported) process.kill(-process.pid, 'SIGKILL');
  });
  // Listening keeps a process alive, and an arm that waits for nothing has to end.
  process.channel?.unref();
  // Written by run-arm.ts, of this same version.
  const context = JSON.parse(contextText) as ArmContext;
  const arm = await findArm();
  const report = await runArm(arm, context);
  reported = true;
  process.channel?.ref();
  process.send(report, () => (arm.mayLinger === true ? process.exit() : process.disconnect()));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
  try {
    console.log(await runArm(await findArm(), { ...BY_HAND, folder }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
