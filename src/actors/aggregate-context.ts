/**
 * What a command handler gets beside state and input: to emit events, or to refuse.
 *
 * There is no tell, ask or spawn: effects belong to reactions and sagas, because a command may be decided more
 * than once before its outcome is durable.
 */
import type { Logger } from '../core/logger.js';
import type { ReminderTiming } from '../timers/reminder-timing.js';

/** The command being handled. */
export interface CommandFacts {
  /** Pass it on as idempotency key to services outside: `handle` may run more than once for one command. */
  readonly id: string;
  readonly correlationId: string;
  /** Id of the event whose reaction or saga sent the command; null when it came from outside. */
  readonly causationId: string | null;
  /** What the sender gave, inherited along the chain; empty when nothing was given. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * The context of a command handler.
 *
 * @typeParam Events data by event type, as the definition's `events` say.
 */
export interface AggregateContext<Events = Readonly<Record<string, unknown>>> {
  /** Id of the aggregate. */
  readonly id: string;
  /** Version of the aggregate before this command: number of its events. */
  readonly version: number;
  readonly command: CommandFacts;
  /**
   * Adds an event to the outcome. Events are applied and written when the handler has returned, all or none;
   * `state` stays what it was.
   *
   * @throws TROUPE_INVALID_EVENT when the type is unknown or the data doesn't pass its schema.
   * @throws TROUPE_NOT_SERIALIZABLE when the data is no JSON value, naming the path.
   */
  emit<Type extends keyof Events & string>(type: Type, data: Events[Type]): void;
  /**
   * Refuses the command by throwing: no failure, no restart, no events. The sender gets `TROUPE_REJECTED`.
   *
   * @param reason stable text for programs, such as `'order-exists'`.
   * @param message text for people. Default: the reason.
   */
  reject(reason: string, message?: string): never;
  /**
   * Sends a command to this aggregate at a later time, also after a restart and when it has left memory. Committed with
   * the events of this decision, or not at all; a reminder of this name that waits is replaced.
   *
   * @param name unique for this aggregate.
   * @param type one of its own commands.
   * @throws TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE when it has no such command, or the input doesn't pass its schema.
   * @throws TROUPE_INVALID_OPTIONS when name or timing can't be used; TROUPE_NOT_SERIALIZABLE for an input that is no JSON.
   */
  remind(name: string, type: string, input: unknown, timing: ReminderTiming): void;
  /** Takes a reminder away, with the events of this decision. */
  forget(name: string): void;
  /** Wall time of the system's clock, epoch milliseconds. */
  now(): number;
  /** A new id, unique in the world. */
  newId(): string;
  readonly log: Logger;
  /** Aborts when the instance stops. */
  readonly signal: AbortSignal;
}
