/**
 * The one error class of Troupe: a stable code, the facts as fields, the cause kept.
 *
 * Branch on `code`, never on the text, and never on `instanceof`: an error that crossed a thread is built anew,
 * and two copies of the package have two classes. The text says what happened, to whom, and what to do.
 */

/** Every code that an error of Troupe can have. */
export type TroupeErrorCode =
  | 'TROUPE_ASK_TIMEOUT'
  | 'TROUPE_MAILBOX_FULL'
  | 'TROUPE_REJECTED'
  | 'TROUPE_ACTOR_STOPPED'
  | 'TROUPE_ACTOR_FAILED'
  | 'TROUPE_UNKNOWN_ACTOR'
  | 'TROUPE_UNKNOWN_MESSAGE'
  | 'TROUPE_INVALID_MESSAGE'
  | 'TROUPE_INVALID_EVENT'
  | 'TROUPE_NOT_SERIALIZABLE'
  | 'TROUPE_VERSION_CONFLICT'
  | 'TROUPE_COMMAND_ID_REUSED'
  | 'TROUPE_WORKER_LOST'
  | 'TROUPE_SYSTEM_STOPPED'
  | 'TROUPE_INVALID_OPTIONS'
  | 'TROUPE_JOURNAL_LOCKED'
  | 'TROUPE_JOURNAL_CORRUPT'
  | 'TROUPE_JOURNAL_WRITE_FAILED'
  | 'TROUPE_UPCAST_MISSING'
  | 'TROUPE_SAGA_DIVERGED'
  | 'TROUPE_SAGA_TIMEOUT'
  | 'TROUPE_SAGA_CANCELLED';

/** The facts of an error beside its code and message. */
export interface TroupeErrorFacts {
  /** Numbers, names and paths for programs; plain data, so that it crosses threads. Default: none. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** The reason of a business refusal, as given to `ctx.reject`. */
  readonly reason?: string | undefined;
  /** What led to this error. */
  readonly cause?: unknown;
}

/**
 * An error of the runtime, or a business refusal (`TROUPE_REJECTED`, with its `reason`).
 *
 * Keeps code, message, details, reason and cause across threads and in the journal.
 *
 * @example
 * try {
 *   await system.ref(order, '42').ask('create', input);
 * } catch (error) {
 *   if (isTroupeError(error, 'TROUPE_REJECTED')) console.log(error.reason); // 'order-exists'
 *   else throw error;
 * }
 */
export class TroupeError<Code extends TroupeErrorCode = TroupeErrorCode> extends Error {
  /** What kind of error this is; stable between releases. */
  readonly code: Code;
  /** Facts for programs, frozen; empty when there are none. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Why the command was refused; only with `TROUPE_REJECTED`. */
  declare readonly reason?: string;

  constructor(code: Code, message: string, facts: TroupeErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.details = Object.freeze({ ...facts.details });
    if (facts.reason !== undefined) this.reason = facts.reason;
  }
}

// On the prototype, as with the built-in errors: it is then no own field that would show up in logs and comparisons.
Object.defineProperty(TroupeError.prototype, 'name', { value: 'TroupeError', configurable: true, writable: true });

/**
 * Whether a value is a `TroupeError`, and if a code is given, one with that code.
 *
 * Looks at name and code only, so it also holds for an error from another thread or another copy of the package.
 *
 * @example
 * if (isTroupeError(error, 'TROUPE_ASK_TIMEOUT')) retryLater();
 */
export function isTroupeError<Code extends TroupeErrorCode = TroupeErrorCode>(
  value: unknown,
  code?: Code,
): value is TroupeError<Code> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    // Reading a field of an object as unknown is safe.
    const found = value as { readonly name?: unknown; readonly code?: unknown };
    return found.name === 'TroupeError' && (code === undefined ? typeof found.code === 'string' : found.code === code);
  } catch {
    // Anything can be thrown, also what throws when it is looked at.
    return false;
  }
}
