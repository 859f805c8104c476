/** The default log: warnings and errors as lines on standard error, with their facts. */
import type { LogFields, Logger } from '../core/logger.js';
import { isTroupeError } from '../core/troupe-error.js';

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
  const parts = Object.entries(fields).map(([key, value]) => `${key}=${show(value)}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function show(value: unknown): string {
  if (isTroupeError(value)) return `${value.code}: ${value.message}`;
  // The stack of a stranger's error leads to the line that threw it.
  if (value instanceof Error) return value.stack ?? `${value.name}: ${value.message}`;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}
