/**
 * How long each arm is measured, and how often: in full, and with --quick.
 *
 * On a machine that does nothing else a full run of all suites takes some ten minutes, a quick one less than two. A
 * suite whose work has a size of its own, or needs longer to settle, says so in its `pace`.
 */
import type { ArmContext, Suite } from './suite.js';

/** Rounds, and what each arm is given in each of them. */
export interface Pace extends Omit<ArmContext, 'folder'> {
  /** How often each arm is played; see rounds.ts. */
  readonly rounds: number;
}

/** How a suite wants to be played where the defaults don't fit. */
export interface PaceOfSuite {
  readonly full?: Partial<Pace>;
  readonly quick?: Partial<Pace>;
}

const FULL: Pace = { rounds: 3, warmupMs: 200, measureMs: 400, scale: 1 };
const QUICK: Pace = { rounds: 1, warmupMs: 100, measureMs: 150, scale: 0.02 };
/** A suite that is played alone has time for more rounds. */
const ALONE = 3;
/** Of its time in a full run, when a suite is played alone. */
const LONGER = 2;

/** The pace of a suite, among so many of them. */
export function paceOf(suite: Suite, quick: boolean, suites: number): Pace {
  const pace = quick ? { ...QUICK, ...suite.pace?.quick } : { ...FULL, ...suite.pace?.full };
  if (suites > 1) return pace;
  if (quick) return { ...pace, rounds: pace.rounds * ALONE };
  return { ...pace, rounds: pace.rounds + LONGER, measureMs: pace.measureMs * LONGER };
}
