/**
 * Errors on the wire: plain data that keeps class, code, reason, details, stack and cause.
 *
 * Structured clone loses code and class; here a `TroupeError` arrives as one, a `RangeError` as one, and an error of
 * a user's class as `Error` with the name of that class.
 */
import { isTroupeError, TroupeError } from './troupe-error.js';

/** An error as plain data. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly reason: string | undefined;
  readonly details: unknown;
  readonly troupe: boolean;
  readonly cause: unknown;
  readonly causeIsError: boolean;
}

/** Causes of causes beyond this are left out; a cycle ends here, too. */
const DEEPEST_CAUSE = 8;

export function toWireError(error: unknown, depth = 0): WireError {
  const source = error instanceof Error ? error : new Error(String(error));
  const { code, reason, details } = source as Error & { code?: unknown; reason?: string; details?: unknown };
  const cause = depth < DEEPEST_CAUSE ? source.cause : undefined;
  const causeIsError = cause instanceof Error;
  return {
    name: source.name,
    message: source.message,
    stack: source.stack,
    code: plain(code),
    reason,
    details: plain(details),
    troupe: isTroupeError(source),
    cause: causeIsError ? toWireError(cause, depth + 1) : plain(cause),
    causeIsError,
  };
}

export function fromWireError(wire: WireError): Error {
  // Written by toWireError.
  const cause = wire.causeIsError ? fromWireError(wire.cause as WireError) : wire.cause;
  const error = wire.troupe ? troupeError(wire, cause) : plainError(wire, cause);
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}

/** The error as the one class that crosses between runtimes; a stranger's becomes the cause of a failure. */
export function fromWireTroupeError(wire: WireError): TroupeError {
  const error = fromWireError(wire);
  return isTroupeError(error) ? error : new TroupeError('TROUPE_ACTOR_FAILED', error.message, { cause: error });
}

function troupeError(wire: WireError, cause: unknown): TroupeError {
  // The code comes from a TroupeError of the same version of this package.
  return new TroupeError(wire.code as TroupeError['code'], wire.message, {
    details: (wire.details ?? undefined) as TroupeError['details'] | undefined,
    reason: wire.reason,
    ...(cause === undefined ? {} : { cause }),
  });
}

const CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map([
  ['RangeError', RangeError],
  ['TypeError', TypeError],
  ['SyntaxError', SyntaxError],
  ['ReferenceError', ReferenceError],
  ['EvalError', EvalError],
  ['URIError', URIError],
]);

function plainError(wire: WireError, cause: unknown): Error {
  const Class = CLASSES.get(wire.name) ?? Error;
  const error = cause === undefined ? new Class(wire.message) : new Class(wire.message, { cause });
  if (error.name !== wire.name) Object.defineProperty(error, 'name', { value: wire.name, configurable: true });
  for (const key of ['code', 'reason', 'details'] as const) {
    if (wire[key] !== undefined) Object.defineProperty(error, key, { value: wire[key], enumerable: true });
  }
  return error;
}

/** What can't be carried is described instead. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  try {
    return JSON.parse(JSON.stringify(value)) as unknown;
  } catch {
    return Object.prototype.toString.call(value);
  }
}
