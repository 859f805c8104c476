/**
 * The context that an actor's code gets: thin, every method leads to the part of the runtime that does the work.
 *
 * One object for the whole time of an instance, restarts included; what belongs to one life is asked of the life
 * under way. References made here send in the name of the actor, and pass on what the message being handled has
 * inherited.
 */
import { Observable, takeUntil } from 'rxjs';
import { suggestion } from '../core/did-you-mean.js';
import { Envelope, type EnvelopeFacts } from '../core/envelope.js';
import type { Logger } from '../core/logger.js';
import { OptionReader } from '../core/option-reader.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { safeLogger } from '../core/safe-logger.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { ActorCell } from './actor-cell.js';
import { reminderName, type ReminderRequest, reminderTimer } from '../timers/reminder.js';
import type { ReminderTiming } from '../timers/reminder-timing.js';
import type { ReminderPost } from '../timers/reminders.js';
import type { ActorContext, ScheduledMessage, ScheduleTiming, SpawnArgs } from './actor-context.js';
import { readReceive, type RuntimeActor, type RuntimeHandler } from './actor-definition.js';
import { failedHandling, stopped } from './actor-fault.js';
import type { ActorLife } from './actor-life.js';
import type { Receive } from './actor-options.js';
import type { ActorRef, Addressable } from './actor-ref.js';
import type { ActorSurroundings, MessageSource } from './actor-surroundings.js';
import { type InstanceAddress, keyOf } from './signal.js';
import { toDeadLetters } from './undeliverable.js';

export class ActorCellContext implements ActorContext, MessageSource {
  readonly #cell: ActorCell;
  readonly #around: ActorSurroundings;
  #self: ActorRef<RuntimeActor> | undefined;
  #log: Logger | undefined;
  #lastSender: InstanceAddress | undefined;
  #toLastSender: ActorRef | undefined;
  /** What messages carry that inherit nothing: shared by all of them. */
  #original: EnvelopeFacts | undefined;

  constructor(cell: ActorCell, around: ActorSurroundings) {
    this.#cell = cell;
    this.#around = around;
  }

  get self(): ActorRef<RuntimeActor> {
    this.#self ??= this.refTo(this.#cell);
    return this.#self;
  }

  get parent(): ActorRef<RuntimeActor> | null {
    const { parent } = this.#cell.cycle;
    return parent === undefined ? null : this.refTo(parent);
  }

  get sender(): ActorRef | null {
    const sender = addressOf(this.#cell.currentFacts?.sender);
    if (sender === undefined) return null;
    // The same one often sends again.
    if (sender !== this.#lastSender || this.#toLastSender === undefined) {
      this.#lastSender = sender;
      this.#toLastSender = this.refTo(sender);
    }
    return this.#toLastSender;
  }

  /** What the messages sent through references of this context inherit. */
  get inherited(): EnvelopeFacts {
    const current = this.#cell.currentFacts;
    const correlationId = current?.correlationId ?? current?.commandId;
    const causationId = current?.causationId ?? undefined;
    const metadata = current?.metadata;
    if (this.#original === undefined) {
      const { name, id } = this.#cell;
      this.#original = { correlationId: undefined, causationId: undefined, metadata: undefined, sender: { name, id } };
    }
    if (correlationId === undefined && causationId === undefined && metadata === undefined) return this.#original;
    return { correlationId, causationId, metadata, sender: this.#original.sender };
  }

  /** A reference that sends in the name of this actor; for actors, as every reference here is typed by the caller. */
  refTo({ name, id }: InstanceAddress): ActorRef<RuntimeActor> {
    // `RuntimeRef` is what stands behind every ActorRef.
    return this.#around.makeRef(name, id, this) as unknown as ActorRef<RuntimeActor>;
  }

  spawn<D extends RuntimeActor>(definition: D, ...[options]: SpawnArgs<D>): ActorRef<D> {
    const { family } = this.#cell.cycle;
    if (family === undefined) throw stopped(this.#cell);
    // Both forms of the options have these two fields.
    const request = (options === undefined ? {} : options) as { readonly id?: string; readonly args?: unknown };
    // Its constructor refuses what is no object, and what isn't known.
    void new OptionReader(`${keyOf(this.#cell)}: spawn`, request, ['id', 'args']);
    const child = this.#around.spawn({ definition, id: request.id, args: request.args }, (address) => ({
      by: family.owner,
      ordinal: family.add(address),
    }));
    return this.refTo(child) as ActorRef<D>;
  }

