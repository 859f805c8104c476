/**
 * The cell of one plain actor: its mail, and one piece of its code at a time.
 *
 * A message costs one slot of the mailbox and one call of its handler; only a handler that returns a promise costs
 * promises. When mail may be handled is the business of `actor-life-cycle.ts`, which also runs hooks through
 * `occupy`. Whatever is not handled ends with its sender or as a dead letter. Hot path: bench suite `mailbox`.
 */
import { type Envelope, type EnvelopeFacts, sealed } from '../core/envelope.js';
import type { TroupeError } from '../core/troupe-error.js';
import { ActorCellContext } from './actor-cell-context.js';
import type { RuntimeActor, RuntimeHandler } from './actor-definition.js';
import { abandoned, failedHandling, notAnsweredNow, ownAsk, stopped, systemStopped } from './actor-fault.js';
import type { ActorLife } from './actor-life.js';
import { LifeCycle } from './actor-life-cycle.js';
import { ActorMail, type MailOwner } from './actor-mail.js';
import { answer } from './actor-reply.js';
import type { ActorSurroundings } from './actor-surroundings.js';
import { ActorTimers } from './actor-timers.js';
import type { Runnable } from './dispatcher.js';
import { asPromise, Flight } from './flight.js';
import { checkMessage, isPrimitive } from './message-check.js';
import { copyMessage } from './message-copy.js';
import { type InstanceAddress, keyOf, sameInstance, type Supervised } from './signal.js';

export class ActorCell implements Runnable, MailOwner {
  readonly definition: RuntimeActor;
  readonly id: string;
  readonly cycle: LifeCycle;
  readonly context: ActorCellContext;
  readonly #around: ActorSurroundings;
  readonly #args: unknown;
  readonly #mail: ActorMail;
  #timers: ActorTimers | undefined;
  /** Whether mail may be handled. */
  #isOpen = false;
  /** Whether mail is refused, for good. */
  #isClosed = false;
  /** Whether the cell stands in the dispatcher's queue. */
  #awake = false;
  /** Whether the host counts this actor among those with something to do. */
  #busy = false;
  /** Whether the life cycle may have something to do, which goes before mail. */
  #attention = true;
  #current: Envelope | undefined;
  /** Whether a plain message is being handled, of `#lastType`; `#current` is made of it when somebody wants to see it. */
  #isPlain = false;
  /** A type that the definition is known to receive, and needs no priority. */
  #knownType: string | undefined;
  /** What was handled last, and by what: most messages are like the one before. */
  #lastType: string | undefined;
  #lastReceive: ReadonlyMap<string, RuntimeHandler> | undefined;
  #lastHandler: RuntimeHandler | undefined;
  /** Whether the current message is set aside, or should have been but didn't fit. */
  #aside: 'kept' | 'lost' | undefined;
  #inHook = false;
  #flight: Flight | undefined;

  constructor(
    around: ActorSurroundings,
    definition: RuntimeActor,
    id: string,
    spawned: { readonly args: unknown; readonly supervised: Supervised },
  ) {
    this.#around = around;
    this.definition = definition;
    this.id = id;
    this.#args = spawned.args;
    this.#mail = new ActorMail(this, around);
    this.cycle = new LifeCycle(this, around, spawned.supervised);
    this.context = new ActorCellContext(this, around);
  }

  get name(): string {
    return this.definition.name;
  }

