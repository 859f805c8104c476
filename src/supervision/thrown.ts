/**
 * What was thrown, in words: for messages and logs.
 *
 * Anything can be thrown, also what can't be turned into a text (an object without a prototype, one whose fields
 * throw). Whoever reports a failure must not fail by it.
 */
import { showValue } from '../core/show-value.js';

/** The message of an error, or how another value shows; never throws. */
export function thrownText(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.message}` : String(thrown);
  } catch {
    return showValue(thrown);
  }
}

/** The value itself if it can be turned into a text, else an error that stands for it. */
export function printable(thrown: unknown): unknown {
  try {
    // The message of an error may be anything, whatever its type says.
    return typeof `${String(thrown)}${thrown instanceof Error ? thrown.message : ''}` === 'string' ? thrown : undefined;
  } catch {
    return new Error(`${showValue(thrown)} that can't be shown`);
  }
}