  stop(ref?: ActorRef<RuntimeActor>): void {
    const { name, id } = this.#cell;
    this.#around.signals.signal(ref === undefined ? { name, id } : this.#actorAt(ref, 'stop'), { kind: 'stop' });
  }

  watch(ref: ActorRef<RuntimeActor>): void {
    this.#cell.cycle.watch.watch(this.#actorAt(ref, 'watch'));
  }

  unwatch(ref: ActorRef<RuntimeActor>): void {
    this.#cell.cycle.watch.unwatch(this.#actorAt(ref, 'unwatch'));
  }

  ref<D extends Addressable>(definition: D, id: string): ActorRef<D> {
    const { name } = fieldsOf(definition);
    if (typeof name !== 'string') {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `${keyOf(this.#cell)}: ref of ${showValue(definition)}; give a definition made by actor() or aggregate()`,
      );
    }
    // The definition says of which type the reference is.
    return this.refTo({ name, id }) as unknown as ActorRef<D>;
  }

  become(receive: Receive<unknown>): void {
    const where = `${keyOf(this.#cell)}: become`;
    const handlers: ReadonlyMap<string, RuntimeHandler> = readReceive(new OptionReader(where, receive));
    const known = this.#cell.definition.options.receive;
    for (const type of handlers.keys()) {
      if (known.has(type)) continue;
      this.log.warn(
        `${where}: nobody can send ${type}, because receive doesn't name it${suggestion(type, known.keys())}`,
      );
    }
    this.#life('become')?.become(handlers);
  }

  unbecome(): void {
    this.#cell.cycle.life?.unbecome();
  }

  stash(): void {
    if (this.#cell.stash()) return;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${keyOf(this.#cell)}: stash() outside of the handling of a message`,
    );
  }

  unstashAll(): void {
    this.#cell.unstashAll();
  }

  schedule(type: string, payload: unknown, timing: ScheduleTiming): ScheduledMessage {
    const { name, id } = this.#cell;
    this.#life('schedule');
    // Checked once, at the call, where a mistake can be seen.
    const checked = this.#around.post.address(name, id, type, payload, { sender: { name, id } });
    const tick = (): Envelope => new Envelope(name, id, type, checked.payload, checked);
    return this.#cell.timers.schedule(tick, timing, `${keyOf(this.#cell)}: schedule ${type}`);
  }

  remind(name: string, type: string, payload: unknown, timing: ReminderTiming): Promise<void> {
    const { name: target, id: targetId, cycle } = this.#cell;
    // Checked here, where a mistake can be seen.
    this.#around.post.address(target, targetId, type, payload, undefined);
    const wake = cycle.parent === undefined ? { args: this.#cell.args() } : undefined;
    const request: ReminderRequest = { target, targetId, name, type, payload, timing, wake, ...this.#trace };
    reminderTimer(request, this.now(), '');
    return this.#watched(name, this.#reminders.remind(request));
  }

  forget(name: string): Promise<void> {
    const { name: target, id: targetId } = this.#cell;
    const known = reminderName({ target, targetId, name });
    return this.#watched(known, this.#reminders.forget(target, targetId, known));
  }

  pipeToSelf(promise: PromiseLike<unknown>, type: string): void {
    const life = this.#life('pipeToSelf');
    const { name, id } = this.#cell;
    const { receive } = this.#cell.definition.options;
    if (!receive.has(type)) {
      throw new TroupeError(
        'TROUPE_UNKNOWN_MESSAGE',
        `${keyOf(this.#cell)}: pipeToSelf to ${type}, which there is no handler for${suggestion(type, receive.keys())}`,
        { details: { target: name, id, type } },
      );
    }
    Promise.resolve(promise)
      .then((value) => {
        // It has waited long enough: a full mailbox makes it wait, not fall.
        const facts: EnvelopeFacts = { sender: { name, id }, waits: true };
        const envelope = this.#around.post.address(name, id, type, value, facts);
        if (life.left) toDeadLetters(this.#around.deadLetters, envelope, stopped(this.#cell));
        else this.#cell.accept(envelope);
      })
      .catch((error: unknown) => this.#pipeFailed(life, type, error));
  }

  async offload<Input, Output>(run: (input: Input) => Output, input: Input): Promise<Awaited<Output>> {
    const { offload } = this.#around;
    if (offload === undefined) {
      throw new TroupeError(
        'TROUPE_INVALID_OPTIONS',
        `${keyOf(this.#cell)}: offload() needs pool threads, which this system has none of; call the function in the handler`,
      );
    }
    // What the function returns is what comes back.
    return (await offload(run, input)) as Awaited<Output>;
  }

  /** Ends with the life, so that no subscription outlives it. */
  get events(): Observable<RecordedEvent> {
    return this.#around.events$.pipe(takeUntil(abortOf(this.signal)));
  }

  get signal(): AbortSignal {
    return this.#cell.cycle.life?.signal ?? AbortSignal.abort();
  }

  now(): number {
    return this.#around.clock.now();
  }

  newId(): string {
    return this.#around.newId();
  }

  get log(): Logger {
    const { name, id } = this.#cell;
    this.#log ??= safeLogger(this.#around.log, { prefix: `${keyOf(this.#cell)}: `, facts: { actor: name, id } });
    return this.#log;
  }

  get #reminders(): ReminderPost {
    const { reminders } = this.#around;
    if (reminders !== undefined) return reminders;
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `${keyOf(this.#cell)}: there is no journal here to keep reminders`);
  }

  /** What a reminder set now passes on. */
  get #trace(): Pick<ReminderRequest, 'correlationId' | 'metadata'> {
    const { correlationId, metadata } = this.inherited;
    return { correlationId, metadata };
  }

  /** A handler needn't await it: then a failure is in the log, and is no unhandled rejection. */
  #watched(name: string, written: Promise<void>): Promise<void> {
    written.catch((error: unknown) => this.log.error(`reminder ${name} was not written`, { error }));
    return written;
  }

  #pipeFailed(life: ActorLife, type: string, cause: unknown): void {
    const { name, id } = this.#cell;
    const { deadLetters } = this.#around;
    toDeadLetters(
      deadLetters,
      new Envelope(name, id, type, undefined, undefined),
      failedHandling(this.#cell, type, cause),
    );
    if (!life.left) this.#cell.cycle.failLater(life, cause);
  }

  /** Which actor is meant; JavaScript may pass anything. */
  #actorAt(ref: unknown, what: string): InstanceAddress {
    const { name, id } = fieldsOf(ref);
    if (typeof name === 'string' && typeof id === 'string' && this.#around.definition(name) !== undefined) {
      return { name, id };
    }
    const shown = typeof name === 'string' ? `${name}/${typeof id === 'string' ? id : showValue(id)}` : showValue(ref);
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `${keyOf(this.#cell)}: ${what} of ${shown}, which is no actor; give the reference of one`,
      { details: { target: showValue(name), id: showValue(id) } },
    );
  }

  /** @throws TROUPE_ACTOR_STOPPED when the life has ended, so that nothing can begin in it */
  #life(what: string): ActorLife {
    const { life } = this.#cell.cycle;
    if (life !== undefined && !life.left) return life;
    throw new TroupeError('TROUPE_ACTOR_STOPPED', `${keyOf(this.#cell)} ends: ${what}() comes too late`, {
      details: { target: this.#cell.name, id: this.#cell.id },
    });
  }
}

/** Emits once when the signal aborts, at once if it has. */
function abortOf(signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    const abort = (): void => subscriber.next();
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  });
}

/** Of a reference or a definition, or of whatever JavaScript passes; reading a field of an object as unknown is safe. */
function fieldsOf(value: unknown): { readonly name?: unknown; readonly id?: unknown } {
  return Object(value) as { readonly name?: unknown; readonly id?: unknown };
}

function addressOf(sender: unknown): InstanceAddress | undefined {
  // Whoever sets `sender` gives a reference or an address; it is undefined when no actor has sent the message.
  return sender as InstanceAddress | undefined;
}
