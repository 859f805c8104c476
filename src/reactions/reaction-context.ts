/**
 * What a reaction's handler gets beside the event: to send commands, whose ids are derived from the event.
 *
 * Because of these ids a redelivery changes nothing: the first outcome answers. The event is finished only when
 * the handler has resolved and every command it told has a durable outcome.
 */
import type { AskOptions, MessageOptions } from '../actors/message-options.js';
import type { SendsCommands } from '../actors/sends-commands.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';

/**
 * The context of a reaction's handler. The event isn't finished before every command it has told has a durable outcome; a
 * failure makes this attempt fail.
 *
 * @typeParam Event the event being handled.
 */
export interface ReactionContext<Event = RecordedEvent> extends SendsCommands<MessageOptions, AskOptions> {
  readonly event: Event;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** Wall time of the system's clock, epoch milliseconds. */
  now(): number;
  /** A new id, unique within the journal; the same in each attempt at this event. */
  newId(): string;
  readonly log: Logger;
  /** Aborts when the system stops. */
  readonly signal: AbortSignal;
}
