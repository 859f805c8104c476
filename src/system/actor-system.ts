/**
 * `ActorSystem`: the public face of a running system. Types and arguments here, the work in `runtime.ts`.
 */
import type { Observable } from 'rxjs';
import type { ArgsOf, RuntimeActor } from '../actors/actor-definition.js';
import type { SpawnArgs } from '../actors/actor-context.js';
import type { ActorRef, Addressable, MessageType, PayloadOf } from '../actors/actor-ref.js';
import type { RuntimeAggregate, StateOf } from '../actors/aggregate-definition.js';
import {
  APPEND,
  AppendRequest,
  type EventToAppend,
  type ExpectedVersion,
  SHOW_STATE,
  StateRequest,
} from '../actors/system-request.js';
import type { Receipt } from '../actors/message-options.js';
import { replay } from '../actors/replay.js';
import type { Duration } from '../core/duration.js';
import { GIVEN_TEXT, isGivenText } from '../core/given-text.js';
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { showValue } from '../core/show-value.js';
import type { JournalBackup } from '../journal/backup-journal.js';
import { TroupeError } from '../core/troupe-error.js';
import type { RuntimeSaga } from '../sagas/saga-definition.js';
import type { SagaRef } from '../sagas/saga-ref.js';
import type { RowOf, RuntimeProjection } from '../projections/projection-definition.js';
import type { View } from '../projections/view.js';
import type { RuntimeReaction } from '../reactions/reaction-definition.js';
import { foldStream, type UnknownEvents } from '../streams/log-reader.js';
import type { ReminderTiming } from '../timers/reminder-timing.js';
import type { PendingReminder } from '../timers/reminders.js';
import type { DeadLetters } from './dead-letters.js';
import { readAppend, readMoment, readSelection, readSignal, readTimeoutMs, refuseUnknown } from './read-arguments.js';
import type { SystemFact } from './fact-hub.js';
import { ReactionHandle } from './reaction-handle.js';
import { Runtime } from './runtime.js';
import type { StopReport } from './stop-report.js';
import { untilTrue } from './settle.js';
import { type Health, healthOf, type SystemMetrics, metricsOf } from './system-metrics.js';
import { readSystemOptions, type SystemOptions } from './system-options.js';

/** Which events `history` gives. */
export interface HistoryOptions {
  /** Only events with a greater position. Default 0. */
  readonly after?: number;
  readonly types?: readonly string[];
  /** An aggregate's definition or its name. */
  readonly aggregate?: RuntimeAggregate | string;
  /** Id of one aggregate. */
  readonly id?: string;
  /** Whether to go on with the present. Default false. */
  readonly live?: boolean;
  /**
   * Events whose aggregate or type the cast doesn't know: `'pass'` (default) gives them as they are stored, `'skip'`
   * leaves them out and counts them (`metrics().eventsSkipped`), `'fail'` ends the reading with TROUPE_INVALID_EVENT,
   * which names the position.
   */
  readonly unknownEvents?: UnknownEvents;
}

/** Which events `readAll` gives. */
export interface ReadAllOptions {
  readonly after?: number;
  readonly limit?: number;
  readonly types?: readonly string[];
  readonly live?: boolean;
  /** Ends the reading, also while it waits for the next event. */
  readonly signal?: AbortSignal;
  /** As for `history`. */
  readonly unknownEvents?: UnknownEvents;
}

/** A moment in the life of an aggregate; inclusive. */
export interface StateMoment {
  readonly atVersion?: number;
  /** Epoch milliseconds, compared with `recordedAt`. */
  readonly atTime?: number;
}

const HISTORY_KEYS = ['after', 'types', 'aggregate', 'id', 'live', 'unknownEvents'] as const;
const READ_ALL_KEYS = ['after', 'limit', 'types', 'live', 'signal', 'unknownEvents'] as const;

export class ActorSystem implements AsyncDisposable {
  readonly #runtime: Runtime;

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Starts a system: opens the journal, loads the cast, and goes on where reactions, sagas and projections were.
   *
   * @throws TROUPE_INVALID_OPTIONS when an option, the cast or the path is unusable; TROUPE_JOURNAL_LOCKED when another
   * system has the journal open; TROUPE_JOURNAL_CORRUPT when the file is no journal, or a damaged one.
   * @example
   * const system = await ActorSystem.start({ cast: [order], workers: 0, journal: ':memory:' });
   * await system.ref(order, '42').ask('create', { total: 1 });
   * await system.stop();
   */
  static async start(options: SystemOptions): Promise<ActorSystem> {
    return new ActorSystem(await Runtime.start(readSystemOptions(options)));
  }

