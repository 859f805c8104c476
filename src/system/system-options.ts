/** What `ActorSystem.start` can be told, and what the runtime makes of it. */
import { OptionReader } from '../core/option-reader.js';
import { safeLogger } from '../core/safe-logger.js';
import type { Clock } from '../core/clock.js';
import { systemClock } from '../core/clock.js';
import type { Duration } from '../core/duration.js';
import { LIMITS } from '../core/limits.js';
import type { Logger } from '../core/logger.js';
import {
  readSupervision,
  SUPERVISION_KEYS,
  type SupervisionOptions,
  type SupervisionSettings,
} from '../actors/supervision-options.js';
import type { AnyDefinition } from './cast.js';
import { consoleLogger } from './console-logger.js';
import { STOP_SIGNALS, type StopSignal } from './stop-signals.js';

/** Limits of one system. */
export interface LimitOptions {
  /** Soft limit of a worker's heap in MiB; for workers. Default: none. */
  readonly heapMb?: number;
  /** How long a worker's loop may be blocked before the worker is replaced; for workers. Default 5 s. */
  readonly blockedAfter?: Duration;
  /** How long an ask waits for its reply, and a send for room. Default 5 s. */
  readonly askTimeout?: Duration;
  /** Outcomes without events remembered for each aggregate. Default 1,000. */
  readonly outcomes?: number;
}

/** Where the journal is, and what "durable" means. */
export interface JournalOptions {
  /** Path of the file, or `':memory:'`. */
  readonly path: string;
  /**
   * `'disk'` (default): synced to the disk before anything is shown; survives a power cut. `'os'`: handed to the
   * operating system; survives the process, and loses the last moments in a power cut.
   */
  readonly durability?: 'disk' | 'os';
}

/** Options of `ActorSystem.start`. */
export interface SystemOptions {
  /** Name of the system, for logs. Default `'troupe'`. */
  readonly name?: string;
  /** URL of the module that exports the definitions (also in arrays); with `workers: 0` also the definitions themselves. */
  readonly cast: URL | string | readonly AnyDefinition[];
  /** Number of worker threads, `'auto'` (cores - 1, at least 1), or 0: everything on this thread. Default `'auto'`. */
  readonly workers?: number | 'auto';
  /** Path of the journal, `':memory:'`, or path and durability. */
  readonly journal: string | JournalOptions;
  readonly limits?: LimitOptions;
  /** How failing top-level actors are dealt with; shaped and defaulted like an actor's `children`. */
  readonly supervision?: SupervisionOptions;
  /**
   * Signals on which the system stops by itself, such as `['SIGTERM', 'SIGINT']`; when it has stopped, the process ends
   * by the signal. A second one ends the process at once. Default: none.
   */
  readonly signals?: readonly StopSignal[];
  /** Source of time; for tests. Default: the machine's. */
  readonly clock?: Clock;
  /** Where the runtime logs. Default: warnings and errors to standard error. */
  readonly log?: Logger;
}

/** Options, complete. */
export interface SystemSettings {
  readonly name: string;
  readonly cast: URL | string | readonly unknown[];
  readonly workers: number | 'auto';
  readonly journal: { readonly path: string; readonly durability: 'disk' | 'os' };
  readonly limits: {
    readonly heapMb: number | undefined;
    readonly blockedAfterMs: number;
    readonly askTimeoutMs: number;
    readonly outcomes: number;
  };
  readonly supervision: SupervisionSettings;
  readonly signals: readonly StopSignal[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a log has. */
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const KEYS = ['name', 'cast', 'workers', 'journal', 'limits', 'supervision', 'signals', 'clock', 'log'] as const;

/** @throws TROUPE_INVALID_OPTIONS naming the option, its value, and what to give instead */
export function readSystemOptions(options: unknown): SystemSettings {
  const given = new OptionReader('ActorSystem.start', options, KEYS);
  const limits = given.nested('limits', ['heapMb', 'blockedAfter', 'askTimeout', 'outcomes']);
  const name = given.value('name') ?? 'troupe';
  if (typeof name !== 'string' || name === '') throw given.refusal('name', 'give a text');
  return {
    name,
    cast: readCast(given),
    workers: readWorkers(given),
    journal: readJournal(given),
    limits: {
      heapMb: limits.value('heapMb') === undefined ? undefined : limits.number('heapMb', { min: 16 }),
      blockedAfterMs: limits.durationMs('blockedAfter', LIMITS.blockedAfterMs, { min: 10, infinite: true }),
      askTimeoutMs: limits.durationMs('askTimeout', LIMITS.askTimeoutMs, { min: 1, infinite: true }),
      outcomes: limits.integer('outcomes', { min: 0 }, LIMITS.outcomesPerAggregate),
    },
    signals: readSignals(given),
    supervision: readSupervision(given.nested('supervision', SUPERVISION_KEYS)),
    // Handed in by tests, which are typed; a wrong one shows at the first call.
    clock: (given.value('clock') as Clock | undefined) ?? systemClock,
    log: safeLogger(readLog(given) ?? consoleLogger(name)),
  };
}

/** A log that lacks a level would swallow its lines, as writing never throws. */
function readLog(given: OptionReader): Logger | undefined {
  const log = given.value('log');
  if (log === undefined) return undefined;
  const levels = Object(log) as Readonly<Record<string, unknown>>;
  if (LEVELS.every((level) => typeof levels[level] === 'function')) return log as Logger;
  throw given.refusal('log', 'give an object with the functions debug, info, warn and error, such as console');
}

function readCast(given: OptionReader): SystemSettings['cast'] {
  const cast = given.value('cast');
  if (cast instanceof URL || Array.isArray(cast)) return cast as URL | readonly unknown[];
  if (typeof cast === 'string' && cast.startsWith('file:')) return cast;
  throw given.refusal(
    'cast',
    "give the URL of the module that exports your definitions, such as new URL('./actors/index.js', import.meta.url)",
  );
}

function readWorkers(given: OptionReader): number | 'auto' {
  const workers = given.value('workers') ?? 'auto';
  if (workers === 'auto') return workers;
  if (typeof workers === 'number' && Number.isSafeInteger(workers) && workers >= 0 && workers <= LIMITS.workers) {
    return workers;
  }
  throw given.refusal('workers', `give a whole number from 0 to ${LIMITS.workers}, or 'auto'`);
}

function readSignals(given: OptionReader): readonly StopSignal[] {
  const signals = given.value('signals') ?? [];
  const known: readonly unknown[] = STOP_SIGNALS;
  if (Array.isArray(signals) && signals.every((one) => known.includes(one))) return signals as readonly StopSignal[];
  throw given.refusal('signals', `give an array of signals to stop on, of ${STOP_SIGNALS.join(', ')}`);
}

function readJournal(given: OptionReader): SystemSettings['journal'] {
  const journal = given.value('journal');
  const advice = "give a path such as 'shop.db', ':memory:', or { path, durability }";
  if (typeof journal === 'string' && journal !== '') return { path: journal, durability: 'disk' };
  if (typeof journal !== 'object' || journal === null) throw given.refusal('journal', advice);
  const nested = given.nested('journal', ['path', 'durability']);
  const path = nested.value('path');
  if (typeof path !== 'string' || path === '') throw nested.refusal('path', advice);
  return { path, durability: nested.oneOf('durability', ['disk', 'os'], 'disk') };
}
