/**
 * JSON values: what events, aggregate state, command inputs and outcomes are made of.
 *
 * `encodeJson` refuses, by the path of the field, everything that `JSON.stringify` would change in silence (NaN, -0,
 * Date, Map, functions, holes, class instances, fields of arrays); undefined fields are dropped, as JSON does. What
 * passes reads back equal, so live and recovered state can't differ. `copyJson` gives at once what would be read back, for
 * half of what writing and parsing the text costs. Hot path: one walk for each event.
 */
import { TroupeError } from './troupe-error.js';
import { readableEntries, UNREADABLE, Unreadable } from './unreadable.js';

/** A value that JSON keeps as it is. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** What a value is called in an error message; as a function where the text is rarely needed, because it costs more than the check. */
export type Where = string | (() => string);

export function textOf(where: Where): string {
  return typeof where === 'string' ? where : where();
}

/** Levels of nesting beyond which a value is refused; a cycle is found on the way. */
const DEEPEST = 500;

/**
 * The JSON text of a value, or undefined for undefined.
 *
 * @param where names the value in the error message, such as `order/42: event order.created`.
 * @throws TROUPE_NOT_SERIALIZABLE naming the path of the first field that JSON can't keep.
 */
export function encodeJson(value: unknown, where: Where): string | undefined {
  checkJson(value, where);
  return JSON.stringify(value);
}

/**
 * The value as it would be read back from its JSON text: a copy, without fields that are undefined. Each field is read
 * once, so that what a getter returns is the same in the copy and in the text of the copy.
 *
 * @throws TROUPE_NOT_SERIALIZABLE naming the path of the first field that JSON can't keep.
 */
export function copyJson(value: unknown, where: Where): unknown {
  let fault: string | undefined;
  let cause: unknown;
  let copy: unknown;
  faultInCopy = undefined;
  try {
    copy = copyOf(value, 0);
    fault = faultInCopy;
  } catch (thrown) {
    // Only what the value itself does when it is looked at.
    fault = UNREADABLE;
    cause = thrown;
  }
  if (fault !== undefined) refuse(value, textOf(where), fault, cause);
  return copy;
}

/** @throws TROUPE_NOT_SERIALIZABLE naming the path of the first field that JSON can't keep. */
export function checkJson(value: unknown, where: Where): void {
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
}

/** What is wrong with the first unfit part of a value, or undefined. Builds no path: most values are fit. */
function faultIn(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return faultOfPrimitive(value);
  if (depth >= DEEPEST) return TOO_DEEP;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      const fault = value[i] === undefined ? UNDEFINED_ITEM : faultIn(value[i], depth + 1);
      if (fault !== undefined) return fault;
    }
    return faultOfArray(value);
  }
  const own = faultOfObject(value);
  if (own !== undefined) return own;
  for (const key in value) {
    // A plain object: reading a key of it as unknown is safe.
    const fault = faultIn((value as Record<string, unknown>)[key], depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Set by `copyOf`, which runs to its end without a pause, when something is unfit; what it returns is of no use then. */
let faultInCopy: string | undefined;

/** As `faultIn`, and copies what is fit. */
function copyOf(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    faultInCopy = faultOfPrimitive(value);
    return value;
  }
  faultInCopy = depth >= DEEPEST ? TOO_DEEP : undefined;
  if (faultInCopy !== undefined) return undefined;
  return Array.isArray(value) ? copyOfArray(value, depth) : copyOfObject(value, depth);
}

function copyOfArray(value: readonly unknown[], depth: number): unknown {
  const copy: unknown[] = [];
  for (let i = 0; i < value.length; i += 1) {
    const part = copyOf(value[i], depth + 1);
    if (part === undefined) faultInCopy ??= UNDEFINED_ITEM;
    if (faultInCopy !== undefined) return undefined;
    copy.push(part);
  }
  faultInCopy = faultOfArray(value);
  return copy;
}

function copyOfObject(value: object, depth: number): unknown {
  faultInCopy = faultOfObject(value);
  if (faultInCopy !== undefined) return undefined;
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    // What somebody has added to the prototype of all objects is in no text.
    if (!Object.hasOwn(value, key)) continue;
    // A plain object: reading a key of it as unknown is safe.
    const part = copyOf((value as Record<string, unknown>)[key], depth + 1);
    if (faultInCopy !== undefined) return undefined;
    if (part === undefined) continue;
    if (key === '__proto__') Object.defineProperty(copy, key, { value: part, ...OWN_FIELD });
    else copy[key] = part;
  }
  return copy;
}

