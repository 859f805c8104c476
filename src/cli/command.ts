/**
 * A command of the `troupe` program: one file each in this folder, listed in troupe.ts.
 */
import type { ScenarioHost } from '../scenario/scenario-host.js';

export interface Command {
  /** The word after `troupe`. */
  readonly name: string;
  /** How it is called, without `troupe`. */
  readonly usage: string;
  /** One line for `troupe --help`. */
  readonly summary: string;
  /** Runs it with what stands behind its name; resolves with the exit code, and throws ScenarioInputError for bad input. */
  run(args: readonly string[], host: ScenarioHost): Promise<number>;
}
