/**
 * Durations as people write them: milliseconds, or a text such as `'50ms'` or `'2h'`.
 *
 * Parsed once at the public edge; everything inside the runtime is a number of milliseconds whose name ends in `Ms`.
 */
import { showValue } from './show-value.js';
import { TroupeError } from './troupe-error.js';

/**
 * Milliseconds, or a number with one of the units `ms`, `s`, `m`, `h`, `d` (a day has 24 hours).
 *
 * @example
 * const timeout: Duration = '1.5s'; // the same as 1_500
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** What a duration may be, beyond a finite number of 0 or more. */
export interface DurationBounds {
  /** Least value in milliseconds. Default 0. */
  readonly min?: number;
  /** Whether `Infinity` may be asked for. Default false. */
  readonly infinite?: boolean;
}

/**
 * The milliseconds of a duration.
 *
 * @param where names the option in the error message, such as `aggregate order: option "passivateAfter"`.
 * @throws TROUPE_INVALID_OPTIONS when the value is no duration, or out of bounds.
 * @example
 * parseDuration('2h', 'option "timeout"'); // 7_200_000
 */
export function parseDuration(value: unknown, where: string, bounds: DurationBounds = {}): number {
  const ms = toMs(value);
  const min = bounds.min ?? 0;
  if (ms !== undefined && ms >= min && (Number.isFinite(ms) || bounds.infinite === true)) return ms;
  const least = min > 0 ? ` of at least ${min} ms` : '';
  const forever = bounds.infinite === true ? ', or Infinity' : '';
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${where} is ${showValue(value)}; give a duration${least}: milliseconds, or a text like '50ms', '10s', '1m', '2h', '2d'${forever}`,
    { details: { value: showValue(value) } },
  );
}

function toMs(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const [, amount, unit] = TEXT.exec(value) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS.get(unit);
  return unitMs === undefined ? undefined : Number(amount) * unitMs;
}
