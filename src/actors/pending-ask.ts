/** An ask under way: a promise, and the sink that settles it. */
import type { Expiring } from '../core/deadlines.js';
import type { ReplySink } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';

/** Facts for the message of a timeout. */
export interface AskFacts {
  readonly target: string;
  readonly targetId: string;
  readonly type: string;
  readonly timeoutMs: number;
  /** Whether to resolve with `{ reply, position, version }`. */
  readonly receipt: boolean;
}

export class PendingAsk implements ReplySink, Expiring {
  readonly wantsReply = true;
  readonly promise: Promise<unknown>;
  settled = false;
  readonly #facts: AskFacts;
  #resolve!: (value: unknown) => void;
  #reject!: (error: TroupeError) => void;

  constructor(facts: AskFacts) {
    this.#facts = facts;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  reply(value: unknown, position: number, version: number): void {
    this.settled = true;
    this.#resolve(this.#facts.receipt ? { reply: value, position, version } : value);
  }

  fail(error: TroupeError): void {
    this.settled = true;
    this.#reject(error);
  }

  expire(): void {
    const { target, targetId, type, timeoutMs } = this.#facts;
    this.fail(
      new TroupeError(
        'TROUPE_ASK_TIMEOUT',
        `${target}/${targetId}: no reply to ${type} within ${timeoutMs} ms; it may still be handled: give the ask a longer ` +
          'timeout, or ask again (an aggregate handles a repeat with the same command id once, a plain actor twice)',
        { details: { target, id: targetId, type, timeoutMs } },
      ),
    );
  }
}
