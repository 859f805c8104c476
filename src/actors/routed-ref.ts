/**
 * The reference behind `ActorRef`: a name, an id, and the post office that messages go through.
 *
 * It rests on no instance, so that it stays true when the instance leaves memory, restarts or moves. It does remember
 * the cell of a plain actor that it has found on its own thread, until that one closes: then a plain message goes
 * straight into the mailbox, and what is looked up by name for every other message is not. Hot path: suite `mailbox`.
 */
import { suggestion } from '../core/did-you-mean.js';
import type { Deadlines } from '../core/deadlines.js';
import { parseDuration } from '../core/duration.js';
import { Envelope, type EnvelopeFacts, type Post, type ReplySink } from '../core/envelope.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { withMovedBuffers } from './moved-buffers.js';
import { readMetadata } from '../core/metadata.js';
import { requireOptions } from '../core/option-reader.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { ActorCell } from './actor-cell.js';
import type { RuntimeRef } from './actor-ref.js';
import type { MessageSource } from './actor-surroundings.js';
import type { AskOptions, MessageOptions } from './message-options.js';
import { PendingAsk } from './pending-ask.js';
import { PendingSend, type SendSurroundings } from './pending-send.js';

/** Marks references, also those of another copy of this package. */
export const REF_BRAND: unique symbol = Symbol.for('troupe.ref');

/** What a reference needs of the thread it is used on. */
export interface RefSurroundings extends SendSurroundings {
  readonly post: Post;
  readonly deadlines: Deadlines;
  readonly askTimeoutMs: number;
  isQuery(target: string, type: string): boolean;
  /** The plain actor, if it lives on this thread. Default: none does. */
  readonly nearby?: ((name: string, id: string) => ActorCell | undefined) | undefined;
  stop(target: string, targetId: string): Promise<void>;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'id',
  'timeout',
  'priority',
  'correlationId',
  'metadata',
  'receipt',
  'transfer',
]);

export class RoutedRef implements RuntimeRef {
  readonly name: string;
  readonly id: string;
  readonly #around: RefSurroundings;
  readonly #source: MessageSource | undefined;
  /** The instance, if it is a plain actor of this thread and a message has found it there. */
  #cell: ActorCell | undefined;

  /** @param source in whose name it sends; undefined: nobody's */
  constructor(around: RefSurroundings, name: string, id: string, source?: MessageSource) {
    this.#around = around;
    this.#source = source;
    this.name = name;
    this.id = id;
  }

  get [REF_BRAND](): true {
    return true;
  }

  equals(other: unknown): boolean {
    // JavaScript may pass anything; reading a field of an object as unknown is safe.
    const { name, id } = Object(other) as { readonly name?: unknown; readonly id?: unknown };
    return name === this.name && id === this.id;
  }

