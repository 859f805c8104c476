/**
 * A log that never throws, whatever is logged and whatever stands behind it: a failure that is logged must not become
 * another one. Without types anything may be logged; what stands behind gets a text and an object all the same.
 */
import { loggedValue } from './logged-value.js';
import type { LogFields, Logger } from './logger.js';
import { readableEntries, Unreadable } from './unreadable.js';

/** Who speaks. */
export interface Speaker {
  /** What lines begin with. */
  readonly prefix?: string;
  /** Facts of each line, in front of its own. */
  readonly facts?: LogFields;
}

/** Makes a log safe, and lets it speak in somebody's name. */
export function safeLogger(log: Logger, { prefix = '', facts }: Speaker = {}): Logger {
  const safely =
    (level: keyof Logger) =>
    (message: unknown, fields?: unknown): void => {
      try {
        log[level](
          `${prefix}${loggedValue(message)}`,
          facts === undefined ? read(fields) : { ...facts, ...read(fields) },
        );
      } catch {
        // There is no second log to write this to.
      }
    };
  return { debug: safely('debug'), info: safely('info'), warn: safely('warn'), error: safely('error') };
}

/** The fields; of what holds none, one with the value. */
function read(fields: unknown): LogFields | undefined {
  if (fields === undefined) return undefined;
  if (fields instanceof Error) return { error: fields };
  if (typeof fields !== 'object' || fields === null) return { value: fields };
  const facts: Record<string, unknown> = {};
  for (const [key, field] of readableEntries(fields)) facts[key] = field instanceof Unreadable ? field.fault : field;
  return facts;
}
