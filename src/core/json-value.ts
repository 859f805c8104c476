/**
 * JSON values: what events, aggregate state, command inputs and outcomes are made of.
 *
 * `encodeJson` refuses, by the path of the field, everything that `JSON.stringify` would change in silence
 * (NaN, -0, Date, Map, functions, holes, class instances); undefined fields are dropped, as JSON does. What
 * passes reads back equal, so live and recovered state can't differ. Hot path: one walk for each event.
 */
import { TroupeError } from './troupe-error.js';

/** A value that JSON keeps as it is. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Levels of nesting beyond which a value is refused; a cycle is found on the way. */
const DEEPEST = 500;

/**
 * The JSON text of a value, or undefined for undefined.
 *
 * @param where names the value in the error message, such as `order/42: event order.created`.
 * @throws TROUPE_NOT_SERIALIZABLE naming the path of the first field that JSON can't keep.
 */
export function encodeJson(value: unknown, where: string): string | undefined {
  checkJson(value, where);
  return JSON.stringify(value);
}

/** @throws TROUPE_NOT_SERIALIZABLE naming the path of the first field that JSON can't keep. */
export function checkJson(value: unknown, where: string): void {
  const fault = faultIn(value, 0);
  if (fault !== undefined) refuse(value, where, fault);
}

/** What is wrong with the first unfit part of a value, or undefined. Builds no path: most values are fit. */
function faultIn(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined;
    case 'number':
      if (!Number.isFinite(value)) return String(value);
      return Object.is(value, -0) ? '-0' : undefined;
    case 'object':
      break;
    default:
      return `a ${typeof value}`;
  }
  if (value === null) return undefined;
  if (depth >= DEEPEST) return `nested deeper than ${DEEPEST} levels, or a cycle`;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      if (value[i] === undefined) return 'undefined in an array';
      const fault = faultIn(value[i], depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !isPlainOfAnotherRealm(prototype)) return describe(value);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return 'an object with a toJSON method';
  for (const key in value) {
    // A plain object: reading a key of it as unknown is safe.
    const fault = faultIn((value as Record<string, unknown>)[key], depth + 1);
    if (fault !== undefined) return fault;
  }
  return Object.getOwnPropertySymbols(value).length > 0 ? 'a field with a symbol as its name' : undefined;
}

/** Objects made by `vm` contexts have another `Object.prototype`, which is the root of its chain like ours. */
function isPlainOfAnotherRealm(prototype: unknown): boolean {
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'hasOwnProperty')
  );
}

function describe(value: object): string {
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' && name !== '' ? `a ${name}` : 'an object that is not plain';
}

/** Walks again, this time with the path, and throws. */
function refuse(value: unknown, where: string, fault: string): never {
  const path = pathOfFault(value, new Set()) ?? { path: '', fault };
  throw new TroupeError(
    'TROUPE_NOT_SERIALIZABLE',
    `${where}: ${path.path === '' ? 'the value' : `the field ${path.path}`} is ${path.fault}, which JSON can't keep; ` +
      'send plain objects, arrays, strings, finite numbers, booleans and null',
    { details: { path: path.path, found: path.fault } },
  );
}

function pathOfFault(value: unknown, above: Set<unknown>): { path: string; fault: string } | undefined {
  if (typeof value !== 'object' || value === null) {
    const fault = faultIn(value, 0);
    return fault === undefined ? undefined : { path: '', fault };
  }
  if (above.has(value)) return { path: '', fault: 'a reference to an object that contains it (a cycle)' };
  if (above.size >= DEEPEST) return { path: '', fault: `nested deeper than ${DEEPEST} levels` };
  above.add(value);
  const array = Array.isArray(value);
  if (!array) {
    const own = faultIn(Object.create(Object.getPrototypeOf(value) as object | null), 0);
    if (own !== undefined) return { path: '', fault: own };
  }
  for (const key of Object.keys(value)) {
    const part = (value as Record<string, unknown>)[key];
    const found = array && part === undefined ? { path: '', fault: 'undefined in an array' } : pathOfFault(part, above);
    if (found !== undefined) {
      const step = array ? `[${key}]` : key;
      const separator = found.path === '' || found.path.startsWith('[') ? '' : '.';
      return { path: `${step}${separator}${found.path}`, fault: found.fault };
    }
  }
  above.delete(value);
  return undefined;
}

/** Freezes a JSON value and all that it holds, so that one reader can't change what another one sees. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const key in value) deepFreeze(value[key]);
  }
  return value;
}