  /** The message being handled. */
  get current(): Envelope | undefined {
    if (this.#isPlain) this.#current ??= this.#sealed();
    return this.#current;
  }

  /** What the message being handled says of its cause and its sender. */
  get currentFacts(): EnvelopeFacts | undefined {
    return this.#isPlain ? this.#mail.facts : this.#current;
  }

  /** Whether code of the actor is under way. */
  get occupied(): boolean {
    return this.#flight !== undefined || this.#inHook || this.#isPlain || this.#current !== undefined;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#mail.waiting;
  }

  // Mail

  /** Whether mail is refused, for good. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /**
   * Takes a message that nobody waits for, unless that isn't so simple; then nothing has happened. Only for cells that
   * aren't closed, and messages that they have said they take.
   *
   * @param seq its number, if `facts` says that it has come from another thread
   */
  acceptPlain(type: string, payload: unknown, facts: EnvelopeFacts | undefined, seq = 0): boolean {
    if (!this.#mail.offerPlain(type, payload, facts, seq)) return false;
    if (!this.#awake && this.#isOpen && this.#flight === undefined) this.#schedule();
    return true;
  }

  /** Whether a message without options can be taken as it is: type known, nothing in it to bind, no priority to ask for. */
  takesPlainly(type: string, payload: unknown): boolean {
    return this.knows(type) && (isPrimitive(payload) || this.#holdsNoRef(type, payload));
  }

  /** Whether it receives that type, and no priority has to be asked for. */
  knows(type: string): boolean {
    if (type === this.#knownType) return true;
    const { mailbox, receive } = this.definition.options;
    if (mailbox.priority !== undefined || !receive.has(type)) return false;
    this.#knownType = type;
    return true;
  }

  /** Apart, because whoever may make a closure makes room for it at once, also for a primitive. */
  #holdsNoRef(type: string, payload: unknown): boolean {
    return !checkMessage(payload, () => `${keyOf(this)}: ${type}`);
  }

  accept(envelope: Envelope): void {
    if (this.#isClosed) return this.#mail.drop(envelope, this.#ending());
    if (envelope.sink !== undefined && this.#isOwnAsk(envelope)) return envelope.sink.fail(ownAsk(this, envelope.type));
    this.#mail.offer(envelope);
    if (!this.#awake && this.#isOpen && this.#flight === undefined) this.#schedule();
  }

  /** Takes back a message that still waits for room. */
  withdraw(envelope: Envelope): boolean {
    return this.#mail.withdraw(envelope);
  }

  run(budget: number): boolean {
    for (let left = budget; left > 0; left -= 1) {
      if (this.#attention) {
        this.#attention = this.cycle.attend();
        continue;
      }
      // Whoever opens the cell, or lands the flight, wakes it.
      if (!this.#isOpen || this.#flight !== undefined) return this.#rest(true);
      const next = this.#mail.take();
      if (typeof next === 'string') this.#handlePlain(next);
      else if (next === undefined) return this.#rest(false);
      else this.#handle(next);
    }
    return true;
  }

  /** Sets the message being handled aside; false when there is none. */
  stash(): boolean {
    const { current } = this;
    if (current === undefined) return false;
    this.#aside ??= this.#mail.stash(current) ? 'kept' : 'lost';
    return true;
  }

  unstashAll(): void {
    this.#mail.unstashAll();
  }

  get timers(): ActorTimers {
    this.#timers ??= new ActorTimers(this.#around.clock, (tick) => this.accept(tick));
    return this.#timers;
  }

  cancelTimers(): void {
    this.#timers?.cancelAll();
  }

  // What the life cycle needs

  /** A copy of the arguments for one life. */
  args(): unknown {
    return copyMessage(this.#args, ({ name, id }) => this.#around.makeRef(name, id, this.context));
  }

  /** There is something that goes before mail. */
  wake(): void {
    this.#attention = true;
    if (!this.#awake) this.#schedule();
  }

  /** Mail is handled from now on. */
  open(): void {
    this.#isOpen = true;
    this.wake();
  }

  /** Mail waits from now on. */
  shut(): void {
    this.#isOpen = false;
  }

  /** Mail is refused from now on, and what waits has waited in vain. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#mail.dropAll(() => this.#ending());
  }

  /** Runs code of the actor as if it were a message; a throw goes to the supervisor. Only when not `occupied`. */
  occupy(code: () => unknown, done: (value: unknown) => void = ignore): void {
    this.#inHook = true;
    const succeed = (value: unknown): void => {
      this.#inHook = false;
      done(value);
    };
    const fail = (error: unknown): void => {
      this.#inHook = false;
      this.cycle.fail(error);
    };
    let value: unknown;
    let promise: Promise<unknown> | undefined;
    try {
      value = code();
      promise = asPromise(value);
    } catch (error) {
      return fail(error);
    }
    if (promise === undefined) succeed(value);
    else this.#fly(promise, undefined, succeed, fail);
  }

  /** Resolves when no code of the actor is under way; what takes too long is abandoned. */
  released(): Promise<void> | undefined {
    const { clock, stopTimeoutMs } = this.#around;
    return this.#flight?.released(clock, stopTimeoutMs, () => this.abandon());
  }

  /** Lets go of code that is under way: whatever comes of it, nobody hears of it. */
  abandon(): void {
    const flight = this.#flight;
    if (flight === undefined) return;
    const { closing, stopTimeoutMs, facts } = this.#around;
    const error = closing ? systemStopped(this) : abandoned(this, stopTimeoutMs, this.#isClosed);
    facts.tell({ kind: 'left-behind', name: this.name, id: this.id, type: flight.envelope?.type });
    if (flight.envelope !== undefined) this.#mail.drop(flight.envelope, error);
    this.#flight = undefined;
    this.#current = undefined;
    this.#inHook = false;
    flight.leaveBehind();
  }

  // Handling

  /** As `#handle`, for a message that nobody waits for, and that needs an envelope only if something is the matter. */
  #handlePlain(type: string): void {
    const { life } = this.cycle;
    if (life === undefined) return this.#mail.release();
    const handler = this.#handlerOf(type, life);
    this.#isPlain = true;
    if (handler === undefined) {
      const envelope = this.#sealed();
      this.#released();
      return this.#mail.drop(envelope, notAnsweredNow(this, type));
    }
    const { mark } = this.#around;
    const from = this.#mail.facts?.from;
    if (from === undefined) mark.enterLocal();
    else mark.enterFrom(from.thread, this.#mail.seq);
    let promise: Promise<unknown> | undefined;
    try {
      promise = asPromise(handler(life.state, this.#mail.payload, this.context));
    } catch (error) {
      mark.leave();
      return this.#failed(this.#unpacked(), error);
    }
    mark.leave();
    if (promise === undefined && this.#aside === undefined) {
      this.#released();
      if (from !== undefined) from.done(this.#mail.seq);
      return;
    }
    const envelope = this.#unpacked();
    if (promise === undefined) this.#handled(envelope, undefined);
    else this.#await(promise, envelope);
  }

  #handle(envelope: Envelope): void {
    const { life } = this.cycle;
    if (life === undefined || this.#timers?.isStale(envelope) === true) return;
    const { type } = envelope;
    const handler = this.#handlerOf(type, life);
    if (handler === undefined) return this.#mail.drop(envelope, notAnsweredNow(this, type));
    this.#current = envelope;
    const { mark } = this.#around;
    mark.enter(envelope);
    let reply: unknown;
    let promise: Promise<unknown> | undefined;
    try {
      reply = handler(life.state, envelope.payload, this.context);
      promise = asPromise(reply);
    } catch (error) {
      mark.leave();
      return this.#failed(envelope, error);
    }
    mark.leave();
    if (promise === undefined) this.#handled(envelope, reply);
    else this.#await(promise, envelope);
  }

  #handlerOf(type: string, life: ActorLife): RuntimeHandler | undefined {
    if (type !== this.#lastType || life.receive !== this.#lastReceive) {
      this.#lastType = type;
      this.#lastReceive = life.receive;
      this.#lastHandler = life.receive.get(type);
    }
    return this.#lastHandler;
  }

  #await(promise: Promise<unknown>, envelope: Envelope): void {
    const { mark } = this.#around;
    const slot = mark.hold(envelope);
    const release = (): void => mark.release(slot);
    promise.then(release, release);
    this.#fly(
      promise,
      envelope,
      (value) => this.#handled(envelope, value),
      (error) => this.#failed(envelope, error),
    );
  }

  /** The plain message being handled is one with an envelope from now on. */
  #unpacked(): Envelope {
    const envelope = this.#current ?? this.#sealed();
    this.#released();
    this.#current = envelope;
    return envelope;
  }

  #sealed(): Envelope {
    // A type has been looked up before anything is handled.
    return sealed(this, this.#lastType ?? '', this.#mail.payload, this.#mail.facts, this.#mail.seq);
  }

  #released(): void {
    this.#isPlain = false;
    this.#current = undefined;
    this.#mail.release();
  }

  #handled(envelope: Envelope, reply: unknown): void {
    this.#current = undefined;
    if (this.#aside !== undefined) return this.#handledLater(envelope);
    if (envelope.sink !== undefined) answer(envelope, envelope.sink, reply, this.#around);
  }

  /** The handler has set its message aside: there is no reply yet, if it was kept. */
  #handledLater(envelope: Envelope): void {
    const lost = this.#aside === 'lost';
    this.#aside = undefined;
    if (lost) this.#mail.dropStashed(envelope);
  }

  #failed(envelope: Envelope, cause: unknown): void {
    this.#current = undefined;
    if (this.#aside === 'kept') this.#mail.forget(envelope);
    this.#aside = undefined;
    this.#mail.drop(envelope, failedHandling(this, envelope.type, cause));
    this.cycle.fail(cause);
  }

  #fly(
    promise: Promise<unknown>,
    envelope: Envelope | undefined,
    done: (value: unknown) => void,
    failed: (error: unknown) => void,
  ): void {
    const flight = new Flight(envelope);
    this.#flight = flight;
    const landing = (how: (value: unknown) => void) => (value: unknown) => {
      this.#flight = undefined;
      how(value);
      // One hook may lead to the next one.
      if (this.#flight === undefined) this.wake();
    };
    flight.follow(promise, landing(done), landing(failed));
  }

  // Scheduling

  #schedule(): void {
    this.#awake = true;
    if (!this.#busy) {
      this.#busy = true;
      this.#around.activity(1);
    }
    this.#around.dispatcher.schedule(this);
  }

  #rest(busy: boolean): false {
    this.#awake = false;
    if (!busy && this.#busy) {
      this.#busy = false;
      this.#around.activity(-1);
    }
    return false;
  }

  /** The instance has ended for good. */
  retire(): void {
    if (this.#busy) {
      this.#busy = false;
      this.#around.activity(-1);
    }
  }

  #ending(): TroupeError {
    return this.#around.closing ? systemStopped(this) : stopped(this);
  }

  /** An ask, and not a send, of this actor, which can't come to it before it has finished what it does now. */
  #isOwnAsk(envelope: Envelope): boolean {
    if (envelope.sender === undefined || envelope.sink?.taken !== undefined || !this.occupied) return false;
    // Whoever sets `sender` gives a reference or an address.
    return sameInstance(envelope.sender as InstanceAddress, this);
  }
}

function ignore(): void {}
