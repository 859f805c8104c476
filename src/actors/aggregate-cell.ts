/**
 * The cell of one aggregate instance: mailbox, state, and the outcomes that are on their way to the journal.
 *
 * One command at a time is decided; its events are applied at once and its reply is held until they are durable,
 * so that the next command may be decided meanwhile (promise 2: speculative, but never visible). When a commit
 * fails, everything decided on top fails with it and the instance is loaded again. Hot path: no promise for a
 * synchronous handler; watched by the bench suites `journal` and `end-to-end`.
 */
import type { Clock } from '../core/clock.js';
import type { DeadLetterSink } from '../core/dead-letter.js';
import type { Envelope } from '../core/envelope.js';
import type { Logger } from '../core/logger.js';
import { LIMITS } from '../core/limits.js';
import { isTroupeError, TroupeError } from '../core/troupe-error.js';
import type { CellJournal, Outcome, StoredOutcome, Stream } from '../journal/journal.js';
import { Mailbox } from '../mailbox/mailbox.js';
import type { RuntimeAggregate } from './aggregate-definition.js';
import { type RecoveredAggregate, recoverAggregate } from './aggregate-recovery.js';
import { CommandEntry, type EntryOwner } from './command-entry.js';
import { CommandMemory } from './command-memory.js';
import { type Decision, type DecidedEntry, decide, fingerprintOf } from './decide.js';
import type { Dispatcher, Runnable } from './dispatcher.js';
import { LoadBackoff } from './load-backoff.js';
import { snapshotOf } from './snapshot-policy.js';
import { answerRepeat, failEnvelope, idReused } from './undeliverable.js';

/** What cells take from the thread they live on. */
export interface CellSurroundings {
  readonly journal: CellJournal;
  readonly dispatcher: Dispatcher;
  readonly deadLetters: DeadLetterSink;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly askTimeoutMs: number;
  /** A message has got its answer, or ended as a dead letter. */
  finished(envelope: Envelope): void;
}

/**
 * `cold`: not loaded. `loading`: messages wait. `ready`: handles messages. `handling`: an asynchronous step of one
 * command is under way. `failing`: a commit failed, its companions are being told. `backing-off`: loading failed.
 */
type Phase = 'cold' | 'loading' | 'ready' | 'handling' | 'failing' | 'backing-off';

export class AggregateCell implements Runnable, EntryOwner {
  readonly definition: RuntimeAggregate;
  readonly id: string;
  readonly log: Logger;
  /** Neighbours in the order of last use (aggregate-host.ts). */
  newer: AggregateCell | undefined;
  older: AggregateCell | undefined;
  lastUsedMs = 0;

  readonly #around: CellSurroundings;
  readonly #mailbox: Mailbox;
  readonly #memory = new CommandMemory();
  #phase: Phase = 'cold';
  #scheduled = false;
  #stream: Stream | undefined;
  #state: unknown;
  #version = 0;
  #snapshotVersion = 0;
  /** Entries appended and not yet durable. */
  #pending = 0;
  #lastEntry: CommandEntry | undefined;
  /** Grows with each failed commit: a decision made before is void. */
  #epoch = 0;
  #failure: TroupeError | undefined;
  /** An asynchronous handler of this epoch is under way. */
  #deciding = false;
  readonly #backoff: LoadBackoff;
  #abort: AbortController | undefined;

  constructor(around: CellSurroundings, definition: RuntimeAggregate, id: string) {
    this.#around = around;
    this.definition = definition;
    this.id = id;
    this.log = around.log;
    this.#mailbox = new Mailbox(definition.options.mailbox);
    this.#backoff = new LoadBackoff(around.askTimeoutMs);
  }

  /** Whether nothing waits, is handled or being committed: the instance may leave memory. */
  get idle(): boolean {
    const resting = this.#phase === 'ready' || this.#phase === 'cold';
    return resting && this.#pending === 0 && this.#mailbox.size === 0;
  }

  get waiting(): number {
    return this.#mailbox.size;
  }

  get mailbox(): Mailbox {
    return this.#mailbox;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
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
  }

