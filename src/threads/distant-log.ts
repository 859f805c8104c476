/**
 * The log of a worker: every line goes to the one log of the system, with its level and its facts.
 *
 * Facts are for people, and anything may stand in them: what can't be carried is described instead.
 */
import { isTroupeError } from '../core/troupe-error.js';
import { loggedValue } from '../core/logged-value.js';
import type { LogFields, Logger } from '../core/logger.js';
import { safeLogger } from '../core/safe-logger.js';
import { FrameCodec } from './frame-codec.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

type Line = readonly [level: (typeof LEVELS)[number], message: string, fields: LogFields | undefined];

const codec = new FrameCodec();

/** A log whose lines are posted. Writing never throws. */
export function distantLog(post: (line: Uint8Array) => void): Logger {
  const write =
    (level: Line[0]): Logger[Line[0]] =>
    (message, fields) =>
      post(codec.pack([level, message, fields === undefined ? undefined : carried(fields)] satisfies Line));
  return safeLogger({ debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') });
}

/** Writes a line of a worker. */
export function writeLine(log: Logger, line: Uint8Array): void {
  // Packed by the log above.
  const [level, message, fields] = codec.unpack(line) as Line;
  log[level](message, fields);
}

function carried(fields: LogFields): LogFields {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    plain[key] = isTroupeError(value) || value instanceof Error ? value : plainValue(value);
  }
  return plain;
}

function plainValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'function' || typeof value === 'symbol' ? loggedValue(value) : value;
  }
  try {
    return JSON.parse(JSON.stringify(value)) as unknown;
  } catch {
    return loggedValue(value);
  }
}
