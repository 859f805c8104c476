/** How a value looks in a line of the log: in full where it can be, and never a throw of its own. */
import { inspect } from 'node:util';
import { showCause, showValue } from './show-value.js';
import { isTroupeError } from './troupe-error.js';

/** A value as text: texts as they are, errors with the place that threw them, the rest as JSON if it has that form. */
export function loggedValue(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (isTroupeError(value)) return `${value.code}: ${value.message}`;
    // The stack of a stranger's error leads to the line that threw it.
    if (value instanceof Error) return typeof value.stack === 'string' ? value.stack : showCause(value);
    if (typeof value === 'function') return showValue(value);
    return JSON.stringify(value) ?? String(value);
  } catch {
    return unusual(value);
  }
}

/** What has no form as JSON, such as cycles and integers without limit. */
function unusual(value: unknown): string {
  try {
    return inspect(value, { breakLength: Infinity, compact: true });
  } catch {
    return showValue(value);
  }
}
