/**
 * Deciding one message: from state and message to events, reply or refusal. Touches nothing but its arguments.
 *
 * Nothing that a user's code does gets out of here as an exception: each failure is a decision, too. Events are
 * applied all or none; what was emitted before a throw or a rejection is gone.
 */
import type { Envelope } from '../core/envelope.js';
import { fingerprint, hashText } from '../core/fingerprint.js';
import { eventId } from '../core/ids.js';
import { copyJson } from '../core/json-value.js';
import type { EventToApply } from '../core/recorded-event.js';
import { showThrown } from '../core/show-value.js';
import { isStrayPromise, isThenable } from '../core/thenable.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { encodeCommand, encodeEvent, encodeOutcome, encodeStream } from '../journal/event-codec.js';
import type { StoredOutcome } from '../journal/journal.js';
import type { TimerChange } from '../journal/timer-change.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { AppendRequest, StateRequest } from './system-request.js';
import { placeIn } from './appended-events.js';
import { DecideContext, type DecideSurroundings } from './decide-context.js';
import { applyEvent } from './replay.js';
import { type StagedEvent, stageEvent } from './stage-event.js';

/** State and version that a decision is made on. */
export interface Ground {
  readonly state: unknown;
  readonly version: number;
}

/** A decision that goes into the journal. */
export interface DecidedEntry {
  readonly kind: 'entry';
  /** State and version after it. */
  readonly state: unknown;
  readonly version: number;
  readonly baseVersion: number;
  readonly events: string;
  readonly eventCount: number;
  readonly commandId: string;
  readonly commandHash: number;
  /** Ids given to its events, if any. */
  readonly eventIds: readonly string[] | undefined;
  readonly fingerprint: number;
  /** Whether the sender gave the id, so that repeats may come. */
  readonly explicitId: boolean;
  readonly reply: unknown;
  readonly rejection: TroupeError | undefined;
  readonly eventlessOutcome: StoredOutcome | undefined;
  /** Reminders that are set and taken away; undefined for none. */
  readonly timers: readonly TimerChange[] | undefined;
}

export type Decision =
  | DecidedEntry
  /** An answer that leaves no trace: of a query, or of a command without events that nobody will repeat. */
  | { readonly kind: 'answered'; readonly reply: unknown }
  /** A failure, or a refusal that leaves no trace. `stateSuspect`: `apply` threw and may have changed the state. */
  | { readonly kind: 'failed'; readonly error: TroupeError; readonly stateSuspect: boolean };

/** Tells whether a repeated command id comes with the same type and payload. */
export function fingerprintOf(envelope: Envelope): number {
  const payload = envelope.payload instanceof AppendRequest ? envelope.payload.events : envelope.payload;
  return Math.imul(hashText(envelope.type), 31) ^ fingerprint(payload);
}

/** Decides one message; a promise only if the handler is asynchronous, and one that never rejects. */
export function decide(around: DecideSurroundings, ground: Ground, envelope: Envelope): Decision | Promise<Decision> {
  const { definition } = around;
  if (envelope.payload instanceof AppendRequest) return decideAppend(around, ground, envelope, envelope.payload);
  if (envelope.payload instanceof StateRequest) return answerQuery(around, (state) => state, ground.state, envelope);
  const query = definition.options.queries.get(envelope.type);
  if (query !== undefined) return answerQuery(around, query, ground.state, envelope);
  const commandId = envelope.commandId ?? envelope.assignedId ?? around.newId();
  const ctx = new DecideContext(around, ground.version, commandId, envelope);
  // The router has checked that the type is known.
  const command = definition.options.commands.get(envelope.type);
  let reply: unknown;
  let later: Promise<unknown> | undefined;
  try {
    reply = command?.handle(ground.state, envelope.payload, ctx);
    if (isThenable(reply)) later = Promise.resolve(reply);
  } catch (error) {
    return refusedOrFailed(around, ground, envelope, ctx, commandId, error);
  }
  if (later === undefined) return concluded(around, ground, envelope, ctx, commandId, reply);
  return later.then(
    (value) => concluded(around, ground, envelope, ctx, commandId, value),
    (error: unknown) => refusedOrFailed(around, ground, envelope, ctx, commandId, error),
  );
}

function answerQuery(
  around: DecideSurroundings,
  query: (state: unknown, input: unknown) => unknown,
  state: unknown,
  envelope: Envelope,
): Decision {
  try {
    const reply = query(state, envelope.payload);
    if (isStrayPromise(reply)) {
      const message = `${nameOf(around)}: the answer of ${envelope.type} is a promise; a query answers at once, from the state`;
      return failed(around, envelope, new TroupeError('TROUPE_NOT_SERIALIZABLE', message));
    }
    return { kind: 'answered', reply: copyJson(reply, () => `${nameOf(around)}: the answer of ${envelope.type}`) };
  } catch (error) {
    return failed(around, envelope, error);
  }
}

