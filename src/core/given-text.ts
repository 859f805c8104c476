/**
 * What may be an id or another text that goes into the journal: not empty, and one that UTF-8 can hold.
 *
 * Half of a surrogate pair can't be stored or sent: it would come back as U+FFFD, and two ids as one.
 */

/** JavaScript may pass anything. */
export function isGivenText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && isWellFormed(value);
}

/** Whether a text has no half of a surrogate pair in it. */
export function isWellFormed(text: string): boolean {
  // All Node versions that we run on have it; the types of their year don't.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** What to give instead. */
export const GIVEN_TEXT = 'give a text that is not empty, and has no half of a surrogate pair in it';
