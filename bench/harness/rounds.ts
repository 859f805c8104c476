/**
 * Rounds: every arm once, in turns, several times over.
 *
 * A machine gets warm, and other programs come and go; arms that take turns share that, arms that run one after the
 * other don't. Every other round goes backwards, so that no arm always stands behind the same one. An arm that
 * failed once is left out of the later rounds.
 */
import type { ArmReport } from './arm-process.js';
import type { FoundSuite } from './find-suites.js';
import type { Arm } from './suite.js';

/** An arm, and what its runs found. */
export interface ArmRuns {
  readonly suite: string;
  readonly arm: Arm;
  readonly reports: ArmReport[];
  /** Why there is no row. */
  failure?: string;
  /** Why it could not be run here. */
  readonly skipped?: string | undefined;
}

/** Runs one arm once; rejects with the reason when that fails. */
export type RunOnce = (found: FoundSuite, arm: string) => Promise<ArmReport>;

/** Runs all arms of all suites; `rounds` times each, suite by suite. */
export async function playRounds(
  suites: readonly FoundSuite[],
  rounds: number,
  runOnce: RunOnce,
  onProgress: (done: number, suite: string, arm: string) => void,
): Promise<readonly ArmRuns[]> {
  const all: ArmRuns[] = [];
  let done = 0;
  for (const found of suites) {
    const planned = found.suite.arms.map(
      (arm): ArmRuns => ({ suite: found.suite.name, arm, reports: [], skipped: arm.unavailable?.() }),
    );
    all.push(...planned);
    const runs = planned.filter(({ skipped }) => skipped === undefined);
    for (let round = 0; round < rounds; round += 1) {
      for (const run of round % 2 === 0 ? runs : runs.toReversed()) {
        onProgress(done, run.suite, run.arm.name);
        if (run.failure === undefined) await runInto(run, () => runOnce(found, run.arm.name));
        done += 1;
      }
    }
  }
  return all;
}

async function runInto(run: ArmRuns, runOnce: () => Promise<ArmReport>): Promise<void> {
  try {
    const report = await runOnce();
    if (report.sent === report.processed && report.sent > 0) run.reports.push(report);
    else run.failure = `it sent ${report.sent} and ${report.processed} were processed`;
  } catch (error) {
    run.failure = error instanceof Error ? error.message : String(error);
  }
}
