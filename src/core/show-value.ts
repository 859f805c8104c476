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
