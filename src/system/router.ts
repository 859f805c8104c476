/**
 * The router of a thread: checks what a sender can see, and takes messages to the host of their target.
 *
 * One host for each definition; aggregates come to life with their first message, actors must have been spawned.
 */
import type { ActorHost } from '../actors/actor-host.js';
import type { RuntimeActor } from '../actors/actor-definition.js';
import type { RuntimeAggregate } from '../actors/aggregate-definition.js';
import type { AggregateHost } from '../actors/aggregate-host.js';
import { APPEND, AppendRequest, SHOW_STATE, StateRequest } from '../actors/system-request.js';
import { checkMessage, isPrimitive } from '../actors/message-check.js';
import { priorityOf } from '../actors/message-priority.js';
import { suggestion } from '../core/did-you-mean.js';
import { Envelope, type EnvelopeFacts, type Post, type ReplySink } from '../core/envelope.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { checkJson } from '../core/json-value.js';
import { formatIssues, type Schema, validateSync } from '../core/schema.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';

type Target =
  | { readonly kind: 'aggregate'; readonly definition: RuntimeAggregate; readonly host: AggregateHost }
  | { readonly kind: 'actor'; readonly definition: RuntimeActor; readonly host: ActorHost };

/** The way to other threads. */
export interface Elsewhere {
  /** False: the target lives on this thread. */
  deliver(envelope: Envelope): boolean;
  /** Undefined: the target lives on this thread. */
  withdraw(envelope: Envelope): boolean | undefined;
}

export class Router implements Post {
  readonly closed = false;
  readonly #targets = new Map<string, Target>();
  /** What was looked for last: bursts go to few targets. */
  #lastName: string | undefined;
  #last: Target | undefined;
  /** What was found to be a text and a type of that target, and to need no priority. */
  #plainId: string | undefined;
  #plainType: string | undefined;
  #plainFor: Target | undefined;
  #elsewhere: Elsewhere | undefined;

  /** Adds a target; called once for each definition, at the start. */
  add(target: Target): void {
    this.#targets.set(target.definition.name, target);
  }

  address(
    target: string,
    targetId: string,
    type: string,
    payload: unknown,
    facts: EnvelopeFacts | undefined,
    sink: ReplySink | undefined = facts?.sink,
  ): Envelope {
    const found = this.#find(target);
    if (found === undefined) throw this.#unknownTarget(target);
    if (type === this.#plainType && targetId === this.#plainId && found === this.#plainFor) {
      const isPlain = isPrimitive(payload) && facts?.priority === undefined;
      if (isPlain) return new Envelope(target, targetId, type, payload, facts, sink);
    }
    if (!isGivenText(targetId)) throw noText(targetId, `${target}: an id`);
    if (typeof type !== 'string' || type === '') throw noText(type, `${target}/${targetId}: the type of a message`);
    if (found.kind === 'actor') {
      if (!found.definition.options.receive.has(type)) {
        throw unknownMessage(target, targetId, type, found.definition.options.receive.keys());
      }
      if (found.definition.options.mailbox.priority === undefined) {
        this.#plainId = targetId;
        this.#plainType = type;
        this.#plainFor = found;
      }
      const holdsRef = !isPrimitive(payload) && holdsReference(target, targetId, type, payload);
      // References in a message send in the name of whoever gets it.
      const bound = holdsRef ? found.host.bind(target, targetId, payload) : payload;
      const priority = priorityOf(found.definition, type, facts?.priority);
      return new Envelope(target, targetId, type, bound, priority === 0 ? facts : { ...facts, priority }, sink);
    }
    return new Envelope(target, targetId, type, commandPayload(found.definition, targetId, type, payload), facts, sink);
  }

  /** What lives on other threads goes there. */
  forwardTo(elsewhere: Elsewhere): void {
    this.#elsewhere = elsewhere;
  }

  /** A message that has arrived where its target lives; false: it is none of an instance. */
  deliverHere(envelope: Envelope): boolean {
    const target = this.#find(envelope.target);
    target?.host.deliver(envelope);
    return target !== undefined;
  }

  deliver(envelope: Envelope): void {
    if (this.#elsewhere?.deliver(envelope) === true) return;
    // Only `address` makes envelopes, and targets never go.
    this.#find(envelope.target)?.host.deliver(envelope);
  }

  withdraw(envelope: Envelope): boolean {
    return this.#elsewhere?.withdraw(envelope) ?? this.withdrawHere(envelope);
  }

  withdrawHere(envelope: Envelope): boolean {
    return this.#targets.get(envelope.target)?.host.withdraw(envelope) ?? false;
  }

  isQuery(target: string, type: string): boolean {
    const found = this.#find(target);
    return found?.kind === 'aggregate' && found.definition.options.queries.has(type);
  }

  #find(name: string): Target | undefined {
    if (name !== this.#lastName) {
      this.#last = this.#targets.get(name);
      this.#lastName = name;
    }
    return this.#last;
  }

  #unknownTarget(target: string): TroupeError {
    return new TroupeError(
      'TROUPE_UNKNOWN_ACTOR',
      `no actor or aggregate is named ${target}${suggestion(target, this.#targets.keys())}; export its definition from the cast`,
      { details: { target } },
    );
  }
}

/** Apart, because whoever may make a closure makes room for it at once, also for a primitive. */
function holdsReference(target: string, targetId: string, type: string, payload: unknown): boolean {
  return checkMessage(payload, () => `${target}/${targetId}: ${type}`);
}

/** JavaScript may pass anything; a symbol couldn't even be shown in a message. */
function noText(value: unknown, what: string): TroupeError {
  return new TroupeError('TROUPE_INVALID_OPTIONS', `${what} is ${showValue(value)}; ${GIVEN_TEXT}`);
}

/** @throws TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE, TROUPE_NOT_SERIALIZABLE */
function commandPayload(definition: RuntimeAggregate, id: string, type: string, payload: unknown): unknown {
  if (payload instanceof AppendRequest && type === APPEND) return payload;
  if (payload instanceof StateRequest && type === SHOW_STATE) return payload;
  const { commands, queries } = definition.options;
  const command = commands.get(type);
  if (command === undefined && !queries.has(type)) {
    throw unknownMessage(definition.name, id, type, [...commands.keys(), ...queries.keys()]);
  }
  const value = command?.schema === undefined ? payload : validated(command.schema, definition.name, id, type, payload);
  checkJson(value, () => `${definition.name}/${id}: ${type}`);
  return value;
}

function validated(schema: Schema, name: string, id: string, type: string, payload: unknown): unknown {
  const result = validateSync(schema, payload, () => `${name}: schema of command ${type}`);
  if (result.issues === undefined) return result.value;
  throw new TroupeError(
    'TROUPE_INVALID_MESSAGE',
    `${name}/${id}: the payload of ${type} does not pass its schema: ${formatIssues(result.issues)}`,
    { details: { target: name, id, type, issues: result.issues.map((issue) => issue.message) } },
  );
}

function unknownMessage(name: string, id: string, type: string, known: Iterable<string>): TroupeError {
  const names = [...known];
  return new TroupeError(
    'TROUPE_UNKNOWN_MESSAGE',
    `${name}/${id}: there is no message ${type}${suggestion(type, names)}; ${name} knows ${names.join(', ')}`,
    { details: { target: name, id, type } },
  );
}
