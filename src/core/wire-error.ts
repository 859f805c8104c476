/**
 * Errors on the wire: plain data that keeps class, code, reason, details, stack, cause, the errors of an
 * `AggregateError`, and own fields that are JSON values.
 *
 * Structured clone loses code and class; here a `TroupeError` arrives as one, a `RangeError` as one, and an error of
 * a user's class as `Error` with the name of that class. An error may be anything, also one whose fields throw when
 * they are read: what can't be read or carried is described or left out, and nothing here throws.
 */
import { encodeJson } from './json-value.js';
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
  /** Of an `AggregateError`, in their order. */
  readonly errors?: readonly WirePart[];
  /** Own fields beyond these: the JSON text of an object, which arrives as it is whichever way it goes. */
  readonly fields?: string;
}

/** One of several errors; anything can be among them. */
interface WirePart {
  readonly isError: boolean;
  readonly value: unknown;
}

/** Causes of causes, and errors of errors, beyond this are left out; a cycle ends here, too. */
const DEEPEST_CAUSE = 8;

/** Errors of an `AggregateError`, and of those within it, that are carried one by one; the rest is counted. */
const MOST_PARTS = 100;

/**
 * Characters of own fields of one error and those within it; further fields are left out. Errors of HTTP clients hold
 * whole responses, and errors go into records of the journal, too.
 */
const LONGEST_FIELDS = 16_384;

/** How much may still be carried. */
interface Room {
  parts: number;
  fields: number;
}

export function toWireError(error: unknown): WireError {
  return wired(error, 0, { parts: MOST_PARTS, fields: LONGEST_FIELDS });
}

function wired(error: unknown, depth: number, room: Room): WireError {
  const source = error instanceof Error ? error : new Error(textOf(error));
  const cause = depth < DEEPEST_CAUSE ? read(source, 'cause') : undefined;
  const causeIsError = cause instanceof Error;
  const errors = depth < DEEPEST_CAUSE ? read(source, 'errors') : undefined;
  const stack = read(source, 'stack');
  const reason = read(source, 'reason');
  const fields = wireFields(source, room);
  return {
    name: textOf(read(source, 'name')),
    message: textOf(read(source, 'message')),
    stack: typeof stack === 'string' ? stack : undefined,
    code: plain(read(source, 'code')),
    reason: reason === undefined ? undefined : textOf(reason),
    details: plain(read(source, 'details')),
    troupe: isTroupeError(source),
    cause: causeIsError ? wired(cause, depth + 1, room) : plain(cause),
    causeIsError,
    ...(source instanceof AggregateError && Array.isArray(errors)
      ? { errors: wireParts(errors, depth + 1, room) }
      : {}),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** What a `WireError` has a place of its own for. */
const PLACED: ReadonlySet<string> = new Set([
  'name',
  'message',
  'stack',
  'code',
  'reason',
  'details',
  'cause',
  'errors',
]);

/** What JSON can't keep, and what there is no room for, is left out. */
function wireFields(source: Error, room: Room): string | undefined {
  const texts: string[] = [];
  for (const key of ownKeys(source)) {
    if (PLACED.has(key)) continue;
    const text = jsonOf(read(source, key));
    if (text === undefined) continue;
    const field = `${JSON.stringify(key)}:${text}`;
    if (field.length > room.fields) continue;
    room.fields -= field.length;
    texts.push(field);
  }
  return texts.length === 0 ? undefined : `{${texts.join(',')}}`;
}

function ownKeys(source: Error): readonly string[] {
  try {
    return Object.keys(source);
  } catch {
    return [];
  }
}

function jsonOf(value: unknown): string | undefined {
  try {
    return encodeJson(value, 'a field of an error');
  } catch {
    return undefined;
  }
}

function wireParts(errors: readonly unknown[], depth: number, room: Room): WirePart[] {
  const some = errors.slice(0, room.parts);
  room.parts -= some.length;
  const parts = some.map((one) => {
    const isError = one instanceof Error;
    return { isError, value: isError ? wired(one, depth, room) : plain(one) };
  });
  const more = errors.length - parts.length;
  if (more > 0) parts.push({ isError: true, value: toWireError(new Error(`and ${more} more errors`)) });
  return parts;
}

export function fromWireError(wire: WireError): Error {
  // Written by toWireError.
  const cause = wire.causeIsError ? fromWireError(wire.cause as WireError) : wire.cause;
  const error = wire.troupe ? troupeError(wire, cause) : plainError(wire, cause);
  if (wire.stack !== undefined) error.stack = wire.stack;
  if (wire.fields !== undefined) addFields(error, wire.fields);
  return error;
}

function addFields(error: Error, text: string): void {
  // Written by wireFields.
  for (const [key, value] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
    // Defined, not set: a field may be named `__proto__`.
    Object.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true });
  }
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
  const options = cause === undefined ? undefined : { cause };
  const error = wire.errors === undefined ? new Class(wire.message, options) : aggregateError(wire, options);
  if (error.name !== wire.name) Object.defineProperty(error, 'name', { value: wire.name, configurable: true });
  for (const key of ['code', 'reason', 'details'] as const) {
    if (wire[key] !== undefined) Object.defineProperty(error, key, { value: wire[key], enumerable: true });
  }
  return error;
}

function aggregateError({ message, errors = [] }: WireError, options: ErrorOptions | undefined): AggregateError {
  // Written by wireParts.
  const parts = errors.map(({ isError, value }) => (isError ? fromWireError(value as WireError) : value));
  return new AggregateError(parts, message, options);
}

/** A field of an error, which may be a getter that throws. */
function read(error: Error, field: string): unknown {
  try {
    return (error as unknown as Readonly<Record<string, unknown>>)[field];
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
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
