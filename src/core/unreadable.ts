/** Fields whose getters throw, for walks that have to say which one it is, and go on. */
import { showCause } from './show-value.js';

/** Stands where the value of a field can't be had. */
export class Unreadable {
  /** What the getter threw. */
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }

  get fault(): string {
    return `a getter that throws ${showCause(this.cause)}`;
  }
}

/** What a walk over a value comes to whose getters throw, before it is known which one. */
export const UNREADABLE = 'a value that throws when it is looked at';

/** As `Object.entries`, with `Unreadable` for what can't be had. */
export function readableEntries(value: object): (readonly [key: string, field: unknown])[] {
  return Object.keys(value).map((key) => [key, fieldOf(value, key)]);
}

function fieldOf(value: object, key: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[key];
  } catch (error) {
    return new Unreadable(error);
  }
}
