/**
 * One command of a reaction: what the envelope says of it, and the sink of its outcome, in one object.
 *
 * Hot path: this object and the envelope are all that a told command costs; an asked one adds its promise. Who
 * decides what an outcome means for the event is the attempt (`reaction-attempt.ts`).
 */
import type { Expiring } from '../core/deadlines.js';
import type { Envelope, EnvelopeFacts, ReplySink } from '../core/envelope.js';
import { TroupeError } from '../core/troupe-error.js';
import { AnswerPromise } from './answer-promise.js';

/** What the commands of one attempt tell it. */
export interface CommandOwner {
  /** A command has an outcome, and nothing is left to say about it. */
  succeeded(): void;
  /** A command that nobody waits for was rejected or has failed. */
  failed(command: ReactionCommand, error: TroupeError): void;
  /** An ask was rejected or has failed; its promise is rejected already. */
  askFailed(command: AskedCommand, error: TroupeError): void;
}

/** Facts of a command, complete. */
export interface CommandFacts {
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly priority: number | undefined;
}

/** A told command; the base of the other two. */
export class ReactionCommand implements EnvelopeFacts, ReplySink, CommandFacts {
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly priority: number | undefined;
  /** Commands of reactions are never dropped: they wait for room. */
  readonly waits = true;
  /** Set before delivery; gone when settled, so that whoever still holds the sink holds no payload. */
  envelope: Envelope | undefined;
  settled = false;
  protected readonly owner: CommandOwner;

  constructor(owner: CommandOwner, facts: CommandFacts) {
    this.owner = owner;
    this.commandId = facts.commandId;
    this.correlationId = facts.correlationId;
    this.causationId = facts.causationId;
    this.metadata = facts.metadata;
    this.priority = facts.priority;
  }

  get wantsReply(): boolean {
    return false;
  }

  get sink(): ReplySink {
    return this;
  }

  reply(_value: unknown, _position: number, _version: number): void {
    if (this.settled) return;
    this.settled = true;
    this.envelope = undefined;
    this.owner.succeeded();
  }

  fail(error: TroupeError): void {
    if (this.settled) return;
    this.settled = true;
    this.owner.failed(this, error);
    this.envelope = undefined;
  }
}

/** A sent command: told, and the handler may wait until the mailbox has taken it. */
export class SentCommand extends ReactionCommand {
  readonly promise: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: TroupeError) => void;

  constructor(owner: CommandOwner, facts: CommandFacts) {
    super(owner, facts);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  taken(): void {
    this.#resolve();
  }

  override reply(value: unknown, position: number, version: number): void {
    this.#resolve();
    super.reply(value, position, version);
  }

  override fail(error: TroupeError): void {
    // The attempt judges it in any case; whether the handler waits or not, this is no unhandled rejection.
    this.promise.catch(ignore);
    this.#reject(error);
    super.fail(error);
  }
}

/** An asked command. */
export class AskedCommand extends ReactionCommand implements Expiring {
  readonly promise: AnswerPromise<unknown>;
  readonly timeoutMs: number;
  dueMs = 0;
  readonly #receipt: boolean;
  #resolve!: (value: unknown) => void;
  #reject!: (error: TroupeError) => void;

  /** @param receipt whether to resolve with `{ reply, position, version }` */
  constructor(owner: CommandOwner, facts: CommandFacts, timeoutMs: number, receipt: boolean) {
    super(owner, facts);
    this.timeoutMs = timeoutMs;
    this.#receipt = receipt;
    this.promise = new AnswerPromise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  override get wantsReply(): boolean {
    return true;
  }

  override reply(value: unknown, position: number, version: number): void {
    if (!this.settled) this.#resolve(this.#receipt ? { reply: value, position, version } : value);
    super.reply(value, position, version);
  }

  override fail(error: TroupeError): void {
    if (this.settled) return;
    this.settled = true;
    if (!this.promise.observed) this.promise.quieten();
    this.#reject(error);
    this.owner.askFailed(this, error);
  }

  expire(): void {
    const { target = '', targetId = '', type = '' } = this.envelope ?? {};
    const { timeoutMs } = this;
    this.fail(
      new TroupeError(
        'TROUPE_ASK_TIMEOUT',
        `${target}/${targetId}: no reply to ${type} within ${timeoutMs} ms; the next attempt asks with the same command ` +
          'id and joins this one; give the ask a longer timeout if that is usual',
        { details: { target, id: targetId, type, timeoutMs } },
      ),
    );
  }
}

function ignore(): void {
  // The attempt knows of it.
}
