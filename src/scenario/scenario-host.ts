/**
 * What a run has of the outside world, handed in: streams, environment, time, and the news that it has to end early.
 *
 * A process makes one in cli/process-host.ts; tests make their own.
 */
import type { Clock } from '../core/clock.js';
import type { Environment, TextStream } from './terminal.js';

/** The surroundings of a run. */
export interface ScenarioHost {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Environment;
  readonly clock: Clock;
  /** Aborts when the run is to end early. Its reason: an `Interruption` for a signal, else the error that nobody caught. */
  readonly ending: AbortSignal;
}

/** Somebody wants the run to end: the reason of `ScenarioHost.ending` after a signal. */
export class Interruption extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`ended by ${signal}`);
    this.name = 'Interruption';
    this.signal = signal;
  }
}

/** Exit codes of scenarios and commands. */
export const EXIT = {
  ok: 0,
  failed: 1,
  badInput: 2,
  /** As shells have it: 128 and the number of the signal. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** Time a scenario has to stop cleanly once it is told to. */
export const STOP_WITHIN_MS = 5_000;

/** The same after an error that nobody caught: what it holds may be broken, and the journal is sound anyway. */
export const STOP_AFTER_ERROR_WITHIN_MS = 2_000;
