/**
 * When a reminder comes: once, at a steady pace, or by a calendar in a time zone. Pure: the time is handed in.
 *
 * A pace keeps its beat, counted from the first time, not from when the last message was handled. A calendar is a cron
 * pattern of 5 or 6 fields (with seconds). In the hour that a zone skips in spring, what stands in it comes once, at
 * its end; of the hour that it repeats in autumn a daily pattern takes the first, and an hourly one both.
 *
 * @see https://croner.56k.guru (the calendar)
 */
import { Cron } from 'croner';
import { type Duration, parseDuration } from '../core/duration.js';
import { OptionReader } from '../core/option-reader.js';

/**
 * When a reminder comes.
 *
 * `missed` says what becomes of the times that passed while the system was down: one message for all of them
 * (`'once'`, the default), or one for each.
 */
export type ReminderTiming =
  /** Once, after a while. */
  | { readonly after: Duration }
  /** Once, at a moment: epoch milliseconds. */
  | { readonly at: number }
  /** Again and again, at this pace; the first time after `after`, or else after one pace. */
  | { readonly every: Duration; readonly after?: Duration; readonly missed?: 'once' | 'each' }
  /** By the calendar of a time zone (IANA name, default `'UTC'`): `'0 9 * * 1-5'` is 9 o'clock on working days. */
  | { readonly cron: string; readonly timeZone?: string; readonly missed?: 'once' | 'each' };

/** How a reminder comes again; JSON. */
export type Repetition =
  | { readonly everyMs: number; readonly missed: 'once' | 'each' }
  | { readonly cron: string; readonly timeZone: string; readonly missed: 'once' | 'each' };

/** A timing, complete. */
export interface Occurrences {
  /** Epoch milliseconds, whole. */
  readonly firstAt: number;
  readonly repeats: Repetition | undefined;
}

const KEYS = ['after', 'at', 'every', 'cron', 'timeZone', 'missed'] as const;
const ADVICE = 'give { after }, { at }, { every } or { cron }';

/**
 * @param where names the reminder in the error message.
 * @throws TROUPE_INVALID_OPTIONS when the timing can't be used, or never comes.
 */
export function readTiming(timing: unknown, now: number, where: string): Occurrences {
  const given = new OptionReader(where, timing, KEYS);
  const has = (key: (typeof KEYS)[number]): boolean => given.value(key) !== undefined;
  const missed = given.oneOf('missed', ['once', 'each'], 'once');
  const kinds = (['at', 'every', 'cron'] as const).filter(has);
  if (kinds.length > 1) throw given.refusal(kinds[1] ?? 'at', `${ADVICE}, one of them`);
  const [kind] = kinds;
  if (has('after') && (kind === 'at' || kind === 'cron')) throw given.refusal('after', `leave it out beside ${kind}`);
  if (has('timeZone') && kind !== 'cron') throw given.refusal('timeZone', 'it only says something beside cron');
  if (has('missed') && kind !== 'every' && kind !== 'cron') {
    throw given.refusal('missed', 'it only says something beside every or cron');
  }
  const afterMs = given.durationMs('after', 0);
  if (kind === 'at') {
    const at = given.value('at');
    if (typeof at !== 'number' || !Number.isFinite(at)) throw given.refusal('at', 'give epoch milliseconds');
    return { firstAt: Math.ceil(at), repeats: undefined };
  }
  if (kind === 'every') {
    const everyMs = Math.ceil(parseDuration(given.value('every'), `${where}: option "every"`, { min: 1 }));
    return { firstAt: Math.ceil(now + (has('after') ? afterMs : everyMs)), repeats: { everyMs, missed } };
  }
  if (kind === 'cron') {
    const repeats = readCron(given, missed);
    const firstAt = nextOf(repeats, now, now);
    if (firstAt === undefined) throw given.refusal('cron', 'no day of any year fits it');
    return { firstAt, repeats };
  }
  if (!has('after')) throw given.refusal('after', ADVICE);
  return { firstAt: Math.ceil(now + afterMs), repeats: undefined };
}

function readCron(given: OptionReader, missed: 'once' | 'each'): Repetition {
  const cron = given.value('cron');
  const timeZone = given.value('timeZone') ?? 'UTC';
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    throw given.refusal('timeZone', "give the IANA name of a time zone, such as 'Europe/London'");
  }
  const advice = "give a cron pattern of 5 fields, or 6 with seconds, such as '0 9 * * 1-5'";
  if (typeof cron !== 'string' || ![5, 6].includes(cron.trim().split(/\s+/).length))
    throw given.refusal('cron', advice);
  try {
    calendar(cron, timeZone);
  } catch {
    throw given.refusal('cron', advice);
  }
  return { cron, timeZone, missed };
}

/** The time after `dueAt`, which has come; undefined when there is none. */
export function nextOf(repeats: Repetition, dueAt: number, now: number): number | undefined {
  if ('everyMs' in repeats) {
    const { everyMs, missed } = repeats;
    const beats = missed === 'each' ? 1 : Math.max(1, Math.floor((now - dueAt) / everyMs) + 1);
    return dueAt + beats * everyMs;
  }
  const { cron, timeZone, missed } = repeats;
  const after = missed === 'each' ? dueAt : Math.max(dueAt, now);
  return calendar(cron, timeZone).nextRun(new Date(after))?.getTime();
}

function calendar(cron: string, timezone: string): Cron {
  return new Cron(cron, { timezone, paused: true });
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
