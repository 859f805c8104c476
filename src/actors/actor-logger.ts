/** The log of one actor: every line begins with its name and id, so that one can tell who speaks. */
import type { LogFields, Logger } from '../core/logger.js';
import { type InstanceAddress, keyOf } from './signal.js';

/** A log that writes in the name of an actor. */
export function actorLogger(log: Logger, actor: InstanceAddress): Logger {
  const { name, id } = actor;
  const key = keyOf(actor);
  const text = (message: string): string => `${key}: ${message}`;
  const facts = (fields: LogFields | undefined): LogFields => ({ actor: name, id, ...fields });
  return {
    debug: (message, fields) => log.debug(text(message), facts(fields)),
    info: (message, fields) => log.info(text(message), facts(fields)),
    warn: (message, fields) => log.warn(text(message), facts(fields)),
    error: (message, fields) => log.error(text(message), facts(fields)),
  };
}
