/**
 * A reminder: a message to one instance that waits in the journal as a timer until its time.
 *
 * Its message has an id derived from owner, name and time (and from the setting, for a name may be set again for the
 * same moment), so that a second delivery of an occurrence is recognised, and each occurrence is one message.
 */
import { escapeId } from '../core/ids.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { checkJson } from '../core/json-value.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { StoredTimer } from '../journal/timer-change.js';
import { readTiming, type Repetition } from './reminder-timing.js';

/** The kind of timers that are reminders. */
export const REMIND = 'remind';

/** Which reminder. */
export interface ReminderKey {
  readonly target: string;
  readonly targetId: string;
  /** Unique for the target. */
  readonly name: string;
}

/** What a reminder is about, as it is asked for. */
export interface ReminderRequest extends ReminderKey {
  readonly type: string;
  readonly payload: unknown;
  readonly timing: unknown;
  /** With what to start the actor again if it doesn't live when its time comes; undefined: that waits for it. */
  readonly wake?: { readonly args: unknown } | undefined;
  readonly correlationId?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** The body of its timer; JSON. */
export interface ReminderBody {
  readonly type: string;
  readonly payload?: unknown;
  /** The time of this occurrence; the timer wakes later when it is tried again. */
  readonly dueAt: number;
  readonly repeats?: Repetition | undefined;
  /** From 1. */
  readonly attempt: number;
  readonly wake?: { readonly args?: unknown } | undefined;
  readonly correlationId?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** A reminder as it stands in the journal. */
export interface Reminder extends ReminderBody, ReminderKey {
  readonly setting: string;
}

/** The owner of an instance's reminders. */
export function reminderOwner(target: string, targetId: string): string {
  return `${REMIND}>${target}/${targetId}`;
}

/**
 * The timer of a new reminder. Whether the target knows the message is checked by whoever knows the target.
 *
 * @param setting a text that no other reminder has.
 * @throws TROUPE_INVALID_OPTIONS when name or timing can't be used; TROUPE_NOT_SERIALIZABLE when the payload is no JSON
 * value, which it has to be to outlive the process.
 */
export function reminderTimer(request: ReminderRequest, now: number, setting: string): StoredTimer {
  const { target, targetId, type, payload, wake, correlationId, metadata } = request;
  const name = reminderName(request);
  const where = `${target}/${targetId}: reminder ${name}`;
  const { firstAt, repeats } = readTiming(request.timing, now, where);
  checkJson(payload, `${where}: ${type}`);
  if (wake !== undefined) checkJson(wake.args, `${where}: the args of the actor, with which it would be started again`);
  const body: ReminderBody = { type, payload, dueAt: firstAt, repeats, attempt: 1, wake, correlationId, metadata };
  return { owner: reminderOwner(target, targetId), name, setting, wakeAt: firstAt, body: JSON.stringify(body) };
}

/** JavaScript may pass anything, and names go into the journal. */
export function reminderName({ target, targetId, name }: ReminderKey): string {
  const given: unknown = name;
  if (isGivenText(given)) return given;
  throw new TroupeError(
    'TROUPE_INVALID_OPTIONS',
    `${target}/${targetId}: the name of a reminder is ${showValue(given)}; ${GIVEN_TEXT}`,
  );
}

export function reminderOf(timer: StoredTimer): Reminder {
  const { owner, name, setting, body } = timer;
  const slash = owner.indexOf('/');
  const target = owner.slice(REMIND.length + 1, slash);
  // What `reminderTimer` has written.
  return { ...(JSON.parse(body) as ReminderBody), target, targetId: owner.slice(slash + 1), name, setting };
}

/** The id of the message of one occurrence. */
export function reminderMessageId({ target, targetId, name, dueAt, setting }: Reminder): string {
  return `${REMIND}>${target}/${escapeId(targetId)}>${escapeId(name)}@${dueAt}#${escapeId(setting)}`;
}
