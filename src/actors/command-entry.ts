/**
 * The outcome of one command on its way to the journal: what is written, and who waits for it.
 *
 * Nothing of it is visible before the commit (promise 2). Repeats of the command that arrive meanwhile, and answers
 * that rest on it, such as those of queries, follow it: they are told when it is durable, in the order they came. What was
 * decided is kept as it is, not copied: a thousand of these wait while the disk turns, and the garbage collector moves them.
 */
import type { Envelope } from '../core/envelope.js';
import { hashText } from '../core/fingerprint.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { JournalEntry, Outcome, StoredOutcome, Stream } from '../journal/journal.js';
import type { DecidedEntry } from './decide.js';

/** Told how the commit of an entry ended. */
export interface EntryOwner {
  entryCommitted(entry: CommandEntry): void;
  entryFailed(entry: CommandEntry, error: TroupeError): void;
}

/** Called with the error when the entry was not written. */
export type Follower = (error: TroupeError | undefined) => void;

export class CommandEntry implements JournalEntry {
  readonly stream: Stream;
  readonly snapshot: JournalEntry['snapshot'];
  readonly eventIdHashes: readonly number[] | undefined;
  readonly envelope: Envelope;
  /** The entry of its instance that was decided next, while both are known as under way (command-memory.ts). */
  nextUnderWay: CommandEntry | undefined;
  readonly #owner: EntryOwner;
  readonly #decided: DecidedEntry;
  #position = 0;
  #followers: Follower[] | undefined;

  constructor(
    owner: EntryOwner,
    envelope: Envelope,
    stream: Stream,
    decided: DecidedEntry,
    snapshot: JournalEntry['snapshot'],
  ) {
    this.#owner = owner;
    this.envelope = envelope;
    this.stream = stream;
    this.#decided = decided;
    this.eventIdHashes = decided.eventIds?.map(hashText);
    this.snapshot = snapshot;
  }

  get timers(): JournalEntry['timers'] {
    return this.#decided.timers;
  }

  get baseVersion(): number {
    return this.#decided.baseVersion;
  }

  get events(): string {
    return this.#decided.events;
  }

  get eventCount(): number {
    return this.#decided.eventCount;
  }

  get commandId(): string {
    return this.#decided.commandId;
  }

  get commandHash(): number {
    return this.#decided.commandHash;
  }

  /** Ids that the sender gave its events (`append`). */
  get eventIds(): readonly string[] | undefined {
    return this.#decided.eventIds;
  }

  get fingerprint(): number {
    return this.#decided.fingerprint;
  }

  get explicitId(): boolean {
    return this.#decided.explicitId;
  }

  get reply(): unknown {
    return this.#decided.reply;
  }

  get rejection(): TroupeError | undefined {
    return this.#decided.rejection;
  }

  get eventlessOutcome(): StoredOutcome | undefined {
    return this.#decided.eventlessOutcome;
  }

  /** How many wait for this entry beside its own sender. */
  get followers(): number {
    return this.#followers?.length ?? 0;
  }

  /** Version of the aggregate after it. */
  get version(): number {
    return this.baseVersion + this.eventCount;
  }

  /** Position of its last event, or of the last one before it if it has none; 0 until it is committed. */
  get position(): number {
    return this.#position;
  }

  /** What repeats get, once it is committed. */
  get outcome(): Outcome {
    if (this.eventlessOutcome?.outcome.kind === 'rejection') return this.eventlessOutcome.outcome;
    return { kind: 'reply', reply: this.reply, version: this.version, position: this.#position };
  }

  follow(follower: Follower): void {
    (this.#followers ??= []).push(follower);
  }

  release(error: TroupeError | undefined): void {
    const followers = this.#followers;
    if (followers === undefined) return;
    this.#followers = undefined;
    for (const follower of followers) follower(error);
  }

  committed(firstPosition: number): void {
    this.#position = this.eventCount > 0 ? firstPosition + this.eventCount - 1 : firstPosition;
    this.#owner.entryCommitted(this);
  }

  failed(error: TroupeError): void {
    this.#owner.entryFailed(this, error);
  }
}