  /** The instance ends: what waits fails with `error`. */
  end(error: TroupeError): void {
    for (const envelope of this.#mailbox.drain()) this.#fail(envelope, error);
    this.leave();
  }

  /** The instance leaves memory; its state stays in the journal. */
  leave(): void {
    this.#abort?.abort();
    if (this.#stream !== undefined) this.#around.journal.release(this.#stream);
  }

  run(budget: number): boolean {
    for (let left = budget; left > 0 && this.#phase === 'ready'; left -= 1) {
      if (this.#pending >= LIMITS.speculativeCommands) break;
      const envelope = this.#mailbox.take();
      if (envelope === undefined) break;
      this.#handle(envelope);
    }
    this.#scheduled = this.#canRun;
    return this.#scheduled;
  }

  get #canRun(): boolean {
    return this.#phase === 'ready' && this.#mailbox.size > 0 && this.#pending < LIMITS.speculativeCommands;
  }

  #schedule(): void {
    if (this.#scheduled || !this.#canRun) return;
    this.#scheduled = true;
    this.#around.dispatcher.schedule(this);
  }

  // Handling one message

  #handle(envelope: Envelope): void {
    const id = envelope.commandId;
    if (id === undefined || this.definition.options.queries.has(envelope.type)) return this.#decide(envelope);
    const known = this.#memory.find(id);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprintOf(envelope)) return this.#refuseReused(envelope);
      if (known.entry === undefined) return this.#repeat(envelope, known.outcome);
      if (envelope.sink !== undefined) known.entry.join(envelope.sink);
      return known.entry.follow(() => this.#around.finished(envelope));
    }
    if (this.#memory.mayBeStored(id)) return void this.#handleSuspect(envelope, id);
    this.#decide(envelope);
  }

  /** The hash of the id is known: only the journal can tell whether the id is. */
  async #handleSuspect(envelope: Envelope, id: string): Promise<void> {
    this.#phase = 'handling';
    const epoch = this.#epoch;
    let stored: StoredOutcome | undefined;
    try {
      stored = await this.#around.journal.findOutcome(this.definition.name, this.id, id);
    } catch (error) {
      this.#fail(envelope, this.#asFailure(envelope, error));
      return this.#resume(epoch);
    }
    if (epoch !== this.#epoch) return this.#failVoid(envelope);
    if (stored === undefined) this.#decide(envelope);
    else {
      this.#memory.remember(id, stored.fingerprint, stored.outcome);
      if (stored.fingerprint === fingerprintOf(envelope)) this.#repeat(envelope, stored.outcome);
      else this.#refuseReused(envelope);
    }
    if (!this.#deciding) this.#resume(epoch);
  }

  #decide(envelope: Envelope): void {
    const decision = decide(this, { state: this.#state, version: this.#version }, envelope);
    if (!(decision instanceof Promise)) return this.#conclude(envelope, decision);
    const epoch = this.#epoch;
    this.#phase = 'handling';
    this.#deciding = true;
    // `decide` turns every failure into a decision: the promise never rejects.
    void decision.then((decided) => {
      if (epoch !== this.#epoch) return this.#failVoid(envelope);
      this.#deciding = false;
      this.#conclude(envelope, decided);
      this.#resume(epoch);
    });
  }

  /** An asynchronous step is over, unless a failed commit has ended its epoch. */
  #resume(epoch: number): void {
    if (epoch !== this.#epoch || this.#phase !== 'handling') return;
    this.#phase = 'ready';
    this.#schedule();
  }

  #conclude(envelope: Envelope, decision: Decision): void {
    switch (decision.kind) {
      case 'entry':
        return this.#append(envelope, decision);
      case 'answered':
        return this.#afterPending(envelope, () => this.#answer(envelope, decision.reply));
      case 'failed':
        this.#afterPending(envelope, () => this.#fail(envelope, decision.error));
        if (decision.stateSuspect) this.#startOver(decision.error);
        return;
    }
  }

  #append(envelope: Envelope, decision: DecidedEntry): void {
    if (this.#stream === undefined) throw new Error(`${this.definition.name}/${this.id} decided before it was loaded`);
    const snapshot = snapshotOf(this, decision, this.#snapshotVersion);
    const entry = new CommandEntry(this, envelope, this.#stream, decision, snapshot);
    this.#state = decision.state;
    this.#version = decision.version;
    if (snapshot !== undefined) this.#snapshotVersion = decision.version;
    this.#pending += 1;
    this.#lastEntry = entry;
    if (entry.explicitId) this.#memory.underWay(entry);
    this.#around.journal.append(entry);
  }

  // Answers

  /** Calls back once everything decided so far is durable; when that fails, the message fails with it. */
  #afterPending(envelope: Envelope, then: () => void): void {
    if (this.#lastEntry === undefined) return then();
    this.#lastEntry.follow((error) => {
      if (error === undefined) then();
      else this.#fail(envelope, error);
    });
  }

  #answer(envelope: Envelope, reply: unknown): void {
    envelope.sink?.reply(reply, this.#around.journal.head, this.#version);
    this.#around.finished(envelope);
  }

  #repeat(envelope: Envelope, outcome: Outcome | undefined): void {
    this.#afterPending(envelope, () => {
      if (outcome !== undefined) answerRepeat(this.#around.deadLetters, envelope, outcome);
      this.#around.finished(envelope);
    });
  }

  #refuseReused(envelope: Envelope): void {
    const error = idReused(envelope);
    this.#afterPending(envelope, () => this.#fail(envelope, error));
  }

  #fail(envelope: Envelope, error: TroupeError): void {
    failEnvelope(this.#around.deadLetters, envelope, error);
    this.#around.finished(envelope);
  }

  /** Decided on a state that is void now. */
  #failVoid(envelope: Envelope): void {
    this.#fail(envelope, this.#failure ?? this.#asFailure(envelope, new Error('the instance started over')));
  }