function decideAppend(
  around: DecideSurroundings,
  ground: Ground,
  envelope: Envelope,
  request: AppendRequest,
): Decision {
  const { expectedVersion } = request;
  const expected = expectedVersion === 'none' ? 0 : expectedVersion;
  if (expected !== 'any' && expected !== ground.version) {
    return failed(
      around,
      envelope,
      new TroupeError(
        'TROUPE_VERSION_CONFLICT',
        `${nameOf(around)}: expected version ${expected}, the aggregate has ${ground.version}; read again and retry`,
        { details: { expected, actual: ground.version } },
      ),
    );
  }
  const commandId = envelope.commandId ?? envelope.assignedId ?? around.newId();
  try {
    refuseForeignPlaces(around, request, ground.version);
    const staged = request.events.map((event, index) =>
      stageEvent(around.definition, around.id, event.type, event.data, {
        ...event,
        // The id that an event has by its place is not stored.
        id: event.id === eventId(around.definition.name, around.id, ground.version + index + 1) ? undefined : event.id,
      }),
    );
    const entry = entryOf(around, ground, envelope, { staged, timers: [] }, commandId, undefined);
    const ids = staged.flatMap(({ id }) => id ?? []);
    return entry.kind === 'entry' && ids.length > 0 ? { ...entry, eventIds: ids } : entry;
  } catch (error) {
    // No code of a user has run here but schemas and apply: a schema that turns out to be asynchronous says so itself.
    if (isTroupeError(error, 'TROUPE_INVALID_OPTIONS')) return { kind: 'failed', error, stateSuspect: false };
    return failed(around, envelope, error);
  }
}

/** An id that another version has, or will have, by its place would be there twice. */
function refuseForeignPlaces(around: DecideSurroundings, { events }: AppendRequest, version: number): void {
  for (const [index, { id }] of events.entries()) {
    const place = id === undefined ? undefined : placeIn(around, id);
    if (place === undefined || place === version + index + 1) continue;
    throw new TroupeError(
      'TROUPE_INVALID_EVENT',
      `${nameOf(around)}: append: the id ${String(id)} belongs to the event of version ${place}, and this one would get ` +
        `version ${version + index + 1}; give another id, or none`,
      { details: { eventId: id, place, version: version + index + 1 } },
    );
  }
}

function concluded(
  around: DecideSurroundings,
  ground: Ground,
  envelope: Envelope,
  ctx: DecideContext,
  commandId: string,
  reply: unknown,
): Decision {
  ctx.close();
  try {
    return entryOf(around, ground, envelope, ctx, commandId, reply);
  } catch (error) {
    return failed(around, envelope, error);
  }
}

function refusedOrFailed(
  around: DecideSurroundings,
  ground: Ground,
  envelope: Envelope,
  ctx: DecideContext,
  commandId: string,
  error: unknown,
): Decision {
  ctx.close();
  if (ctx.rejection === undefined || error !== ctx.rejection) return failed(around, envelope, error);
  const rejection = ctx.rejection;
  if (envelope.commandId === undefined) return { kind: 'failed', error: rejection, stateSuspect: false };
  const print = fingerprintOf(envelope);
  const { message, reason = '', details } = rejection;
  const outcome = { kind: 'rejection', reason, message, details } as const;
  return eventless(ground, commandId, print, undefined, rejection, { fingerprint: print, outcome });
}

function entryOf(
  around: DecideSurroundings,
  ground: Ground,
  envelope: Envelope,
  { staged, timers: changes }: { readonly staged: readonly StagedEvent[]; readonly timers: readonly TimerChange[] },
  commandId: string,
  reply: unknown,
): Decision {
  const explicitId = envelope.commandId !== undefined;
  // A value of its own: its receiver can't reach the state through it.
  const kept = copyJson(reply, () => `${nameOf(around)}: the reply of ${envelope.type}`);
  const timers = changes.length === 0 ? undefined : changes;
  if (staged.length === 0) {
    if (!explicitId && timers === undefined) return { kind: 'answered', reply: kept };
    const print = fingerprintOf(envelope);
    const outcome = { kind: 'reply', reply: kept, version: ground.version, position: 0 } as const;
    const entry = eventless(ground, commandId, print, kept, undefined, { fingerprint: print, outcome });
    if (explicitId || envelope.assignedId !== undefined) return { ...entry, timers };
    // Only its reminders need a commit: nobody can repeat it.
    return { ...entry, timers, explicitId: false, eventlessOutcome: undefined };
  }
  // Also an id that the runtime has given may come a second time, when the thread of this instance dies.
  const print = explicitId || envelope.assignedId !== undefined ? fingerprintOf(envelope) : 0;
  const written = writeEvents(around, ground, envelope, staged, commandId, encodeOutcome(print, JSON.stringify(kept)));
  if ('kind' in written) return written;
  return {
    kind: 'entry',
    state: written.state,
    version: ground.version + staged.length,
    baseVersion: ground.version,
    events: written.events,
    eventCount: staged.length,
    commandId,
    commandHash: hashText(commandId),
    eventIds: undefined,
    fingerprint: print,
    explicitId,
    reply: kept,
    rejection: undefined,
    eventlessOutcome: undefined,
    timers,
  };
}

