/** The default log: warnings and errors as lines on standard error, with their facts. */
import { loggedValue } from '../core/logged-value.js';
import type { LogFields, Logger } from '../core/logger.js';

/** Logs under the name of a system; `debug` and `info` say nothing. */
export function consoleLogger(name: string): Logger {
  const write = (level: string, message: string, fields: LogFields | undefined): void => {
    process.stderr.write(`${name} ${level}: ${message}${describe(fields)}\n`);
  };
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => write('warning', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}

function describe(fields: LogFields | undefined): string {
  if (fields === undefined) return '';
  const parts = Object.entries(fields).map(([key, value]) => `${key}=${loggedValue(value)}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
