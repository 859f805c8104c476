/**
 * A send under way: resolves when the mailbox has taken the message.
 *
 * What goes wrong afterwards is nobody's who waits: it becomes a dead letter, as with tell.
 */
import type { Expiring } from '../core/deadlines.js';
import type { Envelope, ReplySink } from '../core/envelope.js';
import { continuations } from '../core/microtask.js';
import { TroupeError } from '../core/troupe-error.js';

/** What a send needs of the world. */
export interface SendSurroundings {
  /** Takes the message back if it still waits for room. */
  withdraw(envelope: Envelope): boolean;
  /** Makes a dead letter of a message that was taken and then failed. */
  undelivered(envelope: Envelope, error: TroupeError): void;
}

export class PendingSend implements ReplySink, Expiring {
  readonly wantsReply = false;
  readonly promise: Promise<void>;
  settled = false;
  dueMs = 0;
  readonly #around: SendSurroundings;
  readonly #timeoutMs: number;
  #envelope: Envelope | undefined;
  #resolve!: () => void;
  #reject!: (error: TroupeError) => void;

  constructor(around: SendSurroundings, timeoutMs: number) {
    this.#around = around;
    this.#timeoutMs = timeoutMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The message that this is the sink of. */
  of(envelope: Envelope): void {
    this.#envelope = envelope;
  }

  taken(): void {
    this.settled = true;
    continuations.due = true;
    this.#resolve();
  }

  reply(): void {
    this.taken();
  }

  fail(error: TroupeError): void {
    if (this.settled) {
      if (this.#envelope !== undefined) this.#around.undelivered(this.#envelope, error);
      return;
    }
    this.settled = true;
    this.#reject(error);
  }

  expire(): void {
    const envelope = this.#envelope;
    if (envelope === undefined || !this.#around.withdraw(envelope)) return;
    this.settled = true;
    const { target, targetId, type } = envelope;
    this.#reject(
      new TroupeError(
        'TROUPE_MAILBOX_FULL',
        `${target}/${targetId}: no room for ${type} in the mailbox within ${this.#timeoutMs} ms; send less at a time, or later`,
        { details: { target, id: targetId, type, timeoutMs: this.#timeoutMs } },
      ),
    );
  }
}