  #asFailure(envelope: Envelope, error: unknown): TroupeError {
    if (isTroupeError(error)) return error;
    const message = `${this.definition.name}/${this.id}: ${envelope.type} failed`;
    return new TroupeError('TROUPE_ACTOR_FAILED', message, { cause: error });
  }

  // Commits

  entryCommitted(entry: CommandEntry, firstPosition: number): void {
    this.#pending -= 1;
    if (this.#lastEntry === entry) this.#lastEntry = undefined;
    const position = entry.eventCount > 0 ? firstPosition + entry.eventCount - 1 : this.#around.journal.head;
    if (entry.explicitId) this.#memory.settled(entry, entry.outcomeAt(position));
    const version = entry.baseVersion + entry.eventCount;
    if (entry.rejection === undefined) {
      entry.envelope.sink?.reply(entry.reply, position, version);
      for (const sink of entry.joined) sink.reply(entry.reply, position, version);
    } else {
      failEnvelope(this.#around.deadLetters, entry.envelope, entry.rejection);
      for (const sink of entry.joined) sink.fail(entry.rejection);
    }
    this.#around.finished(entry.envelope);
    entry.releaseFollowers(undefined);
    if (this.#phase === 'failing') this.#settleFailing();
    else this.#schedule();
  }

  entryFailed(entry: CommandEntry, error: TroupeError): void {
    this.#pending -= 1;
    if (this.#lastEntry === entry) this.#lastEntry = undefined;
    if (this.#phase !== 'failing') this.#startOver(error);
    this.#fail(entry.envelope, error);
    for (const sink of entry.joined) sink.fail(error);
    entry.releaseFollowers(error);
    this.#settleFailing();
  }

  /** The state is void. When all that was under way is settled, the journal is asked for the truth. */
  #startOver(cause: TroupeError): void {
    this.#epoch += 1;
    this.#deciding = false;
    this.#failure = cause;
    this.#phase = 'failing';
    this.#settleFailing();
  }

  #settleFailing(): void {
    if (this.#phase !== 'failing' || this.#pending > 0) return;
    this.#phase = 'cold';
    this.#stream = undefined;
    this.#state = undefined;
    if (this.#mailbox.size > 0) this.#load();
  }

  // Loading

  #load(): void {
    this.#phase = 'loading';
    recoverAggregate(this.#around.journal, this.definition, this.id, this.log).then(
      (recovered) => this.#recovered(recovered),
      (error: unknown) => this.#notRecovered(error),
    );
  }

  #recovered(recovered: RecoveredAggregate): void {
    this.#stream = recovered.stream;
    this.#state = recovered.state;
    this.#version = recovered.version;
    this.#snapshotVersion = recovered.snapshotVersion;
    this.#memory.load(recovered.commandHashes);
    this.#backoff.succeeded();
    this.#phase = 'ready';
    this.#schedule();
  }

  /** Messages wait through the first failure; from the second on, what waits fails with its error. */
  #notRecovered(error: unknown): void {
    const failure = isTroupeError(error)
      ? error
      : new TroupeError('TROUPE_ACTOR_FAILED', `${this.definition.name}/${this.id} can't be loaded`, { cause: error });
    const delayMs = this.#backoff.failed();
    if (this.#backoff.failures > 1) for (const envelope of this.#mailbox.drain()) this.#fail(envelope, failure);
    else this.log.error(failure.message, { error });
    this.#phase = 'backing-off';
    this.#around.clock.setTimer(delayMs, () => {
      this.#phase = 'cold';
      if (this.#mailbox.size > 0) this.#load();
    });
  }
}