/** Applies and encodes the events of one command. */
function writeEvents(
  around: DecideSurroundings,
  ground: Ground,
  envelope: Envelope,
  staged: readonly StagedEvent[],
  commandId: string,
  outcomeText: string,
): { readonly state: unknown; readonly events: string } | Decision {
  const { definition, id } = around;
  const aggregate = definition.name;
  const correlationId = envelope.correlationId ?? commandId;
  const { causationId, metadata } = envelope;
  const stream = around.streamText ?? encodeStream(aggregate, id);
  const shared = encodeCommand(commandId, correlationId, causationId, metadata);
  const lastVersion = ground.version + staged.length;
  let state = ground.state;
  let version = ground.version;
  let events = '';
  for (const event of staged) {
    version += 1;
    const { type, data } = event;
    const schemaVersion = event.definition.version;
    // Written out in full: a spread costs as much as all the rest of this loop.
    const toApply: EventToApply = {
      aggregate,
      aggregateId: id,
      version,
      type,
      schemaVersion,
      data,
      id: event.id ?? eventId(aggregate, id, version),
      commandId,
      correlationId,
      causationId,
      metadata: event.metadata ?? metadata ?? NO_METADATA,
    };
    try {
      state = applyEvent(definition, state, toApply);
    } catch (error) {
      return { kind: 'failed', error: failed(around, envelope, error).error, stateSuspect: true };
    }
    const text =
      event.metadata === undefined ? shared : encodeCommand(commandId, correlationId, causationId, event.metadata);
    const encoded = encodeEvent(stream, text, version, event, version === lastVersion ? outcomeText : 'null');
    events = events === '' ? encoded : `${events},${encoded}`;
  }
  return { state, events: flattened(events) };
}

/**
 * The same text in one piece: put together by adding, it is a tree of parts, all of which the garbage collector would move while
 * a thousand of them wait for the disk, and which are copied one by one into their page.
 */
function flattened(events: string): string {
  // To look at a character is what makes V8 do it.
  if (events.charCodeAt(0) !== BRACKET) throw new Error('an encoded event is a JSON array');
  return events;
}

const BRACKET = 0x5b;

function eventless(
  ground: Ground,
  commandId: string,
  print: number,
  reply: unknown,
  rejection: TroupeError | undefined,
  outcome: StoredOutcome,
): DecidedEntry {
  return {
    kind: 'entry',
    state: ground.state,
    version: ground.version,
    baseVersion: ground.version,
    events: '',
    eventCount: 0,
    commandId,
    commandHash: hashText(commandId),
    eventIds: undefined,
    fingerprint: print,
    explicitId: true,
    reply,
    rejection,
    eventlessOutcome: outcome,
    timers: undefined,
  };
}

function failed(
  around: DecideSurroundings,
  envelope: Envelope,
  error: unknown,
): { readonly kind: 'failed'; readonly error: TroupeError; readonly stateSuspect: boolean } {
  if (isTroupeError(error) && OWN_CODES.has(error.code)) return { kind: 'failed', error, stateSuspect: false };
  const text = `${nameOf(around)}: ${envelope.type} failed: ${showThrown(error)}`;
  const failure = new TroupeError('TROUPE_ACTOR_FAILED', text, {
    cause: error,
    details: { aggregate: around.definition.name, id: around.id, type: envelope.type },
  });
  return { kind: 'failed', error: failure, stateSuspect: false };
}

/** Errors that name the mistake themselves and reach the sender as they are. */
const OWN_CODES: ReadonlySet<string> = new Set([
  'TROUPE_INVALID_EVENT',
  'TROUPE_NOT_SERIALIZABLE',
  'TROUPE_VERSION_CONFLICT',
]);

const NO_METADATA: Readonly<Record<string, unknown>> = Object.freeze({});

function nameOf(around: { readonly definition: RuntimeAggregate; readonly id: string }): string {
  return `${around.definition.name}/${around.id}`;
}
