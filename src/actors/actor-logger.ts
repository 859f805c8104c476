/** Logs of actors: one that can't break the runtime, and one that says which actor speaks. */
import type { LogFields, Logger } from '../core/logger.js';
import { type InstanceAddress, keyOf } from './signal.js';

/** A log whose writing never throws, whatever stands behind it: a failure that is logged must not become another one. */
export function safeLogger(log: Logger): Logger {
  const safely =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      try {
        log[level](message, fields);
      } catch {
        // There is no second log to write this to.
      }
    };
  return { debug: safely('debug'), info: safely('info'), warn: safely('warn'), error: safely('error') };
}

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
