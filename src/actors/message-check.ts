/**
 * What messages to plain actors may hold: whatever arrives on another thread as it was sent.
 *
 * That is JSON values, and undefined, bigint, NaN, Date, Map, Set, typed arrays, ArrayBuffer, Error and `ActorRef`.
 * Anything else is refused by the path of the field, on one thread too, so that the number of workers makes no
 * difference. Hot path, one walk for each message: first without a path, and only for a bad value again with it.
 */
import { types } from 'node:util';
import { textOf, type Where } from '../core/json-value.js';
import { TroupeError } from '../core/troupe-error.js';
import { readableEntries, UNREADABLE, Unreadable } from '../core/unreadable.js';

/** Marks references, also those of another copy of this package. */
const REF_BRAND = Symbol.for('troupe.ref');

/** Levels of nesting beyond which a value is refused; a cycle is found on the way. */
const DEEPEST = 500;

/**
 * Checks a value, and tells whether there is a reference in it (see `message-copy.ts`).
 *
 * @param where names the value in the error message, such as `tally/a: add`.
 * @throws TROUPE_NOT_SERIALIZABLE naming the path of the first field that can't be sent.
 */
export function checkMessage(value: unknown, where: Where): boolean {
  if (isPrimitive(value)) return false;
  refFound = false;
  let fault: string | undefined;
  let cause: unknown;
  try {
    fault = faultIn(value, 0);
  } catch (thrown) {
    // Only what the value itself does when it is looked at.
    fault = UNREADABLE;
    cause = thrown;
  }
  if (fault !== undefined) refuse(value, textOf(where), fault, cause);
  return refFound;
}

/** Whether a value can be sent and is one that no walk is needed for: every primitive but symbols. */
export function isPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case 'object':
      return value === null;
    case 'function':
    case 'symbol':
      return false;
    default:
      return true;
  }
}

/** What a value is to the walks over messages. */
export type MessageKind = 'plain' | 'array' | 'map' | 'set' | 'date' | 'bytes' | 'error' | 'ref' | 'unfit';

/** The kind of an object; `unfit` when it can't be sent, whatever it holds. */
export function kindOf(value: object): MessageKind {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return 'plain';
  if (prototype === Array.prototype) return 'array';
  if (REF_BRAND in value) return 'ref';
  if (types.isNativeError(value) || value instanceof Error) return 'error';
  if (ArrayBuffer.isView(value)) return types.isDataView(value) ? 'unfit' : 'bytes';
  // Of these, a subclass would arrive as its base class: only the classes themselves are sent, of any realm.
  const name = classOf(value);
  if (name === 'Map' && types.isMap(value)) return 'map';
  if (name === 'Set' && types.isSet(value)) return 'set';
  if (name === 'Date' && types.isDate(value)) return 'date';
  if (name === 'ArrayBuffer' && types.isArrayBuffer(value)) return 'bytes';
  if (name === 'Array' && Array.isArray(value)) return 'array';
  if (name === 'Object' && Object.getPrototypeOf(prototype) === null) return 'plain';
  return 'unfit';
}

/** Set by `faultIn` when it meets a reference. Both run to their end without a pause, so that one flag will do. */
let refFound = false;

/** What is wrong with the first unfit part of a value, or undefined. */
function faultIn(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return isPrimitive(value) ? undefined : `a ${typeof value}`;
  if (depth >= DEEPEST) return TOO_DEEP;
  const kind = kindOf(value);
  switch (kind) {
    case 'plain':
      for (const key in value) {
        // A plain object: reading a key of it as unknown is safe.
        const fault = faultIn((value as Record<string, unknown>)[key], depth + 1);
        if (fault !== undefined) return fault;
      }
      return Object.getOwnPropertySymbols(value).length > 0 ? SYMBOL_KEY : undefined;
    case 'array':
      for (const item of value as readonly unknown[]) {
        const fault = faultIn(item, depth + 1);
        if (fault !== undefined) return fault;
      }
      return undefined;
    case 'map':
      for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
        const fault = faultIn(key, depth + 1) ?? faultIn(item, depth + 1);
        if (fault !== undefined) return fault;
      }
      return undefined;
    case 'set':
      for (const item of value as ReadonlySet<unknown>) {
        const fault = faultIn(item, depth + 1);
        if (fault !== undefined) return fault;
      }
      return undefined;
    case 'ref':
      refFound = true;
      return undefined;
    case 'date':
    case 'bytes':
    case 'error':
      return undefined;
    case 'unfit':
      return describe(value);
  }
  return kind satisfies never;
}