  /**
   * Starts a top-level actor; resolves when it is ready for messages.
   *
   * @throws TROUPE_INVALID_OPTIONS when the id belongs to a living instance.
   */
  async spawn<D extends RuntimeActor>(definition: D, ...[options]: SpawnArgs<D>): Promise<ActorRef<D>> {
    this.#refuseWhenStopping('spawn');
    this.#known(definition, 'actor');
    const given: { readonly id?: string; readonly args?: ArgsOf<D> } = options === undefined ? {} : options;
    refuseUnknown('spawn', given, ['id', 'args']);
    const id = given.id ?? this.#runtime.newId();
    checkId('spawn', id);
    await this.#runtime.spawn(definition, id, given.args);
    return this.#typedRef(definition, id);
  }

  /** A reference to an actor or aggregate instance, or a saga, wherever it lives; never fails by itself. */
  ref<D extends RuntimeSaga>(definition: D, id: string): SagaRef<D>;
  ref<D extends Addressable>(definition: D, id: string): ActorRef<D>;
  ref(definition: Addressable | RuntimeSaga, id: string): unknown {
    // JavaScript may pass anything; reading a field of an object as unknown is safe.
    const { kind } = Object(definition) as { readonly kind?: unknown };
    if (kind === 'saga') return this.#runtime.sagaRef(definition.name, id);
    return this.#typedRef(definition as Addressable, id);
  }

  /**
   * Sends a message to an instance at a later time, however long that is: once, at a steady pace, or by the calendar
   * of a time zone. A reminder stands in the journal, survives restarts, and wakes an instance that has left memory;
   * it is never early. For aggregates a redelivery is recognised; actors get the message at least once. A reminder of
   * this name that waits is replaced. Durable when the promise resolves.
   *
   * An actor that doesn't live when its time comes is waited for; `ctx.remind` of the actor itself has it started.
   *
   * @param name unique for the instance.
   * @throws TROUPE_UNKNOWN_ACTOR, TROUPE_UNKNOWN_MESSAGE, TROUPE_INVALID_MESSAGE when the target can't take the message.
   * @throws TROUPE_INVALID_OPTIONS when name or timing can't be used; TROUPE_NOT_SERIALIZABLE for a payload that is no JSON.
   * @example
   * await system.remind(order, '42', 'place it later', 'create', { total: 1 }, { after: '2d' });
   * await system.remind(tally, 'a', 'every morning', 'add', 1, { cron: '0 8 * * *', timeZone: 'Europe/London' });
   */
  async remind<D extends Addressable, Type extends MessageType<D>>(
    definition: D,
    id: string,
    name: string,
    type: Type,
    payload: PayloadOf<D, Type>,
    timing: ReminderTiming,
  ): Promise<void> {
    this.#refuseWhenStopping('remind');
    this.#knownTarget(definition);
    checkId('remind', id);
    await this.#runtime.reminders.remind({ target: definition.name, targetId: id, name, type, payload, timing });
  }

  /** Takes a reminder away; durable when it resolves. A message that is under way can't be called back. */
  async forget(definition: Addressable, id: string, name: string): Promise<void> {
    this.#refuseWhenStopping('forget');
    this.#knownTarget(definition);
    checkId('forget', id);
    await this.#runtime.reminders.forget(definition.name, id, name);
  }

  /** The reminders of one instance that wait, in order of time. */
  async reminders(definition: Addressable, id: string): Promise<readonly PendingReminder[]> {
    this.#knownTarget(definition);
    checkId('reminders', id);
    return this.#runtime.reminders.list(definition.name, id);
  }

  /**
   * Committed events, live, in order of position. Subscribers are called synchronously, nothing is buffered; one
   * that throws is logged and counted, stays subscribed, and harms nobody.
   */
  get events(): Observable<RecordedEvent> {
    return this.#runtime.events.asObservable();
  }

  /** The past and, with `live`, then the present, without gap or repeat; each subscriber reads for itself. */
  history(options: HistoryOptions = {}): Observable<RecordedEvent> {
    return this.#runtime.reader.observe(readSelection('history', options, HISTORY_KEYS));
  }

  /** The events of one aggregate, pulled page by page. */
  read(definition: RuntimeAggregate, id: string): AsyncIterable<RecordedEvent> {
    this.#known(definition, 'aggregate');
    checkId('read', id);
    return this.#runtime.reader.read({ aggregate: definition.name, id });
  }

