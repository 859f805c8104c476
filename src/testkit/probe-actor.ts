/**
 * An actor that records what it is sent, for tests of whoever sends it.
 *
 * It is a definition like any other, so it belongs into the cast; it runs where actors run, on a worker too, and tells
 * what it has by a message. `TestProbe.ofActor` asks for it.
 */
import { type ActorDefinition, actor } from '../actors/actor-definition.js';
import type { ActorRef } from '../actors/actor-ref.js';
import { TroupeError } from '../core/troupe-error.js';

/** A message that a probe has got. */
export interface ReceivedMessage {
  readonly type: string;
  readonly payload: unknown;
  /** The actor that sent it; null when it came from elsewhere. */
  readonly sender: ActorRef | null;
}

/** What can be sent to a probe: the types it was given, with any payload, and `received`. */
export type ProbeMessages<Type extends string> = {
  readonly [T in Type]: { readonly payload: unknown; readonly reply: undefined };
} & {
  /** Asks for the messages so far, from an index on. Default: all. */
  readonly received: { readonly payload: number | undefined; readonly reply: readonly ReceivedMessage[] };
};

/** State of a probe actor. */
export interface ProbeState {
  readonly messages: ReceivedMessage[];
}

/**
 * Defines an actor that records messages of the types given; it keeps all of them.
 *
 * @param types what it understands beside `received`, which asks for what it has got.
 * @throws TROUPE_INVALID_OPTIONS when the name is unusable, or `received` is among the types.
 * @example
 * export const audience = probeActor('audience', ['applaud', 'boo']); // in a module of the cast
 *
 * const ref = await system.spawn(audience, { id: 'a' });
 * const probe = TestProbe.ofActor(ref);
 * ref.tell('applaud', { seconds: 3 });
 * await probe.expectEvent('applaud', { within: '1s' }); // { type, payload, sender }
 */
export function probeActor<const Name extends string, const Type extends string>(
  name: Name,
  types: readonly Type[],
): ActorDefinition<Name, ProbeState, unknown, ProbeMessages<Type>> {
  const record =
    (type: string) =>
    (state: ProbeState, payload: unknown, ctx: { readonly sender: ActorRef | null }): void => {
      state.messages.push({ type, payload, sender: ctx.sender });
    };
  if (types.some((type) => type === 'received')) {
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `probeActor ${name}: the type 'received' asks for the messages so far; name yours otherwise`,
    );
  }
  const definition = actor({
    name,
    initialState: (): ProbeState => ({ messages: [] }),
    receive: {
      ...Object.fromEntries(types.map((type) => [type, record(type)])),
      received: (state: ProbeState, from?: number) => state.messages.slice(from ?? 0),
    },
    mailbox: { capacity: Infinity },
  });
  // The handlers are those that the types of the messages say.
  return definition as unknown as ActorDefinition<Name, ProbeState, unknown, ProbeMessages<Type>>;
}
