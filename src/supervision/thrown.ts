/**
 * What was thrown, in words: for messages and logs.
 *
 * Anything can be thrown, also what can't be turned into a text (an object without a prototype, one whose fields
 * throw). Whoever reports a failure must not fail by it.
 */
import { showValue } from '../core/show-value.js';

/** The message of an error, or how another value shows; never throws. */
export function thrownText(thrown: unknown): string {
  return textOf(thrown) ?? showValue(thrown);
}

/** The value itself if it can be turned into a text, else an error that stands for it. */
export function printable(thrown: unknown): unknown {
  return textOf(thrown) === undefined ? new Error(`${showValue(thrown)} that can't be shown`) : thrown;
}

function textOf(thrown: unknown): string | undefined {
  try {
    // The message of an error may be anything, whatever its type says.
    const shown: unknown = thrown instanceof Error ? thrown.message : thrown;
    return String(shown);
  } catch {
    return undefined;
  }
}