const OWN_FIELD = { writable: true, enumerable: true, configurable: true } as const;
const TOO_DEEP = `nested deeper than ${DEEPEST} levels, or a cycle`;
const UNDEFINED_ITEM = 'undefined in an array';

function faultOfPrimitive(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) return String(value);
      return Object.is(value, -0) ? '-0' : undefined;
    case 'bigint':
    case 'symbol':
    case 'function':
      return `a ${typeof value}`;
    default:
      return undefined;
  }
}

/** What is wrong with an object itself, whatever its fields hold. */
function faultOfObject(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !isPlainOfAnotherRealm(prototype)) return describe(value);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return 'an object with a toJSON method';
  return Object.getOwnPropertySymbols(value).length > 0 ? 'an object with a symbol as the name of a field' : undefined;
}

/** What is wrong with an array itself, whose items are all there. */
function faultOfArray(value: readonly unknown[]): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototype of arrays is an array itself, in each realm; that of a subclass is none.
  if (prototype !== Array.prototype && !Array.isArray(prototype)) return describe(value);
  return Object.keys(value).length === value.length ? undefined : 'an array with fields beside its items';
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
function refuse(value: unknown, where: string, fault: string, cause: unknown): never {
  const path = placeOfFault(value) ?? { path: '', fault };
  throw new TroupeError(
    'TROUPE_NOT_SERIALIZABLE',
    `${where}: ${path.path === '' ? 'the value' : `the field ${path.path}`} is ${path.fault}, which JSON can't keep; ` +
      'send plain objects, arrays, strings, finite numbers, booleans and null',
    { details: { path: path.path, found: path.fault }, ...(cause === undefined ? {} : { cause }) },
  );
}

interface PlacedFault {
  readonly path: string;
  readonly fault: string;
}

function placeOfFault(value: unknown): PlacedFault | undefined {
  try {
    return pathOfFault(value, new Set());
  } catch {
    // A proxy that throws whatever is asked of it: there is no more to say than that.
    return undefined;
  }
}

function pathOfFault(value: unknown, above: Set<unknown>): PlacedFault | undefined {
  if (typeof value !== 'object' || value === null) {
    const fault = faultIn(value, 0);
    return fault === undefined ? undefined : { path: '', fault };
  }
  if (value instanceof Unreadable) return { path: '', fault: value.fault };
  if (above.has(value)) return { path: '', fault: 'a reference to an object that contains it (a cycle)' };
  if (above.size >= DEEPEST) return { path: '', fault: `nested deeper than ${DEEPEST} levels` };
  above.add(value);
  const found = Array.isArray(value) ? pathInArray(value, above) : pathInObject(value, above);
  above.delete(value);
  return found;
}

function pathInArray(value: readonly unknown[], above: Set<unknown>): PlacedFault | undefined {
  for (let i = 0; i < value.length; i += 1) {
    const found = value[i] === undefined ? { path: '', fault: UNDEFINED_ITEM } : pathOfFault(value[i], above);
    if (found !== undefined) return under(`[${i}]`, found);
  }
  const fault = faultOfArray(value);
  return fault === undefined ? undefined : { path: '', fault };
}

function pathInObject(value: object, above: Set<unknown>): PlacedFault | undefined {
  const own = faultOfObject(value);
  if (own !== undefined) return { path: '', fault: own };
  for (const [key, part] of readableEntries(value)) {
    const found = pathOfFault(part, above);
    if (found !== undefined) return under(key, found);
  }
  return undefined;
}

function under(step: string, { path, fault }: PlacedFault): PlacedFault {
  const separator = path === '' || path.startsWith('[') ? '' : '.';
  return { path: `${step}${separator}${path}`, fault };
}

/** Freezes a JSON value and all that it holds, so that one reader can't change what another one sees. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const key in value) deepFreeze(value[key]);
  }
  return value;
}
