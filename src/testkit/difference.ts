/** How two JSON values differ, in words for people: whole, and where the first difference is. */
import { inspect } from 'node:util';

/** A value on as many lines as it needs, its fields in order of name. */
export function shown(value: unknown): string {
  return inspect(value, {
    depth: Infinity,
    sorted: true,
    breakLength: 100,
    maxArrayLength: 100,
    maxStringLength: 1_000,
  });
}

/** The first place where `actual` is not what was expected, such as `[0].data.total is 6, expected 5`. */
export function difference(actual: unknown, expected: unknown): string {
  const place = firstDifference(actual, expected, '');
  return place ?? 'none';
}

function firstDifference(actual: unknown, expected: unknown, path: string): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  const fields = fieldsOf(actual, expected);
  if (fields === undefined) return `${path === '' ? 'it' : path} is ${brief(actual)}, expected ${brief(expected)}`;
  for (const key of fields) {
    const step = Array.isArray(expected) ? `[${key}]` : path === '' ? key : `.${key}`;
    const found = firstDifference(partOf(actual, key), partOf(expected, key), `${path}${step}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The names of all fields, if both values have some and are of one kind. */
function fieldsOf(actual: unknown, expected: unknown): readonly string[] | undefined {
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) {
    return undefined;
  }
  if (Array.isArray(actual) !== Array.isArray(expected)) return undefined;
  return [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
}

function partOf(value: unknown, key: string): unknown {
  // Both are objects; reading a field of one as unknown is safe.
  return Object.hasOwn(value as object, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function brief(value: unknown): string {
  return value === undefined ? 'not there' : inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 100 });
}
