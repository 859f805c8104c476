/**
 * What an actor's handlers get beside state and payload: who it is, whom it knows, and what it may start.
 *
 * `spawn`, `stop`, `watch` and `tell` return at once; what they cause comes back as messages, one at a time.
 */
import type { Observable } from 'rxjs';
import type { Duration } from '../core/duration.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { ReminderTiming } from '../timers/reminder-timing.js';
import type { ArgsOf, RuntimeActor } from './actor-definition.js';
import type { Receive } from './actor-options.js';
import type { ActorRef, Addressable } from './actor-ref.js';

/** Options of `spawn`; `args` may be left out when `initialState` takes none. */
export type SpawnOptions<D extends RuntimeActor> =
  undefined extends ArgsOf<D>
    ? {
        /** Unique among the instances of this definition in the whole system. Default: a new id. */
        readonly id?: string;
        readonly args?: ArgsOf<D>;
      }
    : {
        /** Unique among the instances of this definition in the whole system. Default: a new id. */
        readonly id?: string;
        readonly args: ArgsOf<D>;
      };

/** The options as last parameters of `spawn`: they may be left out when nothing in them is required. */
export type SpawnArgs<D extends RuntimeActor> =
  undefined extends ArgsOf<D> ? [options?: SpawnOptions<D>] : [options: SpawnOptions<D>];

/** When a scheduled message comes: once, or again and again. */
export type ScheduleTiming = { readonly after: Duration } | { readonly every: Duration };

/** Handle of a scheduled message. */
export interface ScheduledMessage {
  /** No message comes after this; a second call does nothing. */
  cancel(): void;
}

/**
 * The context of an actor's handlers; the same object for the whole life of the instance.
 *
 * @typeParam State the actor's state, as `initialState` makes it.
 */
export interface ActorContext<State = unknown> {
  /** The actor itself. Untyped, because its own messages are only known once it is defined. */
  readonly self: ActorRef<RuntimeActor>;
  /** The actor that spawned this one; null for a top-level actor. */
  readonly parent: ActorRef<RuntimeActor> | null;
  /** The actor that sent the message being handled; null when it came from elsewhere. */
  readonly sender: ActorRef | null;
  /**
   * Starts a child, supervised by this actor. Returns at once; messages sent meanwhile wait.
   *
   * @throws TROUPE_INVALID_OPTIONS when the id belongs to a living instance.
   */
  spawn<D extends RuntimeActor>(definition: D, ...options: SpawnArgs<D>): ActorRef<D>;
  /** Stops a child, or without an argument this actor itself, after the message being handled. */
  stop(ref?: ActorRef<RuntimeActor>): void;
  /** Has `terminated` called when the watched actor ends; a restart is no end. */
  watch(ref: ActorRef<RuntimeActor>): void;
  unwatch(ref: ActorRef<RuntimeActor>): void;
  /** A reference to any instance, wherever it lives; never fails by itself. */
  ref<D extends Addressable>(definition: D, id: string): ActorRef<D>;
  /** Handles messages with other handlers from now on; stacks. Only types that the definition knows. */
  become(receive: Receive<State>): void;
  /** Goes back to the handlers before the last `become`. */
  unbecome(): void;
  /** Sets the message being handled aside; as many as the mailbox holds, the rest become dead letters. */
  stash(): void;
  /** Puts what was set aside in front of the mailbox, in its order. */
  unstashAll(): void;
  /** Sends a message to this actor after a while, or again and again, until cancelled or stopped. */
  schedule(type: string, payload: unknown, timing: ScheduleTiming): ScheduledMessage;
  /**
   * Sends a message to this actor at a later time, however long that is: a reminder stands in the journal. It survives
   * restarts, and a top-level actor that doesn't live then is started again with the args it was spawned with (a
   * child is waited for). Delivered at least once; a reminder of this name that waits is replaced. Durable when the
   * promise resolves; a failure to write it that nobody awaits is logged.
   *
   * @param name unique for this actor.
   * @throws TROUPE_UNKNOWN_MESSAGE for a type that `receive` doesn't name; TROUPE_INVALID_OPTIONS when name or timing
   * can't be used; TROUPE_NOT_SERIALIZABLE when payload, or args, are no JSON values.
   * @see schedule for messages that needn't outlive the actor
   */
  remind(name: string, type: string, payload: unknown, timing: ReminderTiming): Promise<void>;
  /** Takes a reminder away; durable when the promise resolves. */
  forget(name: string): Promise<void>;
  /** Sends what the promise resolves with to this actor; a rejection takes the path of a throw in a handler. */
  pipeToSelf(promise: PromiseLike<unknown>, type: string): void;
  /**
   * Runs a CPU-heavy function on a pool thread, also with `workers: 0`.
   *
   * @param fn exported by the cast, so that the thread can find it.
   */
  offload<Input, Output>(fn: (input: Input) => Output, input: Input): Promise<Awaited<Output>>;
  /** Committed events, live. Subscriptions are the actor's to end; `signal` says when. */
  readonly events: Observable<RecordedEvent>;
  /** Aborts when the actor stops. */
  readonly signal: AbortSignal;
  /** Wall time of the system's clock, epoch milliseconds. */
  now(): number;
  /** A new id, unique in the world. */
  newId(): string;
  readonly log: Logger;
}
