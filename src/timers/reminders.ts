/**
 * Reminders: sets them, and sends their messages when their time has come.
 *
 * An occurrence is over when its message has an outcome: a durable one of an aggregate, a handled message of a plain
 * actor. A refusal, and a failure after some attempts, is a dead letter; a lost worker, a full disk or an actor that
 * can't be started yet is tried again, the attempts being kept in the journal. A stopping system leaves it to the next
 * start. Then the next occurrence takes its place, if there is one.
 */
import type { Clock } from '../core/clock.js';
import { type Envelope, Envelope as Message, type Post, type ReplySink } from '../core/envelope.js';
import type { RecordChange } from '../journal/journal.js';
import { LIMITS } from '../core/limits.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import type { StoredTimer, TimerChange, TimerQuery } from '../journal/timer-change.js';
import {
  REMIND,
  type Reminder,
  reminderMessageId,
  reminderName,
  reminderOf,
  reminderOwner,
  type ReminderRequest,
  reminderTimer,
} from './reminder.js';
import { nextOf, type Repetition } from './reminder-timing.js';
import type { TimerService, TimerVerdict } from './timer-service.js';

/** Takes reminders; on a worker, the far end of a port. */
export interface ReminderPost {
  /** Durable when it resolves. */
  remind(request: ReminderRequest): Promise<void>;
  forget(target: string, targetId: string, name: string): Promise<void>;
}

/** A reminder that waits, for people and programs to look at. */
export interface PendingReminder {
  readonly name: string;
  readonly type: string;
  readonly payload: unknown;
  /** When its next message is due, epoch milliseconds. */
  readonly dueAt: number;
  /** How it comes again; undefined: it doesn't. */
  readonly repeats: Repetition | undefined;
  /** Which attempt the next one is to bring the message, from 1. */
  readonly attempt: number;
}

export interface RemindersSurroundings {
  readonly timers: Pick<TimerService, 'serve' | 'set' | 'clear'>;
  readonly journal: {
    readTimers(query: TimerQuery): Promise<readonly StoredTimer[]>;
    writeRecords(changes: readonly RecordChange[], timers?: readonly TimerChange[]): Promise<void>;
  };
  readonly post: Post;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Milliseconds that an aggregate has for a message before it is brought again; the second joins the first. */
  readonly askTimeoutMs: number;
  isQuery(target: string, type: string): boolean;
  isActor(target: string): boolean;
  /** Makes a dead letter of a message. */
  undelivered(envelope: Envelope, error: TroupeError): void;
  /** Starts an actor that doesn't live, as a top-level one. */
  spawn(target: string, targetId: string, args: unknown): Promise<void>;
}

/** Reminders of one instance that `list` gives at most. */
const MOST_LISTED = 10_000;

export class Reminders implements ReminderPost {
  readonly #around: RemindersSurroundings;

