/**
 * How a parent deals with failing children: options of `children` and of the system's `supervision`.
 *
 * @see https://www.erlang.org/doc/system/sup_princ.html for the strategies and the restart window.
 */
import type { Duration } from '../core/duration.js';
import { LIMITS } from '../core/limits.js';
import type { OptionReader } from '../core/option-reader.js';

/** Whom a failure concerns: the failed child, all children, or the failed one and those spawned after it. */
export type SupervisionStrategy = 'one-for-one' | 'all-for-one' | 'rest-for-one';

/** What is done about a failure: new state, the old state, no more messages, or the parent fails with it. */
export type SupervisionDirective = 'restart' | 'resume' | 'stop' | 'escalate';

/** How long to wait between restarts: doubling from `min` to `max`. */
export interface RestartBackoff {
  /** Default 50 ms. */
  readonly min?: Duration;
  /** Default 5 s. */
  readonly max?: Duration;
  /** Share of the wait that is random, from 0 to 1. Default 0.2. */
  readonly jitter?: number;
}

/** How a parent deals with failing children. */
export interface SupervisionOptions {
  /** Default `'one-for-one'`. */
  readonly strategy?: SupervisionStrategy;
  /** Restarts within the window before the parent gives up and escalates. `Infinity` may be asked for. Default 3. */
  readonly maxRestarts?: number;
  /** The window. Default 10 s. */
  readonly within?: Duration;
  readonly backoff?: RestartBackoff;
  /** What to do about an error that a child threw. Default: restart. */
  readonly decide?: (error: unknown) => SupervisionDirective;
}

/** Supervision as the runtime does it. */
export interface SupervisionSettings {
  readonly strategy: SupervisionStrategy;
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number; readonly jitter: number };
  readonly decide: (error: unknown) => SupervisionDirective;
}

/** Keys of `SupervisionOptions`. */
export const SUPERVISION_KEYS = ['strategy', 'maxRestarts', 'within', 'backoff', 'decide'] as const;

/** The settings that the options of supervision mean. */
export function readSupervision(options: OptionReader): SupervisionSettings {
  const backoff = options.nested('backoff', ['min', 'max', 'jitter']);
  const decide = options.optionalFunction('decide', '(error) => directive');
  return Object.freeze({
    strategy: options.oneOf('strategy', ['one-for-one', 'all-for-one', 'rest-for-one'], 'one-for-one'),
    maxRestarts: options.integer('maxRestarts', { min: 0, infinite: true }, LIMITS.childrenMaxRestarts),
    withinMs: options.durationMs('within', LIMITS.childrenWithinMs, { min: 1, infinite: true }),
    backoff: Object.freeze({
      ...readBackoff(backoff, LIMITS.childrenBackoffMinMs, LIMITS.childrenBackoffMaxMs),
      jitter: backoff.number('jitter', { min: 0, max: 1 }, LIMITS.childrenBackoffJitter),
    }),
    // By contract a function of the error; what it returns is checked where it is called.
    decide: (decide as SupervisionSettings['decide'] | undefined) ?? (() => 'restart'),
  });
}

/**
 * Least and greatest wait of a backoff. Whoever gives only one of them gets the other one moved to fit.
 *
 * @throws TROUPE_INVALID_OPTIONS when `max` is less than `min`.
 */
export function readBackoff(options: OptionReader, defaultMinMs: number, defaultMaxMs: number) {
  const givenMin = options.value('min') !== undefined;
  const givenMax = options.value('max') !== undefined;
  const minMs = options.durationMs('min', defaultMinMs);
  const maxMs = options.durationMs('max', defaultMaxMs);
  if (givenMin && givenMax && maxMs < minMs) throw options.refusal('max', `give at least the ${minMs} ms of "min"`);
  return Object.freeze({
    minMs: givenMin ? minMs : Math.min(minMs, maxMs),
    maxMs: givenMax ? maxMs : Math.max(minMs, maxMs),
  });
}
