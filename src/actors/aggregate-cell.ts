/**
 * The cell of one aggregate instance: mailbox, state, and the outcomes that are on their way to the journal.
 *
 * One command at a time is decided; its events are applied at once and its reply is held until they are durable,
 * so that the next command may be decided meanwhile (promise 2: speculative, but never visible). When a commit
 * fails, everything decided on top fails with it and the instance is loaded again. Hot path: no promise for a
 * synchronous handler; watched by the bench suites `journal` and `end-to-end`.
 */
import type { Clock, Timer } from '../core/clock.js';
import type { Envelope } from '../core/envelope.js';
import type { HandlingMark } from '../core/handling-mark.js';
import type { Logger } from '../core/logger.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { showThrown } from '../core/show-value.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import { encodeStream } from '../journal/event-codec.js';
import type { CellJournal, Stream } from '../journal/journal.js';
import { nextHighWater } from '../mailbox/high-water.js';
import { Mailbox } from '../mailbox/mailbox.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { type RecoveredAggregate, recoverAggregate } from './aggregate-recovery.js';
import type { Answers } from './answers.js';
import { CommandEntry, type EntryOwner } from './command-entry.js';
import { type Decision, type DecidedEntry, decide } from './decide.js';
import type { Dispatcher, Runnable } from './dispatcher.js';
import { LoadBackoff } from './load-backoff.js';
import { Repeats } from './repeats.js';
import { SnapshotEntry, SnapshotPace } from './snapshot-policy.js';
import { Speculation } from './speculation.js';
import { AppendRequest } from './system-request.js';

/** What cells take from the thread they live on. */
export interface CellSurroundings {
  readonly journal: CellJournal;
  readonly dispatcher: Dispatcher;
  readonly answers: Answers;
  readonly mark: HandlingMark;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each recorded event that is passed over (`unknownEvents: 'skip'`). */
  readonly skipped: (event: RecordedEvent) => void;
  readonly newId: () => string;
  readonly askTimeoutMs: number;
}

/**
 * `cold`: not loaded. `loading`: messages wait. `ready`: handles messages. `stepping`: an asynchronous step of one
 * message is under way. `failing`: the state is void; when everything under way is settled, the journal is asked for
 * the truth. `backing-off`: loading failed. `ended`: gone for good.
 */
type Phase = 'cold' | 'loading' | 'ready' | 'stepping' | 'failing' | 'backing-off' | 'ended';

export class AggregateCell implements Runnable, EntryOwner {
  readonly definition: RuntimeAggregate;
  readonly id: string;
  readonly log: Logger;
  readonly mailbox: Mailbox;
  /** As many messages waiting are news. */
  highWater: number;
  /** Neighbours in the order of last use (aggregate-host.ts). */
  newer: AggregateCell | undefined;
  older: AggregateCell | undefined;
  lastUsedMs = 0;

  readonly #around: CellSurroundings;
  readonly #speculation: Speculation;
  readonly #repeats: Repeats;
  readonly #snapshots: SnapshotPace;
  #phase: Phase = 'cold';
  #scheduled = false;
  #stream: Stream | undefined;
  #state: unknown;
  #version = 0;
  /** Whether code of an asynchronous step is running, be its result void or not. */
  #stepping = false;
  /** The message of that step, until it is answered. */
  #current: Envelope | undefined;
  /** Why the state is void. */
  #failure: TroupeError | undefined;
  #backoff: LoadBackoff | undefined;
  #backoffTimer: Timer | undefined;
  #abort: AbortController | undefined;
  #streamText: string | undefined;

  constructor(around: CellSurroundings, definition: RuntimeAggregate, id: string) {
    this.#around = around;
    this.definition = definition;
    this.id = id;
    this.log = around.log;
    this.mailbox = new Mailbox(definition.options.mailbox);
    this.highWater = nextHighWater(definition.options.mailbox.capacity, 0);
    this.#speculation = new Speculation(around.answers);
    this.#repeats = new Repeats(around, this.#speculation);
    this.#snapshots = new SnapshotPace(this);
  }

  /** Whether nothing waits, is handled or being committed: the instance may leave memory. */
  get idle(): boolean {
    const resting = this.#phase === 'ready' || this.#phase === 'cold';
    return resting && this.#speculation.isEmpty && this.mailbox.size === 0;
  }

  get streamText(): string {
    this.#streamText ??= encodeStream(this.definition.name, this.id);
    return this.#streamText;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#phase === 'ended') this.#abort.abort();
    return this.#abort.signal;
  }

  now(): number {
    return this.#around.clock.now();
  }

  newId(): string {
    return this.#around.newId();
  }