  tell(type: string, payload?: unknown, options?: MessageOptions): void {
    const cell = options === undefined ? this.#nearby() : undefined;
    if (cell?.takesPlainly(type, payload) === true) {
      const inherited = this.#source?.inherited;
      if (cell.acceptPlain(type, payload, inherited)) return;
      return cell.accept(new Envelope(this.name, this.id, type, payload, inherited, undefined));
    }
    this.#refuseQuery(type, 'tell');
    const { post } = this.#around;
    post.deliver(this.#address(type, payload, options, false));
  }

  // The body of an async function turns what the sender sees at once into a rejection.
  async send(type: string, payload?: unknown, options?: MessageOptions): Promise<void> {
    this.#refuseQuery(type, 'send');
    const { post, deadlines } = this.#around;
    const timeoutMs = this.#timeoutMs(options);
    const pending = new PendingSend(this.#around, timeoutMs);
    const envelope = this.#address(type, payload, options, true, pending);
    pending.of(envelope);
    post.deliver(envelope);
    if (!pending.settled) deadlines.add(pending, timeoutMs);
    return pending.promise;
  }

  // Not async: a second promise for each ask would cost as much as the rest of it.
  ask(type: string, payload?: unknown, options?: AskOptions): Promise<unknown> {
    try {
      return this.#ask(type, payload, options);
    } catch (error) {
      // What the sender sees at once is a TroupeError, or what a getter of its options threw.
      return Promise.reject(
        error instanceof Error ? error : new TroupeError('TROUPE_INVALID_MESSAGE', showValue(error)),
      );
    }
  }

  #ask(type: string, payload: unknown, options: AskOptions | undefined): Promise<unknown> {
    const { post, deadlines } = this.#around;
    const timeoutMs = this.#timeoutMs(options);
    const receipt = options?.receipt === true;
    const pending = new PendingAsk(this.name, this.id, type, timeoutMs, receipt);
    const cell = options === undefined ? this.#nearby() : undefined;
    if (cell?.takesPlainly(type, payload) === true) {
      cell.accept(new Envelope(this.name, this.id, type, payload, this.#source?.inherited, pending));
    } else {
      post.deliver(this.#address(type, payload, options, false, pending));
    }
    if (!pending.settled) deadlines.add(pending, timeoutMs);
    return pending.promise;
  }

  /** The cell that a message can go straight to. */
  #nearby(): ActorCell | undefined {
    if (this.#around.post.closed) return undefined;
    const known = this.#cell;
    if (known !== undefined && !known.closed) return known;
    // None yet, or it ends, and another one may have come to life under its name.
    this.#cell = this.#around.nearby?.(this.name, this.id);
    return this.#cell;
  }

  stop(): Promise<void> {
    return this.#around.stop(this.name, this.id);
  }

  toString(): string {
    return `${this.name}/${this.id}`;
  }

  #address(
    type: string,
    payload: unknown,
    options: MessageOptions | undefined,
    waits: boolean,
    sink?: ReplySink,
  ): Envelope {
    const { post } = this.#around;
    const facts = this.#facts(options, waits);
    const envelope = post.address(this.name, this.id, type, payload, facts, sink);
    if (options?.transfer === undefined) return envelope;
    // Nothing that the sender can see is wrong with it: now its buffers may go.
    const moved = withMovedBuffers(payload, options.transfer, `${this.name}/${this.id}: ${type}`);
    return post.address(this.name, this.id, type, moved, facts, sink);
  }

  #timeoutMs(options: MessageOptions | undefined): number {
    if (options?.timeout === undefined) return this.#around.askTimeoutMs;
    return parseDuration(options.timeout, 'options.timeout', { infinite: true });
  }

  #facts(options: MessageOptions | undefined, waits: boolean): EnvelopeFacts | undefined {
    const inherited = this.#source?.inherited;
    if (options === undefined && !waits) return inherited;
    if (options !== undefined) {
      requireOptions(`${this.name}/${this.id}`, options);
      for (const key in options) if (!OPTIONS.has(key)) throw this.#unknownOption(key);
    }
    const metadata = options?.metadata;
    const priority = options?.priority;
    if (priority !== undefined && (typeof priority !== 'number' || Number.isNaN(priority))) {
      throw this.#refusal('priority', priority, 'give a number');
    }
    return {
      commandId: this.#text('id', options?.id),
      correlationId: this.#text('correlationId', options?.correlationId) ?? inherited?.correlationId,
      causationId: inherited?.causationId,
      metadata:
        metadata === undefined
          ? inherited?.metadata
          : { ...inherited?.metadata, ...readMetadata(metadata, `${this.name}/${this.id}: options.metadata`) },
      priority,
      waits,
      sender: inherited?.sender,
    };
  }

  /** JavaScript may pass anything, and ids go into the journal. */
  #text(key: string, value: string | undefined): string | undefined {
    if (value === undefined || isGivenText(value)) return value;
    throw this.#refusal(key, value, GIVEN_TEXT);
  }

  #refusal(key: string, value: unknown, advice: string): TroupeError {
    return new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${this.name}/${this.id}: options.${key} is ${showValue(value)}; ${advice}`,
    );
  }

  #unknownOption(key: string): TroupeError {
    return new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${this.name}/${this.id}: unknown option "${key}"${suggestion(key, OPTIONS) || `; known are ${[...OPTIONS].join(', ')}`}`,
      { details: { option: key } },
    );
  }

  #refuseQuery(type: string, how: string): void {
    if (!this.#around.isQuery(this.name, type)) return;
    throw new TroupeError(
      'TROUPE_UNKNOWN_MESSAGE',
      `${this.name}/${this.id}: ${type} is a query, which only makes sense with ask(), not with ${how}()`,
      { details: { target: this.name, id: this.id, type } },
    );
  }
}

/** Whether a value is a reference. */
export function isRef(value: unknown): value is { readonly name: string; readonly id: string } {
  return typeof value === 'object' && value !== null && REF_BRAND in value;
}
