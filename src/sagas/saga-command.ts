/**
 * One try to send a command of a saga: what the envelope says of it, and the sink of its outcome, in one object.
 *
 * The step that sends it decides what an outcome means (`command-step.ts`). Commands of sagas are never dropped:
 * they wait for room.
 */
import type { Expiring } from '../core/deadlines.js';
import type { EnvelopeFacts, ReplySink } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';

/** What a command is and where it goes. */
export interface CommandFacts {
  readonly target: string;
  readonly targetId: string;
  readonly type: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly priority: number | undefined;
}

/** Who hears of the outcome of a try. */
export interface CommandListener {
  taken(): void;
  replied(value: unknown, position: number, version: number): void;
  failed(error: TroupeError): void;
}

export class SagaCommand implements EnvelopeFacts, ReplySink, Expiring {
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly priority: number | undefined;
  readonly waits = true;
  settled = false;
  dueMs = 0;
  readonly #facts: CommandFacts;
  readonly #listener: CommandListener;
  readonly #timeoutMs: number;
  readonly #wantsReply: boolean;

  constructor(facts: CommandFacts, listener: CommandListener, timeoutMs: number, wantsReply: boolean) {
    this.commandId = facts.commandId;
    this.correlationId = facts.correlationId;
    this.causationId = facts.causationId;
    this.metadata = facts.metadata;
    this.priority = facts.priority;
    this.#facts = facts;
    this.#listener = listener;
    this.#timeoutMs = timeoutMs;
    this.#wantsReply = wantsReply;
  }

  /** What was told has an outcome, whatever it says. */
  get wantsReply(): boolean {
    return this.#wantsReply;
  }

  get sink(): ReplySink {
    return this;
  }

  taken(): void {
    if (!this.settled) this.#listener.taken();
  }

  reply(value: unknown, position: number, version: number): void {
    if (this.settled) return;
    this.settled = true;
    this.#listener.replied(value, position, version);
  }

  fail(error: TroupeError): void {
    if (this.settled) return;
    this.settled = true;
    this.#listener.failed(error);
  }

  expire(): void {
    const { target, targetId, type } = this.#facts;
    const timeoutMs = this.#timeoutMs;
    this.fail(
      new TroupeError(
        'TROUPE_ASK_TIMEOUT',
        `${target}/${targetId}: no reply to ${type} within ${timeoutMs} ms; give the ask of the saga a longer timeout, or ` +
          'more attempts by its option retry, if that is usual',
        { details: { target, id: targetId, type, timeoutMs } },
      ),
    );
  }
}
