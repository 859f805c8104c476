/** How a wrong value looks in an error message: short, on one line, and never a throw of its own. */

const LONGEST = 60;

/** A value in at most 60 characters or so: texts in quotes, objects and functions by what they are. */
export function showValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value}'`;
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
    default:
      return String(value);
  }
}

/** What was thrown, in words: the message of an error, a text as it is, anything else by what it is. */
export function showThrown(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown;
    const message = messageOf(thrown);
    return message ?? showValue(thrown);
  } catch {
    return UNREADABLE;
  }
}

/** What was thrown, with its class: `RangeError: out of range`. */
export function showCause(thrown: unknown): string {
  try {
    const message = messageOf(thrown);
    if (message === undefined) return showValue(thrown);
    const name: unknown = (thrown as { name?: unknown }).name;
    return typeof name === 'string' && name !== '' ? `${name}: ${message}` : message;
  } catch {
    return UNREADABLE;
  }
}

const UNREADABLE = 'a value that throws when it is looked at';

/** Errors of another realm are no instances of `Error` here. */
function messageOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { message } = thrown as { message?: unknown };
  return typeof message === 'string' ? message : undefined;
}
