/**
 * The verdict of a supervisor on one failure; pure, so that every case can be tried without an actor.
 *
 * What `decide` returns is checked here: a supervisor that throws, or answers with something else than a
 * directive, doesn't know what to do, and its own supervisor has to.
 */
import { backoffMs, type Backoff } from './backoff.js';
import { mayRestart, nextInRow, type RestartHistory, type RestartLimit, withRestart } from './restart-window.js';
import type { Strategy } from './strategy.js';
import { thrownText } from './thrown.js';

/** What is done about a failure: new state, the old state, no more messages, or the parent fails with it. */
export type Directive = 'restart' | 'resume' | 'stop' | 'escalate';

/** How one supervisor deals with failures. */
export interface Policy extends RestartLimit {
  readonly strategy: Strategy;
  readonly backoff: Backoff;
  readonly decide: (error: unknown) => unknown;
}

/** One failure of one child. */
export interface Failure {
  readonly error: unknown;
  /** Whether there is a state to resume with: not when `initialState` or `started` failed. */
  readonly resumable: boolean;
}

/** What a supervisor does. */
export type Verdict =
  | { readonly directive: 'resume' }
  | { readonly directive: 'stop' }
  | { readonly directive: 'restart'; readonly delayMs: number; readonly history: RestartHistory }
  /** `because`: in words for people, why this supervisor can't deal with it. */
  | { readonly directive: 'escalate'; readonly because: string };

/** What time it is, and the random number for the jitter. */
export interface Chance {
  /** Monotonic. */
  readonly nowMs: number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: number;
}

/** What a supervisor with this policy does about this failure. */
export function judge(policy: Policy, failure: Failure, history: RestartHistory, chance: Chance): Verdict {
  let directive: unknown;
  try {
    directive = policy.decide(failure.error);
  } catch (error) {
    return {
      directive: 'escalate',
      because: `decide() failed: ${thrownText(error)}`,
    };
  }
  switch (directive) {
    case 'resume':
      // There is nothing to go on with: a new attempt at the beginning is the nearest to it.
      return failure.resumable ? { directive } : restart(policy, history, chance);
    case 'restart':
      return restart(policy, history, chance);
    case 'stop':
      return { directive };
    case 'escalate':
      return { directive, because: 'decide() says so' };
    default:
      return {
        directive: 'escalate',
        because: "decide() returned none of 'restart', 'resume', 'stop', 'escalate'",
      };
  }
}

function restart(policy: Policy, history: RestartHistory, { nowMs, random }: Chance): Verdict {
  if (!mayRestart(history, policy, nowMs)) {
    const window = policy.withinMs === Infinity ? '' : ` within ${policy.withinMs} ms`;
    return { directive: 'escalate', because: `it has been restarted ${policy.maxRestarts} times${window}` };
  }
  const delayMs = backoffMs(policy.backoff, nextInRow(history, policy, nowMs), random);
  return { directive: 'restart', delayMs, history: withRestart(history, policy, nowMs, delayMs) };
}