  constructor(around: RemindersSurroundings) {
    this.#around = around;
    around.timers.serve(REMIND, (timer) => this.#fire(reminderOf(timer)));
  }

  /**
   * Sets a reminder, in place of the one of this name. Mistakes that can be seen throw, and don't reject.
   *
   * @throws TROUPE_UNKNOWN_ACTOR, TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE when the target can't take the message.
   */
  remind(request: ReminderRequest): Promise<void> {
    const { target, targetId, type, payload } = request;
    const { post, timers, clock, newId } = this.#around;
    post.address(target, targetId, type, payload, undefined);
    if (this.#around.isQuery(target, type)) throw queryRefused(request);
    return timers.set(reminderTimer(request, clock.now(), newId()));
  }

  /** Takes a reminder away; one whose message is under way can't be called back. */
  forget(target: string, targetId: string, name: string): Promise<void> {
    const known = reminderName({ target, targetId, name });
    return this.#around.timers.clear(reminderOwner(target, targetId), known);
  }

  /** The reminders of one instance, in order of time. */
  async list(target: string, targetId: string): Promise<PendingReminder[]> {
    const { journal } = this.#around;
    // A marker: what has been set before this call is in the journal then.
    await journal.writeRecords([]);
    const timers = await journal.readTimers({ owner: reminderOwner(target, targetId), limit: MOST_LISTED });
    return timers.map(reminderOf).map(({ name, type, payload, dueAt, repeats, attempt }) => ({
      name,
      type,
      payload,
      dueAt,
      repeats,
      attempt,
    }));
  }

  async #fire(reminder: Reminder): Promise<TimerVerdict> {
    const outcome = await this.#bring(reminder);
    if (outcome === 'over') return this.#afterwards(reminder);
    const attempt = reminder.attempt + 1;
    const waitMs = Math.min(LIMITS.reminderBackoffMaxMs, LIMITS.reminderBackoffMinMs * 2 ** Math.min(attempt - 2, 30));
    const wakeAt = Math.ceil(this.#around.clock.now() + waitMs);
    return { wakeAt, body: bodyOf({ ...reminder, attempt }) };
  }

  /** What comes after an occurrence that is over. */
  #afterwards(reminder: Reminder): TimerVerdict {
    const { repeats, dueAt } = reminder;
    const next = repeats === undefined ? undefined : nextOf(repeats, dueAt, this.#around.clock.now());
    return next === undefined ? 'done' : { wakeAt: next, body: bodyOf({ ...reminder, dueAt: next, attempt: 1 }) };
  }

  /** Sends the message of one occurrence; rejects when it is left to the next start. */
  async #bring(reminder: Reminder): Promise<'over' | 'again'> {
    const { target, targetId, type, payload, correlationId, metadata, attempt } = reminder;
    const { post, clock } = this.#around;
    const facts = { commandId: reminderMessageId(reminder), correlationId, metadata, waits: true };
    const isActor = this.#around.isActor(target);
    const pending = new PendingReminderMessage();
    try {
      const envelope = post.address(target, targetId, type, payload, { ...facts, sink: pending });
      post.deliver(envelope);
      // An actor may take its time; bringing it the message again would have it done twice.
      const late = isActor ? undefined : clock.setTimer(this.#around.askTimeoutMs, () => pending.late(), true);
      await pending.promise.finally(() => late?.cancel());
      return 'over';
    } catch (error) {
      if (!isTroupeError(error)) throw error;
      const judged = judge(error, isActor, attempt);
      if (judged === 'wake') return this.#wake(reminder);
      if (judged === 'later') throw error;
      // Without the sink: a dead letter that is sent again is nobody's.
      if (judged === 'letter') this.#around.undelivered(new Message(target, targetId, type, payload, facts), error);
      return judged === 'again' ? 'again' : 'over';
    }
  }

  /** Starts the actor and brings it the message; one that can't be started from here, a child, is waited for. */
  async #wake(reminder: Reminder): Promise<'over' | 'again'> {
    const { target, targetId, wake } = reminder;
    if (wake === undefined) return 'again';
    try {
      await this.#around.spawn(target, targetId, wake.args);
    } catch (error) {
      // Somebody else may have started it meanwhile.
      if (!isTroupeError(error)) throw error;
    }
    return this.#bring({ ...reminder, wake: undefined });
  }
}

/** What an error means: of `over` the message got somewhere, and its end was told; `later` is for the next start. */
function judge(error: TroupeError, isActor: boolean, attempt: number): 'over' | 'letter' | 'again' | 'wake' | 'later' {
  switch (error.code) {
    case 'TROUPE_SYSTEM_STOPPED':
      return 'later';
    case 'TROUPE_ACTOR_STOPPED':
      return 'wake';
    case 'TROUPE_ASK_TIMEOUT':
    case 'TROUPE_JOURNAL_WRITE_FAILED':
    case 'TROUPE_VERSION_CONFLICT':
    case 'TROUPE_MAILBOX_FULL':
      return 'again';
    case 'TROUPE_WORKER_LOST':
      // Of a quarantined message there is a dead letter already.
      return error.details['quarantined'] === true ? 'over' : 'again';
    case 'TROUPE_NOT_SERIALIZABLE':
      // The handler of an actor has run; only its reply, which nobody waits for, can't be sent.
      return isActor ? 'over' : 'letter';
    case 'TROUPE_ACTOR_FAILED':
      return isActor || attempt >= LIMITS.reminderAttempts ? 'letter' : 'again';
    default:
      return 'letter';
  }
}

/** Waits for the outcome of a message. */
class PendingReminderMessage implements ReplySink {
  readonly promise: Promise<void>;
  readonly wantsReply = false;
  #resolve!: () => void;
  #reject!: (error: TroupeError) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  reply(): void {
    this.#resolve();
  }

  fail(error: TroupeError): void {
    this.#reject(error);
  }

  late(): void {
    this.#reject(new TroupeError('TROUPE_ASK_TIMEOUT', 'the message of a reminder has no outcome yet'));
  }
}

function bodyOf(reminder: Reminder): string {
  const { type, payload, dueAt, repeats, attempt, wake, correlationId, metadata } = reminder;
  return JSON.stringify({ type, payload, dueAt, repeats, attempt, wake, correlationId, metadata });
}

function queryRefused({ target, targetId, name, type }: ReminderRequest): TroupeError {
  return new TroupeError(
    'TROUPE_UNKNOWN_MESSAGE',
    `${target}/${targetId}: reminder ${name}: ${type} is a query, whose answer nobody would get; give a command`,
    { details: { target, id: targetId, type } },
  );
}
