/**
 * The dead letters of a system: what could not be delivered or handled, kept, shown, and sent again on demand.
 *
 * Bounded (the oldest give way and are counted; parked events never do) and durable: each letter is a record of
 * the journal. Observers are told of each letter as it comes. Parked events belong to the reaction that parked
 * them; their retry and discard are its own (`reactions/parked-letters.ts`).
 */
import type { Clock } from '../core/clock.js';
import type { DeadLetter, DeadLetterReason, DeadLetterTrace } from '../core/dead-letter.js';
import type { Post } from '../core/envelope.js';
import { LIMITS } from '../core/limits.js';
import type { FactSink } from '../core/runtime-fact.js';
import type { Logger } from '../core/logger.js';
import { showValue } from '../core/show-value.js';
import { TroupeError } from '../core/troupe-error.js';
import type { Journal, RecordChange } from '../journal/journal.js';
import type { ParkingOffice } from '../projections/parked-notes.js';
import type { LetterDraft, ParkedFacts, ParkedLetters, ParkedOwner } from '../reactions/parked-letters.js';
import { SafeObservable } from '../streams/safe-observable.js';
import { SafeSubject } from '../streams/safe-subject.js';
import { ThrottledLog } from '../streams/throttled-log.js';
import { DEAD_LETTER, type KeptLetter, letterErasure, letterRecord, readLetter } from './dead-letter-record.js';
import { resend } from './dead-letter-resend.js';
import { DeadLetterWriter } from './dead-letter-writer.js';

/** What the dead letters need of the system. */
export interface DeadLetterOptions {
  readonly journal: Pick<Journal, 'readRecords' | 'writeRecords'>;
  /** Where retried messages go. */
  readonly post: Post;
  readonly clock: Clock;
  readonly log: Logger;
  readonly facts: FactSink;
  readonly newId: () => string;
  /** Letters kept, parked ones not counted. Default `LIMITS.deadLettersKept`. */
  readonly kept?: number;
}

/**
 * An Observable of dead letters as they come, and the way to look at them, retry and discard them.
 *
 * Subscribers are called synchronously; one that throws is logged and counted, stays subscribed, and harms nobody.
 *
 * @example
 * system.deadLetters.subscribe((letter) => console.log(letter.reason, letter.target, letter.type));
 * for (const letter of system.deadLetters.list()) await system.deadLetters.retry(letter.id);
 */
export class DeadLetters extends SafeObservable<DeadLetter> implements ParkedLetters {
  readonly #options: DeadLetterOptions;
  readonly #limit: number;
  readonly #letters$: SafeSubject<DeadLetter>;
  readonly #log: ThrottledLog;
  readonly #writer: DeadLetterWriter;
  /** Oldest first, parked ones apart: those are never dropped. */
  readonly #kept = new Map<string, KeptLetter>();
  readonly #parked = new Map<string, KeptLetter>();
  readonly #counts = new Map<string, number>();
  readonly #retries = new Map<string, Promise<void>>();
  #owner: ParkedOwner | undefined;