const TOO_DEEP = `nested deeper than ${DEEPEST} levels, or a cycle`;
const SYMBOL_KEY = 'an object with a symbol as the name of a field';

function classOf(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' ? name : '';
}

function describe(value: object): string {
  const name = classOf(value);
  return name === '' || name === 'Object' ? 'an object that is not plain' : `an instance of ${name}`;
}

/** Walks again, this time with the path, and throws. */
function refuse(value: unknown, where: string, fault: string, cause: unknown): never {
  const found = placeOfFault(value) ?? { path: '', fault };
  throw new TroupeError(
    'TROUPE_NOT_SERIALIZABLE',
    `${where}: ${found.path === '' ? 'the value' : `the field ${found.path}`} is ${found.fault}, which can't be sent; ` +
      'send plain objects, arrays, primitives, Date, Map, Set, typed arrays, Error and ActorRef',
    { details: { path: found.path, found: found.fault }, ...(cause === undefined ? {} : { cause }) },
  );
}

interface FaultAt {
  readonly path: string;
  readonly fault: string;
}

function placeOfFault(value: unknown): FaultAt | undefined {
  try {
    return faultAt(value, '', new Set());
  } catch {
    // A proxy that throws whatever is asked of it: there is no more to say than that.
    return undefined;
  }
}

function faultAt(value: unknown, path: string, above: Set<unknown>): FaultAt | undefined {
  if (typeof value !== 'object' || value === null) {
    const fault = faultIn(value, 0);
    return fault === undefined ? undefined : { path, fault };
  }
  if (value instanceof Unreadable) return { path, fault: value.fault };
  if (above.has(value)) return { path, fault: 'a reference to an object that contains it (a cycle)' };
  if (above.size >= DEEPEST) return { path, fault: `nested deeper than ${DEEPEST} levels` };
  const kind = kindOf(value);
  if (kind === 'unfit') return { path, fault: describe(value) };
  above.add(value);
  for (const [step, part] of partsOf(kind, value, path)) {
    const found = faultAt(part, step, above);
    if (found !== undefined) return found;
  }
  above.delete(value);
  if (kind === 'plain' && Object.getOwnPropertySymbols(value).length > 0) return { path, fault: SYMBOL_KEY };
  return undefined;
}

/** The parts of a value, each with its path as one would write it to get there. */
function* partsOf(kind: MessageKind, value: object, path: string): Generator<readonly [string, unknown]> {
  switch (kind) {
    case 'plain':
      for (const [key, part] of readableEntries(value)) yield [fieldPath(path, key), part];
      return;
    case 'array':
      for (const [index, part] of (value as readonly unknown[]).entries()) yield [`${path}[${index}]`, part];
      return;
    case 'map': {
      let index = 0;
      for (const [key, part] of value as ReadonlyMap<unknown, unknown>) {
        yield [`${path}.keys()[${index}]`, key];
        yield [typeof key === 'string' ? `${path}.get('${key}')` : `${path}.values()[${index}]`, part];
        index += 1;
      }
      return;
    }
    case 'set':
      for (const [index, part] of [...(value as ReadonlySet<unknown>)].entries())
        yield [`${path}.values()[${index}]`, part];
      return;
    default:
      return;
  }
}

function fieldPath(path: string, key: string): string {
  if (!/^[\w$]+$/.test(key)) return `${path}['${key}']`;
  return path === '' ? key : `${path}.${key}`;
}
