/** How much waits in front of an instance, and what gives way when that is full. */
import { LIMITS } from '../core/limits.js';
import type { OptionReader } from '../core/option-reader.js';

/**
 * What happens to a message that finds the mailbox full: it is refused (`TROUPE_MAILBOX_FULL`), the oldest
 * waiting one gives way, or the newcomer does. What is dropped becomes a dead letter.
 */
export type OverflowPolicy = 'reject' | 'drop-oldest' | 'drop-newest';

/** Options of a mailbox. */
export interface MailboxOptions {
  /** Messages that may wait; the one being handled doesn't count. `Infinity` may be asked for. Default 10,000. */
  readonly capacity?: number;
  /** Default `'reject'`. */
  readonly overflow?: OverflowPolicy;
}

/** Options of an actor's mailbox. */
export interface ActorMailboxOptions extends MailboxOptions {
  /** Higher first, in order among equals; `options.priority` of a message goes before. Default: all 0. */
  readonly priority?: (type: string) => number;
}

/** A mailbox as the runtime builds it. */
export interface MailboxSettings {
  readonly capacity: number;
  readonly overflow: OverflowPolicy;
}

/** Keys of `MailboxOptions`. */
export const MAILBOX_KEYS = ['capacity', 'overflow'] as const;

/** The settings that the options of a mailbox mean. */
export function readMailbox(options: OptionReader): MailboxSettings {
  return {
    capacity: options.integer('capacity', { min: 1, infinite: true }, LIMITS.mailboxCapacity),
    overflow: options.oneOf('overflow', ['reject', 'drop-oldest', 'drop-newest'], 'reject'),
  };
}
