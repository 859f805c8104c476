/**
 * What becomes of one command on given events: decided, applied and encoded by the same functions as in a cell.
 *
 * Stricter than the runtime in two things that only a test can afford: handlers get a frozen copy of the state, so
 * that changing it throws; and the new events are read back from their encoded form and folded from the beginning, so
 * that an `apply` which would give another state in recovery is found.
 */
import { isDeepStrictEqual } from 'node:util';
import type { RuntimeAggregate } from '../actors/aggregate-definition.js';
import { type Decision, decide } from '../actors/decide.js';
import type { DecideSurroundings } from '../actors/decide-context.js';
import { replay } from '../actors/replay.js';
import { stageEvent } from '../actors/stage-event.js';
import type { Envelope } from '../core/envelope.js';
import { copyJson, deepFreeze, encodeJson } from '../core/json-value.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import {
  decodeForReplay,
  type EncodedEvent,
  encodeCommand,
  encodeEvent,
  encodeEventType,
  encodeStream,
} from '../journal/event-codec.js';
import { difference } from './difference.js';

/** What a command came to. */
export interface CommandOutcome {
  /** Events of the command, as the journal would keep them; none when it was refused or failed. */
  readonly events: readonly { readonly type: string; readonly data: unknown }[];
  /** The reply; undefined when it was refused or failed. */
  readonly reply: unknown;
  /** The state afterwards. */
  readonly state: unknown;
  /** `TROUPE_REJECTED` with its `reason` when the command was refused. */
  readonly rejection: TroupeError | undefined;
  /** The error when it failed: of the handler, of the payload's schema, of an upcaster. */
  readonly failure: TroupeError | undefined;
}

/** An event before the command. */
export interface EventBefore {
  readonly type: string;
  readonly data: unknown;
  /** Schema version that it was written with. Default: today's. */
  readonly schemaVersion?: number | undefined;
}

/**
 * Decides `envelope` on the events before it; a promise only if the handler is asynchronous. It doesn't reject.
 *
 * @param around a plain object, which is copied
 */
export function outcomeOf(
  around: DecideSurroundings,
  before: readonly EventBefore[],
  envelope: Envelope,
): CommandOutcome | Promise<CommandOutcome> {
  const { definition, id } = around;
  let history: string;
  let state: unknown;
  let decision: Decision | Promise<Decision>;
  try {
    history = encodeHistory(definition, id, before);
    state = fold(definition, id, history);
    const strict = { ...around, definition: withFrozenState(definition, id) };
    decision = decide(strict, { state, version: before.length }, envelope);
  } catch (error) {
    return failedWith(error, undefined);
  }
  const conclude = (decided: Decision): CommandOutcome => {
    try {
      return outcome(definition, id, history, decided, state);
    } catch (error) {
      return failedWith(error, state);
    }
  };
  return decision instanceof Promise ? decision.then(conclude) : conclude(decision);
}

function outcome(
  definition: RuntimeAggregate,
  id: string,
  history: string,
  decision: Decision,
  state: unknown,
): CommandOutcome {
  const none = { events: [], reply: undefined, state, rejection: undefined, failure: undefined };
  if (decision.kind === 'answered') return { ...none, reply: decision.reply };
  if (decision.kind === 'failed') {
    const { error } = decision;
    return isTroupeError(error, 'TROUPE_REJECTED') ? { ...none, rejection: error } : { ...none, failure: error };
  }
  if (decision.rejection !== undefined) return { ...none, rejection: decision.rejection };
  const all = [history, decision.events].filter((text) => text !== '').join(',');
  const live = asJson(definition, id, decision.state);
  checkRecovery(definition, id, live, asJson(definition, id, fold(definition, id, all)));
  const events = parse(decision.events).map((event) => ({ type: event[3], data: event[5] }));
  return { ...none, events, reply: decision.reply, state: decision.state };
}

/** Events as they stand in the journal, joined by commas. */
function encodeHistory(definition: RuntimeAggregate, id: string, before: readonly EventBefore[]): string {
  const stream = encodeStream(definition.name, id);
  const command = encodeCommand('given', 'given', null, undefined);
  return before
    .map((event, index) => encodeEvent(stream, command, index + 1, staged(definition, id, event), 'null'))
    .join(',');
}

function staged(definition: RuntimeAggregate, id: string, { type, data, schemaVersion }: EventBefore) {
  const known = definition.options.events.get(type);
  if (schemaVersion === undefined || known === undefined || schemaVersion === known.version) {
    return stageEvent(definition, id, type, data);
  }
  // Written by older code, so only its upcasters know what it may look like.
  const dataText = encodeJson(data, `${definition.name}/${id}: given event ${type}`) ?? 'null';
  return { definition: { text: encodeEventType(type, schemaVersion) }, dataText, id: undefined };
}

function fold(definition: RuntimeAggregate, id: string, history: string): unknown {
  let state = definition.options.initialState(id);
  parse(history).forEach((event, index) => {
    state = replay(definition, state, decodeForReplay(event, index + 1, 0));
  });
  return state;
}

function parse(events: string): readonly EncodedEvent[] {
  // Made by encodeEvent.
  return JSON.parse(`[${events}]`) as EncodedEvent[];
}

/** The definition, with handlers and queries that can't change the state. */
function withFrozenState(definition: RuntimeAggregate, id: string): RuntimeAggregate {
  const frozen = (state: unknown): unknown => deepFreeze(asJson(definition, id, state));
  const { commands, queries } = definition.options;
  return {
    ...definition,
    options: {
      ...definition.options,
      commands: new Map(
        Array.from(commands, ([type, command]) => [
          type,
          { ...command, handle: (state, input, ctx) => command.handle(frozen(state), input, ctx) },
        ]),
      ),
      queries: new Map(Array.from(queries, ([type, query]) => [type, (state, input) => query(frozen(state), input)])),
    },
  };
}

/** The state as a value of its own, so that no later `apply` can reach it. */
function asJson(definition: RuntimeAggregate, id: string, state: unknown): unknown {
  return copyJson(state, `${definition.name}/${id}: the state`) ?? null;
}

function checkRecovery(definition: RuntimeAggregate, id: string, live: unknown, recovered: unknown): void {
  if (isDeepStrictEqual(live, recovered)) return;
  throw new TroupeError(
    'TROUPE_INVALID_EVENT',
    `${definition.name}/${id}: the state folded again from the beginning is another one (${difference(recovered, live)}): ` +
      'apply has to be a function of state and event alone, and initialState has to return a new object each time',
  );
}

function failedWith(error: unknown, state: unknown): CommandOutcome {
  const failure = isTroupeError(error)
    ? error
    : new TroupeError('TROUPE_ACTOR_FAILED', 'the events before the command could not be folded', { cause: error });
  return { events: [], reply: undefined, state, rejection: undefined, failure };
}
