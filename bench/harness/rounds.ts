/**
 * Rounds: every arm once, in turns, several times over.
 *
 * A machine gets warm, and other programs come and go; arms that take turns share that, arms that run one after the
 * other don't. Every other round goes backwards, so that no arm always stands behind the same one. An arm that
 * failed once is left out of the later rounds. Once the signal aborts nothing begins any more, and what was cut off
 * counts neither as a run nor as a failure.
 */
import type { ArmReport } from './arm-process.js';
import type { FoundSuite } from './find-suites.js';
import type { Pace } from './pace.js';
import type { Arm } from './suite.js';

/** An arm, and what its runs found. */
export interface ArmRuns {
  readonly found: FoundSuite;
  readonly suite: string;
  readonly arm: Arm;
  readonly pace: Pace;
  readonly reports: ArmReport[];
  /** Why there is no row. */
  failure?: string;
  /** Why it is not run: not here, or not in a quick run of everything. */
  readonly skipped?: string | undefined;
}

/** Runs one arm once; rejects with the reason when that fails. */
export type RunOnce = (run: ArmRuns) => Promise<ArmReport>;

const TOO_LONG = 'too long for a run of everything; name their suite to have them';
const TWO_MINUTES = 'for the sake of two minutes; name their suite to have them';

/** What a plan is for. */
export interface Occasion {
  readonly quick: boolean;
  /** All suites, and not one by its name. */
  readonly everything: boolean;
}

/** What is to be run, suite by suite: all arms of a suite that was named, of everything those that have a place there. */
export function planRuns(
  suites: readonly FoundSuite[],
  occasion: Occasion,
  paceOf: (found: FoundSuite) => Pace,
): readonly ArmRuns[] {
  return suites.flatMap((found) => {
    const pace = paceOf(found);
    return found.suite.arms.map((arm): ArmRuns => {
      const rounds = Math.min(pace.rounds, arm.mostRounds ?? pace.rounds);
      const skipped = leftOut(arm, occasion) ?? arm.unavailable?.();
      return { found, suite: found.suite.name, arm, pace: { ...pace, rounds }, reports: [], skipped };
    });
  });
}

function leftOut({ onlyAlone = false, notQuick = false }: Arm, { quick, everything }: Occasion): string | undefined {
  if (!everything) return undefined;
  if (quick && (onlyAlone || notQuick)) return TWO_MINUTES;
  return onlyAlone ? TOO_LONG : undefined;
}

/** How many runs a plan has. */
export function runsIn(plan: readonly ArmRuns[]): number {
  return plan.reduce((sum, { skipped, pace }) => sum + (skipped === undefined ? pace.rounds : 0), 0);
}

/** Plays the plan; what is found is put into it. Resolves with the number of runs that came to their end. */
export async function playRounds(
  plan: readonly ArmRuns[],
  runOnce: RunOnce,
  onProgress: (done: number, suite: string, arm: string) => void,
  signal: AbortSignal,
): Promise<number> {
  let done = 0;
  for (const suite of new Set(plan.map((run) => run.suite))) {
    const runs = plan.filter((run) => run.suite === suite && run.skipped === undefined);
    const most = Math.max(0, ...runs.map(({ pace }) => pace.rounds));
    for (let round = 0; round < most; round += 1) {
      for (const run of round % 2 === 0 ? runs : runs.toReversed()) {
        if (round >= run.pace.rounds) continue;
        if (signal.aborted) return done;
        onProgress(done, suite, run.arm.name);
        if (run.failure === undefined) await runInto(run, runOnce, signal);
        if (!signal.aborted) done += 1;
      }
    }
  }
  return done;
}

async function runInto(run: ArmRuns, runOnce: RunOnce, signal: AbortSignal): Promise<void> {
  try {
    const report = await runOnce(run);
    if (report.sent === report.processed && report.sent > 0) run.reports.push(report);
    else run.failure = `it sent ${report.sent} and ${report.processed} were processed`;
  } catch (error) {
    if (!signal.aborted) run.failure = error instanceof Error ? error.message : String(error);
  }
}
