/**
 * What a test expects of a command: chained, and checked at once, or when an asynchronous handler has finished.
 *
 * A failed expectation is an `AssertionError` of `node:assert`, which every test framework knows how to show. With a
 * synchronous handler it is thrown by the expectation itself. With an asynchronous one the chain rejects with it: await
 * the chain; where that is forgotten, the rejection is unhandled and fails the run all the same.
 */
import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import type { EventsOf, RuntimeAggregate } from '../actors/aggregate-definition.js';
import { copyJson } from '../core/json-value.js';
import { showCause } from '../core/show-value.js';
import type { TroupeError, TroupeErrorCode } from '../core/troupe-error.js';
import type { CommandOutcome } from './command-outcome.js';
import { difference, shown } from './difference.js';

/** An event that a command is expected to emit. */
export type ExpectedEvent<D extends RuntimeAggregate> = {
  readonly [Type in keyof EventsOf<D> & string]: { readonly type: Type; readonly data: EventsOf<D>[Type] };
}[keyof EventsOf<D> & string];

/**
 * The outcome of a command, to be checked. May be awaited, and then resolves with the outcome.
 *
 * @typeParam D the aggregate's definition.
 * @typeParam Reply what the command replies.
 */
export class Expectations<D extends RuntimeAggregate, Reply> implements PromiseLike<CommandOutcome> {
  readonly #what: string;
  #outcome: CommandOutcome | undefined;
  #later: Promise<CommandOutcome> | undefined;

  /** @param what names the command in messages, such as `order/test: create` */
  constructor(what: string, outcome: CommandOutcome | Promise<CommandOutcome>) {
    this.#what = what;
    if (outcome instanceof Promise) this.#later = outcome;
    else this.#outcome = outcome;
  }

  /**
   * Exactly these events, in this order: types and data, compared deeply as the JSON they are stored as. Without
   * arguments: no events.
   */
  expect(...events: readonly ExpectedEvent<D>[]): this {
    return this.#check((outcome) => {
      const expected = events.map((event) => ({ type: event.type, data: asJson(event.data, event.type) }));
      this.#succeeded(outcome, expected, 'events');
      this.#equal(outcome.events, expected, 'the events are not those expected');
    });
  }

  /** That the command was refused with this reason (`ctx.reject`), and so without events. */
  expectRejected(reason: string): this {
    return this.#check(({ events, rejection, failure }) => {
      if (failure !== undefined)
        throw this.#failure(`expected a rejection '${reason}', but it failed`, failure, reason);
      const found = rejection?.reason;
      if (found === reason) return;
      if (rejection === undefined) {
        const text = `expected a rejection '${reason}', but it was accepted with ${shown(events)}`;
        throw this.#assertion(text, undefined, reason);
      }
      throw this.#assertion(`the rejection is '${found}' (${rejection.message}), expected '${reason}'`, found, reason);
    });
  }

  /** That this is the reply, compared deeply; undefined for a command without one. */
  expectReply(value: Reply): this {
    return this.#check((outcome) => {
      const expected = value === undefined ? undefined : asJson(value, 'the reply');
      this.#succeeded(outcome, expected, 'a reply');
      this.#equal(outcome.reply, expected, 'the reply is not the one expected');
    });
  }

  /** That the command failed with an error of this code, such as `TROUPE_INVALID_MESSAGE` or `TROUPE_ACTOR_FAILED`. */
  expectFailed(code: TroupeErrorCode): this {
    return this.#check(({ events, rejection, failure }) => {
      if (failure?.code === code) return;
      if (failure !== undefined) throw this.#failure(`expected ${code}, but it failed otherwise`, failure, code);
      const found =
        rejection === undefined ? `was accepted with ${shown(events)}` : `was rejected '${rejection.reason}'`;
      throw this.#assertion(`expected ${code}, but it ${found}`, undefined, code);
    });
  }

  // oxlint-disable-next-line unicorn/no-thenable -- so that one `await` serves synchronous and asynchronous handlers
  then<Fulfilled = CommandOutcome, Rejected = never>(
    fulfilled?: ((outcome: CommandOutcome) => Fulfilled | PromiseLike<Fulfilled>) | null,
    rejected?: ((error: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.#settled().then(fulfilled, rejected);
  }

  #settled(): Promise<CommandOutcome> {
    if (this.#later !== undefined) return this.#later;
    // One of the two is always there.
    return Promise.resolve(this.#outcome as CommandOutcome);
  }

  #check(check: (outcome: CommandOutcome) => void): this {
    if (this.#outcome !== undefined) check(this.#outcome);
    else {
      this.#later = this.#settled().then((outcome) => {
        check(outcome);
        return outcome;
      });
    }
    return this;
  }

  #succeeded({ rejection, failure }: CommandOutcome, expected: unknown, what: string): void {
    if (failure !== undefined) throw this.#failure(`expected ${what}, but it failed`, failure, expected);
    if (rejection === undefined) return;
    const text = `expected ${what}, but it was rejected '${rejection.reason}' (${rejection.message})\nexpected\n${indented(expected)}`;
    throw this.#assertion(text, undefined, expected);
  }

  #equal(actual: unknown, expected: unknown, message: string): void {
    if (isDeepStrictEqual(actual, expected)) return;
    const where = difference(actual, expected);
    const text = `${message}: ${where}\nexpected\n${indented(expected)}\nactual\n${indented(actual)}`;
    throw this.#assertion(text, actual, expected);
  }

  #failure(text: string, error: TroupeError, expected: unknown): AssertionError {
    const cause = error.cause === undefined ? '' : ` (${showCause(error.cause)})`;
    const assertion = this.#assertion(`${text}: ${error.code}: ${error.message}${cause}`, error.code, expected);
    assertion.cause = error;
    return assertion;
  }

  #assertion(text: string, actual: unknown, expected: unknown): AssertionError {
    const message = `${this.#what}: ${text}`;
    return new AssertionError({ message, actual, expected, operator: 'deepStrictEqual' });
  }
}

/** What is expected is compared in the form in which it would be stored. */
function asJson(value: unknown, where: string): unknown {
  return copyJson(value, `expected: ${where}`);
}

function indented(value: unknown): string {
  return shown(value).replace(/^/gm, '  ');
}
