/**
 * `given … when … expect …`: tests of an aggregate's decisions, without a system, a journal or a clock.
 *
 * What runs is what runs in a system: the same checks of the payload, the same deciding, upcasting, validating and
 * folding (`actors/decide.ts`, `actors/replay.ts`); see `command-outcome.ts` for what is stricter here.
 */
import type { AskType, MessageArgs, PayloadOf, ReplyOf } from '../actors/actor-ref.js';
import type { EventsOf, RuntimeAggregate } from '../actors/aggregate-definition.js';
import type { AggregateHost } from '../actors/aggregate-host.js';
import { randomIds } from '../core/ids.js';
import type { Logger } from '../core/logger.js';
import { readMetadata } from '../core/metadata.js';
import { showValue } from '../core/show-value.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { Router } from '../system/router.js';
import { type CommandOutcome, type EventBefore, outcomeOf } from './command-outcome.js';
import { Expectations } from './expectations.js';

/** An event that has happened before; with `schemaVersion` one that older code has written. */
export type GivenEvent<D extends RuntimeAggregate> = {
  readonly [Type in keyof EventsOf<D> & string]:
    | { readonly type: Type; readonly data: EventsOf<D>[Type]; readonly schemaVersion?: never }
    | { readonly type: Type; readonly data: unknown; readonly schemaVersion: number };
}[keyof EventsOf<D> & string];

/** Facts around a command, where a handler looks at them. */
export interface WhenOptions {
  /** Id of the aggregate. Default `'test'`. */
  readonly id?: string;
  /** Id of the command. Default `'command'`. */
  readonly commandId?: string;
  /** Default: the command's id. */
  readonly correlationId?: string;
  /** Default null: the command came from outside. */
  readonly causationId?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** What `ctx.now()` says, epoch milliseconds. Default: the first moment of 2020, UTC. */
  readonly now?: number;
}

/** An aggregate with a past. */
export interface Given<D extends RuntimeAggregate> {
  /** Sends a command (or asks a query), and gives what it came to. */
  when<Type extends AskType<D>>(
    type: Type,
    ...args: MessageArgs<PayloadOf<D, Type>, WhenOptions>
  ): Expectations<D, ReplyOf<D, Type>>;
}

/**
 * An aggregate to which these events have happened; none: a new one.
 *
 * Synchronous handlers are checked at once. Await the chain if the handler is asynchronous, or always: it makes no
 * difference to a synchronous one. Awaited, it resolves with events, reply and state for further checks.
 *
 * @example
 * given(account, { type: 'account.opened', data: { owner: 'Ada' } })
 *   .when('deposit', { amount: 5 })
 *   .expect({ type: 'account.deposited', data: { amount: 5 } })
 *   .expectReply(5);
 *
 * given(account).when('withdraw', { amount: 5 }).expectRejected('insufficient-funds');
 *
 * const { state } = await given(account).when('transferLater', { amount: 5 }).expect();
 *
 * @throws TROUPE_INVALID_OPTIONS when the definition is none of an aggregate.
 */
export function given<D extends RuntimeAggregate>(definition: D, ...events: readonly GivenEvent<D>[]): Given<D> {
  requireAggregate(definition);
  return {
    when(type, ...[input, options]) {
      const id = options?.id ?? 'test';
      const outcome = commandOutcome(definition, id, events, type, input, options ?? {});
      return new Expectations(`${definition.name}/${id}: ${type}`, outcome);
    },
  };
}

/** Without types anything may be given; other definitions decide nothing. */
function requireAggregate(definition: unknown): void {
  const { kind, name } = Object(definition) as { readonly kind?: unknown; readonly name?: unknown };
  if (kind === 'aggregate') return;
  const what = typeof kind === 'string' && typeof name === 'string' ? `the ${kind} ${name}` : showValue(definition);
  throw new TroupeError('TROUPE_INVALID_OPTIONS', `given: the definition is ${what}; give one made by aggregate()`);
}

function commandOutcome(
  definition: RuntimeAggregate,
  id: string,
  events: readonly EventBefore[],
  type: string,
  input: unknown,
  options: WhenOptions,
): CommandOutcome | Promise<CommandOutcome> {
  const { commandId = 'command', correlationId, causationId, metadata, now = Date.UTC(2020, 0, 1) } = options;
  const router = new Router();
  // The router only addresses here; it never gets to a host.
  router.add({ kind: 'aggregate', definition, host: undefined as unknown as AggregateHost });
  const around = {
    definition,
    id,
    log: SILENT,
    signal: new AbortController().signal,
    now: () => now,
    newId: randomIds('test'),
  };
  try {
    const facts = {
      commandId,
      correlationId,
      causationId,
      metadata: metadata === undefined ? undefined : readMetadata(metadata, 'options.metadata'),
    };
    return outcomeOf(around, events, router.address(definition.name, id, type, input, facts));
  } catch (error) {
    // What a sender would see at once.
    if (!isTroupeError(error)) throw error;
    return { events: [], reply: undefined, state: undefined, rejection: undefined, failure: error };
  }
}

const nothing = (): void => undefined;
const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
