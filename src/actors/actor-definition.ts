/**
 * `actor()`: defines a stateful actor with a mailbox.
 *
 * Types are inferred from the one options object (`actor-options.ts`); at run time it becomes a frozen
 * `RuntimeActor` with defaults filled in and durations in milliseconds, which is all that cells know.
 */
import type { OptionReader } from '../core/option-reader.js';
import type { ActorContext } from './actor-context.js';
import type { ActorOptions, ReceivedMessages } from './actor-options.js';
import type { ActorRef } from './actor-ref.js';
import { readDefinition, readTypes } from './definition-name.js';
import { MAILBOX_KEYS, type MailboxSettings, readMailbox } from './mailbox-options.js';
import { readSupervision, SUPERVISION_KEYS, type SupervisionSettings } from './supervision-options.js';

/**
 * Defines a stateful actor: its state, and a handler for each type of message.
 *
 * Messages are handled one at a time, those of one sender in the order sent. A throw fails an ask with
 * `TROUPE_ACTOR_FAILED` and goes to the supervisor. State lives in memory and is lost with the actor; for state
 * that lasts there is `aggregate()`. Export the definition from a module of the cast; it must not close over
 * anything of the thread that started the system.
 *
 * @throws TROUPE_INVALID_OPTIONS when an option is missing, unknown or unusable; the message says which, and what
 * to give instead.
 * @example
 * export const tally = actor({
 *   name: 'tally',
 *   initialState: (args: { from: number }) => ({ count: args.from }),
 *   receive: {
 *     add(state, amount: number) {
 *       state.count += amount;
 *     },
 *     total: (state) => state.count,
 *   },
 * });
 */
export function actor<const Name extends string, State, Args, Handlers>(
  options: ActorOptions<Name, State, Args, Handlers>,
): ActorDefinition<Name, State, Args, ReceivedMessages<Handlers>> {
  const { name, options: given } = readDefinition('actor', options, OPTION_KEYS);
  const mailbox = given.nested('mailbox', [...MAILBOX_KEYS, 'priority']);
  // Functions are called as their types in ActorOptions say; here those types are erased.
  const settings: ActorSettings = Object.freeze({
    initialState: given.function('initialState', '(args, ctx) => state') as ActorSettings['initialState'],
    receive: readReceive(given.required('receive')),
    started: given.optionalFunction('started', '(state, ctx)') as ActorSettings['started'],
    stopped: given.optionalFunction('stopped', '(state, ctx)') as ActorSettings['stopped'],
    terminated: given.optionalFunction('terminated', '(state, ref, ctx)') as ActorSettings['terminated'],
    mailbox: Object.freeze({
      ...readMailbox(mailbox),
      priority: mailbox.optionalFunction('priority', '(type) => number') as ActorSettings['mailbox']['priority'],
    }),
    children: readSupervision(given.nested('children', SUPERVISION_KEYS)),
  });
  const definition: RuntimeActor = Object.freeze({ kind: 'actor', name, options: settings });
  // The name has just been read from the options, and '~types' exists only for the compiler.
  return definition as ActorDefinition<Name, State, Args, ReceivedMessages<Handlers>>;
}

/** An actor's definition with what the compiler knows of it. Made by `actor()`. */
export interface ActorDefinition<Name extends string, State, Args, Messages> extends RuntimeActor {
  readonly name: Name;
  readonly '~types'?: {
    readonly state: State;
    readonly args: Args;
    readonly messages: Messages;
    readonly queries: object;
  };
}

/** What `spawn` has to give to an actor's `initialState`; unknown when that takes nothing. */
export type ArgsOf<D extends RuntimeActor> =
  NonNullable<D['~types']> extends { readonly args: infer Args } ? Args : unknown;

/** An actor's definition, its types erased. */
export interface RuntimeActor {
  readonly kind: 'actor';
  readonly name: string;
  readonly options: ActorSettings;
  /** Only for the compiler; absent at run time. */
  readonly '~types'?: unknown;
}

/** Options of an actor, complete. Types are looked up in a map, so that `toString` is no message. */
export interface ActorSettings {
  readonly initialState: (args: unknown, ctx: ActorContext) => unknown;
  readonly receive: ReadonlyMap<string, RuntimeHandler>;
  readonly started: ((state: unknown, ctx: ActorContext) => unknown) | undefined;
  readonly stopped: ((state: unknown, ctx: ActorContext) => unknown) | undefined;
  readonly terminated: ((state: unknown, ref: ActorRef, ctx: ActorContext) => unknown) | undefined;
  /** Without `priority` all messages are equal. */
  readonly mailbox: MailboxSettings & { readonly priority: ((type: string) => number) | undefined };
  readonly children: SupervisionSettings;
}

/** A handler, as the runtime calls it; sync or async, what it returns is the reply. */
export type RuntimeHandler = (state: unknown, payload: unknown, ctx: ActorContext) => unknown;

const OPTION_KEYS = ['name', 'initialState', 'receive', 'started', 'stopped', 'terminated', 'mailbox', 'children'];

/**
 * The handlers of `receive`, or of a `become`.
 *
 * @throws TROUPE_INVALID_OPTIONS when one of them is no function.
 */
export function readReceive(given: OptionReader): ReadonlyMap<string, RuntimeHandler> {
  return new Map(
    readTypes(given, 'message').map((type) => [
      type,
      given.function(type, '(state, payload, ctx) => reply') as RuntimeHandler,
    ]),
  );
}
