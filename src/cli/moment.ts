/**
 * Moments as people write them on a command line: a date, epoch milliseconds, or how long ago.
 */
import { parseDuration } from '../core/duration.js';
import { ScenarioInputError } from '../scenario/scenario-input-error.js';

/** A date begins with a year; fewer than nine digits are no time in this century. */
const DATE = /^\d{4}(-\d{2}|$)/;
const EPOCH = /^\d{9,16}$/;

/**
 * Epoch milliseconds of a moment: `2011-12-05`, `2011-12-05T10:15Z`, `1323079200000`, or `10m` (ten minutes ago). A
 * date without a zone is in UTC, as the tools print it.
 *
 * @throws ScenarioInputError for anything else.
 */
export function parseMoment(text: string, flag: string, nowMs: number): number {
  if (EPOCH.test(text)) return Number(text);
  if (DATE.test(text)) {
    const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(text.slice(10));
    const ms = Date.parse(text.length > 10 && !hasZone ? `${text.replace(' ', 'T')}Z` : text.replace(' ', 'T'));
    if (Number.isFinite(ms)) return ms;
  } else {
    try {
      return nowMs - parseDuration(text, flag);
    } catch {
      // Below is said what would do.
    }
  }
  throw new ScenarioInputError(
    `--${flag} takes a date (2011-12-05, 2011-12-05T10:15Z), epoch milliseconds, or how long ago (10m, 2h, 1d); got '${text}'`,
  );
}