  constructor(options: DeadLetterOptions) {
    const letters$ = new SafeSubject<DeadLetter>(options.log, 'deadLetters', options.clock);
    super(letters$, (subscriber) => letters$.asObservable().subscribe(subscriber));
    this.#options = options;
    this.#letters$ = letters$;
    this.#limit = options.kept ?? LIMITS.deadLettersKept;
    this.#log = new ThrottledLog(options.log, options.clock, 'warn');
    this.#writer = new DeadLetterWriter(options.journal, options.clock, (error) => {
      this.#log.write('write failed', 'dead letters could not be written; they are kept in memory and tried again', {
        error,
      });
    });
  }

  /**
   * The letters kept, oldest first.
   *
   * Answers at once; it may be awaited like the other two.
   */
  list(): readonly DeadLetter[] {
    const all = [...this.#kept.values(), ...this.#parked.values()].map(({ letter }) => letter);
    return all.sort((a, b) => a.at - b.at);
  }

  /** The letters kept that have this reason. */
  withReason(reason: DeadLetterReason): readonly DeadLetter[] {
    return Array.from(this.#kept.values(), ({ letter }) => letter).filter((letter) => letter.reason === reason);
  }

  /**
   * Sends the message again, with its command id, correlation, causation and metadata; a command that was rejected
   * gets a fresh id derived from its own, because the first outcome would answer. A parked event is handled again,
   * with fresh attempts, before later events of its key.
   *
   * Resolves when that has an outcome: the letter is gone when it was good, and stays with the new error when not.
   *
   * @throws TROUPE_INVALID_OPTIONS when there is no such letter, and what `tell` throws for mistakes that a sender
   * can see.
   */
  retry(id: string): Promise<void> {
    const running = this.#retries.get(id);
    if (running !== undefined) return running;
    const retry = this.#retry(id).finally(() => this.#retries.delete(id));
    this.#retries.set(id, retry);
    return retry;
  }

  /**
   * Gives a letter up; that of a parked event releases its key, and later events go on in order. Durable when the
   * promise resolves.
   *
   * @throws TROUPE_INVALID_OPTIONS when there is no such letter.
   */
  async discard(id: string): Promise<void> {
    this.#find(id);
    // A retry under way comes first; whether it fails is told to whoever asked for it.
    await this.#retries.get(id)?.catch(() => undefined);
    const kept = this.#parked.get(id);
    if (kept !== undefined) return this.#ownerOf(kept.letter).discard(kept.letter);
    await this.erase(id);
  }

  /** Loads what earlier runs have left. */
  async start(): Promise<void> {
    const records = await this.#options.journal.readRecords(DEAD_LETTER);
    const letters = records.map(({ key, value }) => readLetter(key, value));
    letters.sort((a, b) => a.letter.at - b.letter.at);
    for (const kept of letters) {
      this.#writer.known(kept.letter.id);
      this.#place(kept);
    }
    this.#dropOldest();
  }

  /** Writes what is left and ends the Observable. */
  async stop(): Promise<void> {
    await this.#writer.stop();
    this.#log.close();
    this.#letters$.complete();
  }

  /** Who handles parked events again. */
  parkedBy(owner: ParkedOwner): void {
    this.#owner = owner;
  }

  /** Letters since the start by reason; `forgotten` counts those that gave way because there were too many. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Exceptions of subscribers since the start. */
  get errors(): number {
    return this.#letters$.errors;
  }

  /** Keeps a letter; one whose id is known already is the same letter, and nobody is told again. */
  add(letter: Omit<DeadLetter, 'id' | 'at'> & { readonly id?: string }, trace: DeadLetterTrace = {}): DeadLetter {
    const id = letter.id ?? this.#options.newId();
    const known = this.#kept.get(id) ?? this.#parked.get(id);
    if (known !== undefined) return known.letter;
    const kept = { letter: this.#stamped({ ...letter, id }), trace, payloadKept: true };
    this.#writer.put(letterRecord(kept));
    this.#take(kept);
    this.#dropOldest();
    return kept.letter;
  }

  remove(id: string): void {
    this.#kept.delete(id);
    this.#parked.delete(id);
    this.#writer.erase(id);
  }

  draft(facts: ParkedFacts, trace: DeadLetterTrace): LetterDraft {
    const letter = this.#stamped({ ...facts, reason: 'parked' });
    return { letter, trace, record: letterRecord({ letter, trace, payloadKept: true }) };
  }

  keep({ letter, trace }: LetterDraft): void {
    this.#writer.known(letter.id);
    this.#take({ letter, trace, payloadKept: true });
  }

  /** Removes a letter; durable when the promise resolves. */
  erase(id: string): Promise<void> {
    this.remove(id);
    return this.#writer.flushed();
  }

  /** The letters of events that read models do without. */
  get office(): ParkingOffice {
    return {
      keep: (note) => {
        this.add(note);
        return this.#writer.flushed();
      },
      drop: (id) => this.remove(id),
      parkedOf: (name) => this.parkedOf(name).map(({ letter }) => letter),
    };
  }

  erasure(id: string): RecordChange {
    return letterErasure(id);
  }

  forget(id: string): void {
    this.#parked.delete(id);
    this.#writer.unknown(id);
  }

  parkedOf(name: string): readonly KeptLetter[] {
    return [...this.#parked.values()].filter(({ letter }) => letter.target.name === name);
  }

  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  async #retry(id: string): Promise<void> {
    const kept = this.#find(id);
    const { letter, trace } = kept;
    if (letter.reason === 'parked') return this.#ownerOf(letter).retry(letter, trace);
    const { commandId, failure } = await resend(this.#options.post, kept);
    if (!this.#kept.has(id)) return;
    if (failure === undefined) {
      this.remove(id);
      return this.#writer.flushed();
    }
    const { reason, error } = failure;
    const again = { ...kept, letter: this.#stamped({ ...letter, reason, error }), trace: { ...trace, commandId } };
    this.#writer.put(letterRecord(again));
    this.#take(again);
  }

  #stamped(letter: Omit<DeadLetter, 'at'>): DeadLetter {
    return Object.freeze({ ...letter, at: this.#options.clock.now() });
  }

  /** Puts a letter among the newest, counts it if it is new, and tells of it. */
  #take(kept: KeptLetter): void {
    const { letter } = kept;
    const { id, name } = letter.target;
    if (!this.#kept.delete(letter.id) && !this.#parked.delete(letter.id)) this.#count(letter.reason);
    this.#place(kept);
    this.#log.write(
      `${letter.reason} ${name} ${letter.type}`,
      `dead letter (${letter.reason}): ${letter.type} for ${name}/${id}${letter.error === null ? '' : `: ${letter.error.message}`}`,
      { deadLetter: letter.id },
    );
    this.#options.facts.tell({
      kind: 'dead-letter',
      name,
      id,
      type: letter.type,
      reason: letter.reason,
      letter: letter.id,
    });
    this.#letters$.next(letter);
  }

  #place(kept: KeptLetter): void {
    (kept.letter.reason === 'parked' ? this.#parked : this.#kept).set(kept.letter.id, kept);
  }

  #dropOldest(): void {
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= this.#limit) return;
      this.remove(id);
      this.#count('forgotten');
    }
  }

  #count(what: DeadLetterReason | 'forgotten'): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  #find(id: string): KeptLetter {
    const kept = this.#kept.get(id) ?? this.#parked.get(id);
    if (kept !== undefined) return kept;
    throw new TroupeError(
      'TROUPE_INVALID_OPTIONS',
      `there is no dead letter ${showValue(id)}; list() gives those that are kept`,
      {
        details: { id: showValue(id) },
      },
    );
  }

  #ownerOf(letter: DeadLetter): ParkedOwner {
    if (this.#owner !== undefined) return this.#owner;
    throw new TroupeError('TROUPE_INVALID_OPTIONS', `nobody here handles events parked by ${letter.target.name}`);
  }
}