  /** There is a message in the mailbox. */
  wake(): void {
    if (this.#phase === 'ready') this.#schedule();
    else if (this.#phase === 'cold') this.#load();
    else if (this.#phase === 'backing-off') this.#failWaiting();
  }

  /** The instance ends: what waits or is handled fails with `error`. What is being committed gets its answer. */
  end(error: TroupeError): void {
    this.leave();
    if (this.#current !== undefined) this.#around.answers.fail(this.#current, error);
    this.#current = undefined;
    for (const envelope of this.mailbox.drain()) this.#around.answers.fail(envelope, error);
  }

  /** The instance leaves memory; its state stays in the journal. */
  leave(): void {
    this.#phase = 'ended';
    this.#abort?.abort();
    this.#backoffTimer?.cancel();
    this.#forgetState();
  }

  run(budget: number): boolean {
    for (let left = budget; left > 0 && this.#canRun; left -= 1) {
      const envelope = this.mailbox.take();
      if (envelope !== undefined) this.#handle(envelope);
    }
    this.#scheduled = this.#canRun;
    return this.#scheduled;
  }

  get #canRun(): boolean {
    return this.#phase === 'ready' && this.mailbox.size > 0 && !this.#speculation.isFull;
  }

  #schedule(): void {
    if (this.#scheduled || !this.#canRun) return;
    this.#scheduled = true;
    this.#around.dispatcher.schedule(this);
  }

  // Handling one message

  #handle(envelope: Envelope): void {
    const { commandId: id, payload } = envelope;
    if (payload instanceof AppendRequest && payload.hasIds) return this.#handleAppend(envelope, payload);
    if (id === undefined || this.definition.options.queries.has(envelope.type)) return this.#decide(envelope);
    const known = this.#repeats.recognise(envelope, id);
    if (known === 'new') this.#decide(envelope);
    else if (known === 'perhaps') this.#lookUp(envelope, id);
  }

  #lookUp(envelope: Envelope, id: string): void {
    const upcoming = (ahead: number): Envelope | undefined => this.mailbox.upcoming(ahead);
    this.#step(envelope, this.#repeats.lookUp(this.definition.name, this.id, id, upcoming), (finding) => {
      if (this.#repeats.answer(envelope, id, finding) === 'new') this.#decide(envelope);
    });
  }

