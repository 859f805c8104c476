/**
 * Answers: the way of every message out of an aggregate, exactly once each.
 *
 * Whoever waits is told; nobody waits for a message that was told, so that its failure is a dead letter. Counts what
 * is still open: `settled()` and `stop()` rest on that number.
 */
import type { DeadLetterSink } from '../core/dead-letter.js';
import type { Envelope } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Outcome } from '../journal/journal.js';
import { failEnvelope } from './undeliverable.js';

export class Answers {
  readonly #deadLetters: DeadLetterSink;
  #open = 0;
  #given = 0;

  constructor(deadLetters: DeadLetterSink) {
    this.#deadLetters = deadLetters;
  }

  /** Messages that have no answer yet. */
  get open(): number {
    return this.#open;
  }

  /** Messages that have got one. */
  get given(): number {
    return this.#given;
  }

  /** A message has come. */
  expect(): void {
    this.#open += 1;
  }

  /** Its sender has taken it back. */
  withdraw(): void {
    this.#open -= 1;
  }

  reply(envelope: Envelope, reply: unknown, position: number, version: number): void {
    this.#count();
    envelope.sink?.reply(reply, position, version);
  }

  fail(envelope: Envelope, error: TroupeError): void {
    this.#count();
    failEnvelope(this.#deadLetters, envelope, error);
  }

  /** The outcome of a command, for the first who sent it as for those who repeated it. */
  outcome(envelope: Envelope, outcome: Outcome): void {
    if (outcome.kind === 'reply') return this.reply(envelope, outcome.reply, outcome.position, outcome.version);
    const { reason, message } = outcome;
    // Written by `decide` as plain data.
    const details = outcome.details as Readonly<Record<string, unknown>>;
    this.fail(envelope, new TroupeError('TROUPE_REJECTED', message, { reason, details }));
  }

  #count(): void {
    this.#open -= 1;
    this.#given += 1;
  }
}
