/** An ask under way: a promise, and the sink that settles it. */
import type { Expiring } from '../core/deadlines.js';
import type { ReplySink } from '../core/envelope.js';
import { continuations } from '../core/microtask.js';
import { TroupeError } from '../core/troupe-error.js';

export class PendingAsk implements ReplySink, Expiring {
  readonly wantsReply = true;
  readonly promise: Promise<unknown>;
  settled = false;
  dueMs = 0;
  readonly #target: string;
  readonly #targetId: string;
  readonly #type: string;
  readonly #timeoutMs: number;
  readonly #receipt: boolean;
  #resolve!: (value: unknown) => void;
  #reject!: (error: TroupeError) => void;

  /** @param receipt whether to resolve with `{ reply, position, version }` */
  constructor(target: string, targetId: string, type: string, timeoutMs: number, receipt: boolean) {
    this.#target = target;
    this.#targetId = targetId;
    this.#type = type;
    this.#timeoutMs = timeoutMs;
    this.#receipt = receipt;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  reply(value: unknown, position: number, version: number): void {
    this.settled = true;
    continuations.due = true;
    this.#resolve(this.#receipt ? { reply: value, position, version } : value);
  }

  fail(error: TroupeError): void {
    this.settled = true;
    continuations.due = true;
    this.#reject(error);
  }

  expire(): void {
    const target = this.#target;
    const targetId = this.#targetId;
    const type = this.#type;
    const timeoutMs = this.#timeoutMs;
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