  /** Appends are recognised event by event, whatever else they came with. */
  #handleAppend(envelope: Envelope, request: AppendRequest): void {
    if (this.#repeats.isNewAppend(this, request, this.#version)) return this.#decide(envelope);
    const upcoming = (ahead: number): Envelope | undefined => this.mailbox.upcoming(ahead);
    this.#step(envelope, this.#repeats.lookUpEvents(this, request, upcoming), (verdict) => {
      if (this.#repeats.answerAppend(envelope, verdict) === 'new') this.#decide(envelope);
    });
  }

  #decide(envelope: Envelope): void {
    const { mark } = this.#around;
    mark.enter(envelope);
    const decision = decide(this, { state: this.#state, version: this.#version }, envelope);
    mark.leave();
    if (!(decision instanceof Promise)) return this.#conclude(envelope, decision);
    const slot = mark.hold(envelope);
    void decision.then(() => mark.release(slot));
    this.#step(envelope, decision, (decided) => this.#conclude(envelope, decided));
  }

  /**
   * Waits for an asynchronous step of one message; nothing else is handled meanwhile, also if its result turns out to
   * be void. The promise must not reject.
   */
  #step<Result>(envelope: Envelope, step: Promise<Result>, then: (result: Result) => void): void {
    this.#phase = 'stepping';
    this.#stepping = true;
    this.#current = envelope;
    void step.then((result) => {
      this.#stepping = false;
      if (this.#phase !== 'stepping') return this.#startAgain();
      this.#current = undefined;
      this.#phase = 'ready';
      then(result);
      this.#schedule();
    });
  }

  #conclude(envelope: Envelope, decision: Decision): void {
    const { answers, journal } = this.#around;
    const version = this.#version;
    switch (decision.kind) {
      case 'entry':
        return this.#append(envelope, decision);
      case 'answered':
        return this.#speculation.hold(envelope, () => answers.reply(envelope, decision.reply, journal.head, version));
      case 'failed':
        this.#speculation.hold(envelope, () => answers.fail(envelope, decision.error));
        if (decision.stateSuspect) this.#startOver(decision.error);
        return;
    }
  }

  #append(envelope: Envelope, decision: DecidedEntry): void {
    if (this.#stream === undefined) throw new Error(`${this.definition.name}/${this.id} decided before it was loaded`);
    const snapshot = this.#snapshots.after(decision.state, decision.version, decision.events);
    const entry = new CommandEntry(this, envelope, this.#stream, decision, snapshot);
    this.#state = decision.state;
    this.#version = decision.version;
    this.#speculation.add(entry);
    if (entry.explicitId || entry.eventIds !== undefined) this.#repeats.underWay(entry);
    this.#around.journal.append(entry);
  }

  // Commits

  entryCommitted(entry: CommandEntry): void {
    const { answers } = this.#around;
    if (entry.explicitId || entry.eventIds !== undefined) this.#repeats.settled(entry);
    if (entry.rejection === undefined) answers.reply(entry.envelope, entry.reply, entry.position, entry.version);
    else answers.fail(entry.envelope, entry.rejection);
    this.#speculation.settle(entry, undefined);
    if (this.#phase === 'failing') this.#startAgain();
    else this.#schedule();
  }

  entryFailed(entry: CommandEntry, error: TroupeError): void {
    this.#around.answers.fail(entry.envelope, error);
    this.#speculation.settle(entry, error);
    if (this.#phase === 'failing') this.#startAgain();
    else if (this.#phase !== 'ended') this.#startOver(error);
  }

  /** The state is void, and so is whatever is being decided on it. */
  #startOver(cause: TroupeError): void {
    this.#failure = cause;
    this.#phase = 'failing';
    this.#startAgain();
  }

  /** When all that was under way is settled, the journal is asked for the truth. */
  #startAgain(): void {
    if (this.#phase !== 'failing' || !this.#speculation.isEmpty) return;
    const { answers } = this.#around;
    const cause = this.#failure;
    if (this.#current !== undefined && cause !== undefined) answers.fail(this.#current, cause);
    this.#current = undefined;
    if (this.#stepping) return;
    this.#forgetState();
    this.#phase = 'cold';
    if (this.mailbox.size > 0) this.#load();
  }

  #forgetState(): void {
    if (this.#stream !== undefined) this.#around.journal.release(this.#stream);
    this.#stream = undefined;
    this.#state = undefined;
  }

  // Loading

  #load(): void {
    this.#phase = 'loading';
    recoverAggregate(this.#around.journal, this.definition, this.id, this.#around).then(
      (recovered) => this.#recovered(recovered),
      (error: unknown) => this.#notRecovered(error),
    );
  }

  #recovered(recovered: RecoveredAggregate): void {
    this.#stream = recovered.stream;
    if (this.#phase === 'ended') return this.#forgetState();
    this.#state = recovered.state;
    this.#version = recovered.version;
    this.#repeats.load(recovered.commandHashes);
    this.#backoff = undefined;
    this.#phase = 'ready';
    this.#snapshotAfter(recovered);
    this.#schedule();
  }

  /** So much may have been replayed that the next recovery should not have to. */
  #snapshotAfter({ stream, state, version, snapshotVersion, replayedBytes }: RecoveredAggregate): void {
    const snapshot = this.#snapshots.recovered(state, version, snapshotVersion, replayedBytes);
    if (snapshot === undefined) return;
    const failed = (error: TroupeError): void => {
      if (this.#stream === stream && (this.#phase === 'ready' || this.#phase === 'stepping')) this.#startOver(error);
    };
    this.#around.journal.append(new SnapshotEntry(stream, version, snapshot, failed));
  }

  /** Messages wait through the first failure and what follows it; from the second on they fail with its error. */
  #notRecovered(error: unknown): void {
    if (this.#phase === 'ended') return;
    const failure = this.#asFailure(error);
    this.#backoff ??= new LoadBackoff(this.#around.askTimeoutMs);
    const delayMs = this.#backoff.failed(failure);
    this.#phase = 'backing-off';
    this.#backoffTimer = this.#around.clock.setTimer(delayMs, () => {
      this.#phase = 'cold';
      if (this.mailbox.size > 0) this.#load();
    });
    if (this.#backoff.verdict === undefined) this.log.error(failure.message, { error });
    else this.#failWaiting();
  }

  /** Whoever comes while the instance backs off hears at once why, and not of a timeout that may be shorter. */
  #failWaiting(): void {
    const verdict = this.#backoff?.verdict;
    if (verdict === undefined) return;
    for (const envelope of this.mailbox.drain()) this.#around.answers.fail(envelope, verdict);
  }

  #asFailure(error: unknown): TroupeError {
    if (isTroupeError(error)) return error;
    const message = `${this.definition.name}/${this.id} can't be loaded: ${showThrown(error)}`;
    return new TroupeError('TROUPE_ACTOR_FAILED', message, { cause: error });
  }
}