  /** All events in order of position, pulled page by page: for consumers that work asynchronously. */
  readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const selection = readSelection('readAll', options, READ_ALL_KEYS);
    return this.#runtime.reader.read(selection, readSignal('readAll', options.signal));
  }

  /**
   * The folded state of an aggregate, of durable events only: now, or at a version or time, inclusive.
   *
   * @throws TROUPE_UPCAST_MISSING, TROUPE_INVALID_EVENT when its events can't be read by today's code.
   */
  async state<D extends RuntimeAggregate>(definition: D, id: string, moment: StateMoment = {}): Promise<StateOf<D>> {
    this.#known(definition, 'aggregate');
    checkId('state', id);
    const at = readMoment(moment);
    // The definition's own functions made the state, so it is of its type.
    if (at.atVersion === undefined && at.atTime === undefined) {
      return (await this.#runtime.ref(definition.name, id).ask(SHOW_STATE, new StateRequest())) as StateOf<D>;
    }
    const { journal } = this.#runtime;
    await journal.flushed();
    const initial = definition.options.initialState(id);
    const state = await foldStream(journal, definition.name, id, at, initial, (before, event) =>
      replay(definition, before, event),
    );
    return state as StateOf<D>;
  }

  /**
   * Appends events as they are, all or none, through the aggregate's mailbox; durable when the promise resolves.
   * Idempotent by the ids of the events, for as long as these live: an append whose ids are all known changes nothing
   * and resolves with the place of its last event, whatever `expectedVersion` says.
   *
   * @param options.expectedVersion a number, `'none'` (must not exist) or `'any'` (default).
   * @returns version and position of the last event.
   * @throws TROUPE_VERSION_CONFLICT when the aggregate has another version: read again and retry.
   * @throws TROUPE_COMMAND_ID_REUSED when an id is known with another type or other data, or only some of the ids are
   * known: append the new ones.
   * @throws TROUPE_INVALID_EVENT, TROUPE_NOT_SERIALIZABLE when an event can't be written.
   */
  async append(
    definition: RuntimeAggregate,
    id: string,
    events: readonly EventToAppend[],
    options: { readonly expectedVersion?: ExpectedVersion; readonly timeout?: Duration } = {},
  ): Promise<{ readonly version: number; readonly position: number }> {
    this.#known(definition, 'aggregate');
    const { expectedVersion, timeoutMs } = readAppend(options);
    const request = new AppendRequest(checkedEvents(events), expectedVersion);
    const ref = this.#runtime.ref(definition.name, id);
    const receipt = await ref.ask(APPEND, request, {
      receipt: true,
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
    // An ask for a receipt resolves with one.
    const { version, position } = receipt as Receipt;
    return { version, position };
  }

  /** The read model of a projection. */
  view<P extends RuntimeProjection>(projection: P): View<RowOf<P>> {
    this.#known(projection, 'projection');
    return this.#runtime.projections.view(projection);
  }

  /**
   * What happens in the runtime, as it happens: actors that begin, fail, restart and stop, mailboxes that fill, what is
   * dropped, workers that are lost, commits. Costs nothing measurable while nobody is subscribed. Facts of workers come
   * a moment later than their effects; what a worker had not handed over when it was lost, is not told.
   *
   * @example
   * system.facts.subscribe((fact) => {
   *   if (fact.kind === 'worker-lost') console.warn(fact.worker, fact.reason);
   * });
   */
  get facts(): Observable<SystemFact> {
    return this.#runtime.facts.asObservable();
  }

  /** A reaction: where it stands, and `replay({ from })`. */
  reaction(definition: RuntimeReaction): ReactionHandle {
    this.#known(definition, 'reaction');
    return new ReactionHandle(definition.name, this.#runtime.reactions);
  }

  /** What could not be delivered or handled: an Observable, and `list()`, `retry(id)`, `discard(id)`. */
  get deadLetters(): DeadLetters {
    return this.#runtime.deadLetters;
  }

  /**
   * Resolves when nothing is left to do: no message waiting or handled, no commit pending, every reaction and
   * projection at the head, no saga at work. Parked keys, stopped projections, and sagas that sleep or wait don't count;
   * a retry in backoff does.
   *
   * @param options.timeout default 30 s.
   * @throws TROUPE_ASK_TIMEOUT naming what is still under way.
   */
  async settled(options: { readonly timeout?: Duration } = {}): Promise<void> {
    const timeoutMs = readTimeoutMs('settled', options, LIMITS.settledTimeoutMs);
    if (await untilTrue(async () => this.#runtime.stopping || (await this.#runtime.settled()), timeoutMs)) {
      this.#refuseWhenStopping('settled');
      return;
    }
    const { unfinished, reactions, sagas, projections } = this.metrics();
    const behind = [...reactions, ...sagas, ...projections]
      .filter((one) => one.lag > 0)
      .map((one) => `${one.name} (${one.lag} behind)`);
    const running = sagas.reduce((sum, one) => sum + one.running + one.compensating, 0);
    if (running > 0) behind.push(`${running} sagas at work`);
    throw new TroupeError(
      'TROUPE_ASK_TIMEOUT',
      `not settled within ${timeoutMs} ms: ${unfinished} messages under way${behind.length > 0 ? `, ${behind.join(', ')}` : ''}`,
      { details: { unfinished, behind } },
    );
  }

  /**
   * Copies the journal as it is at one moment, while writes go on; the copy is a journal like any other. It gets its
   * name only when all of it is on the disk, so a file at `path` is never half a backup.
   *
   * @param path where the copy goes; nothing may be there yet.
   * @returns its absolute path, the position of the last event in it, and its size.
   * @throws TROUPE_INVALID_OPTIONS when there is something at `path`, or the journal is in memory.
   * @throws TROUPE_JOURNAL_WRITE_FAILED when the copy can't be written; nothing is left at `path` then.
   * @example
   * const { position } = await system.backup('backups/shop-monday.db');
   * console.log(`all up to position ${position} is safe`);
   */
  async backup(path: string): Promise<JournalBackup> {
    this.#refuseWhenStopping('backup');
    if (typeof path !== 'string' || path === '')
      throw new TroupeError('TROUPE_INVALID_OPTIONS', 'backup: give the path of a file that does not exist yet');
    return this.#runtime.backup(path);
  }

  /** Numbers of the system, as plain data, at once. */
  metrics(): SystemMetrics {
    return metricsOf(this.#runtime);
  }

  /** Whether all is well; else what isn't, by name, position and error. */
  health(): Health {
    return healthOf(this.#runtime);
  }

  /**
   * Stops the system: refuses new messages, finishes mailboxes, commits, closes. Backlogs of reactions go on at the
   * next start; what misses the deadline fails with TROUPE_SYSTEM_STOPPED. Nothing keeps the process alive
   * afterwards. A second call waits for the first.
   *
   * @param options.timeout default 10 s.
   * @returns the phases as they went, and what could not be handled in time, by definition.
   */
  async stop(options: { readonly timeout?: Duration } = {}): Promise<StopReport> {
    const timeoutMs = readTimeoutMs('stop', options, LIMITS.stopTimeoutMs);
    return this.#runtime.stop(timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #typedRef<D extends Addressable>(definition: D, id: string): ActorRef<D> {
    // What the definition's types say of its messages is checked at run time by the router.
    this.#knownTarget(definition);
    return this.#runtime.ref(definition.name, id) as unknown as ActorRef<D>;
  }

  #knownTarget(definition: Addressable): void {
    const name: unknown = (Object(definition) as { readonly name?: unknown }).name;
    if (typeof name !== 'string') this.#known(definition, 'actor or aggregate');
  }

  #refuseWhenStopping(what: string): void {
    if (!this.#runtime.stopping) return;
    throw new TroupeError(
      'TROUPE_SYSTEM_STOPPED',
      `${what} is refused, because ${this.#runtime.settings.name} has been stopped`,
    );
  }

  #known(definition: unknown, kind: string): void {
    // JavaScript may pass anything; reading a field of an object as unknown is safe.
    const { name } = Object(definition) as { readonly name?: unknown };
    const { actors, aggregates, reactions, sagas, projections } = this.#runtime.cast;
    const found = [...actors, ...aggregates, ...reactions, ...sagas, ...projections].find((one) => one.name === name);
    if (found?.kind === kind) return;
    const what =
      found === undefined
        ? `is ${showValue(definition)}, which is not in the cast`
        : `is the ${found.kind} ${found.name}`;
    throw new TroupeError(
      found === undefined && typeof name === 'string' ? 'TROUPE_UNKNOWN_ACTOR' : 'TROUPE_INVALID_OPTIONS',
      typeof name === 'string' && found === undefined
        ? `no ${kind} named ${name} is in the cast; export its definition from the module given as cast`
        : `the definition ${what}; give one made by ${kind}()`,
      { details: { name: showValue(name), kind } },
    );
  }
}

/** JavaScript may pass anything. */
function checkId(member: string, id: unknown): void {
  if (isGivenText(id)) return;
  throw new TroupeError('TROUPE_INVALID_OPTIONS', `${member}: the id is ${showValue(id)}; ${GIVEN_TEXT}`);
}

function checkedEvents(events: readonly EventToAppend[]): readonly EventToAppend[] {
  // JavaScript may pass anything.
  const given: unknown = events;
  if (Array.isArray(given) && given.length >= 1 && given.length <= 1_000) return events;
  throw new TroupeError('TROUPE_INVALID_OPTIONS', 'append: give an array of 1 to 1,000 events, each { type, data }');
}
