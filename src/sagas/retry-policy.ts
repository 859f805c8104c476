/**
 * Which failures of a step are tried again, how often, and after what wait. Pure.
 *
 * A rejection is an answer, and a mistake of the sender stays one: neither is ever tried again. A journal that can't
 * be written, or a system that stops, says nothing about the step: such tries don't count.
 */
import { OptionReader } from '../core/option-reader.js';
import { LIMITS } from '../core/limits.js';
import { isTroupeError, type TroupeErrorCode } from '../core/troupe-error.js';
import { readBackoff } from '../actors/supervision-options.js';
import { backoffMs } from '../reactions/backoff.js';
import { isOutage, isQuarantine } from '../reactions/letter-error.js';

/** A policy, complete. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Undefined: every failure. */
  readonly on: ReadonlySet<string> | undefined;
}

/** Never right at the next try. */
const FINAL: ReadonlySet<TroupeErrorCode> = new Set<TroupeErrorCode>([
  'TROUPE_REJECTED',
  'TROUPE_UNKNOWN_ACTOR',
  'TROUPE_UNKNOWN_MESSAGE',
  'TROUPE_INVALID_MESSAGE',
  'TROUPE_INVALID_EVENT',
  'TROUPE_NOT_SERIALIZABLE',
  'TROUPE_COMMAND_ID_REUSED',
  'TROUPE_INVALID_OPTIONS',
  'TROUPE_SAGA_CANCELLED',
  'TROUPE_SAGA_DIVERGED',
]);

const DEFAULTS = { minMs: LIMITS.sagaBackoffMinMs, maxMs: LIMITS.sagaBackoffMaxMs };

/** An ask without `retry`: the target may well be there at the next try. */
const PATIENT: RetryPolicy = {
  ...DEFAULTS,
  attempts: LIMITS.sagaAttempts,
  on: new Set(['TROUPE_WORKER_LOST', 'TROUPE_MAILBOX_FULL', 'TROUPE_ASK_TIMEOUT']),
};

/** An ask with a timeout of its own and no `retry`: that is how long it is to take. */
const PUNCTUAL: RetryPolicy = { ...PATIENT, on: new Set(['TROUPE_WORKER_LOST', 'TROUPE_MAILBOX_FULL']) };

/** Told commands, and compensations: somebody relies on them. */
export const PERSISTENT: RetryPolicy = { ...DEFAULTS, attempts: LIMITS.sagaAttempts, on: undefined };

/** A throw is the outcome. */
export const ONCE: RetryPolicy = { ...DEFAULTS, attempts: 1, on: undefined };

/** The policy of an ask. */
export function askPolicy(retry: unknown, hasTimeout: boolean, where: string): RetryPolicy {
  return readRetry(retry, where) ?? (hasTimeout ? PUNCTUAL : PATIENT);
}

/**
 * A policy as somebody gives it; undefined when there is none.
 *
 * @throws TROUPE_INVALID_OPTIONS
 */
export function readRetry(value: unknown, where: string): RetryPolicy | undefined {
  if (value === undefined) return undefined;
  const given = new OptionReader(`${where}: option "retry"`, value, ['attempts', 'backoff', 'on']);
  const { minMs, maxMs } = readBackoff(given.nested('backoff', ['min', 'max']), DEFAULTS.minMs, DEFAULTS.maxMs);
  const on = given.optionalArray('on', 'give an array of error codes');
  if (on?.every((code) => typeof code === 'string') === false)
    throw given.refusal('on', 'give an array of error codes');
  return {
    attempts: given.integer('attempts', { min: 1, infinite: true }, LIMITS.sagaAttempts),
    minMs,
    maxMs,
    on: on === undefined ? undefined : new Set(on.map(String)),
  };
}

/** Milliseconds until the next try, or undefined when there is none. */
export function nextTryMs(policy: RetryPolicy, error: unknown, attempts: number): number | undefined {
  if (isOutage(error)) return backoffMs(1, policy.minMs, policy.maxMs);
  if (isFinal(error) || attempts >= policy.attempts) return undefined;
  if (policy.on !== undefined && !(isTroupeError(error) && policy.on.has(error.code))) return undefined;
  return backoffMs(attempts, policy.minMs, policy.maxMs);
}

/** Whether another try would end the same way. */
export function isFinal(error: unknown): boolean {
  return isQuarantine(error) || (isTroupeError(error) && FINAL.has(error.code));
}
