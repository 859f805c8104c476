/**
 * The outcome of one command on its way to the journal: what is written, and who waits for it.
 *
 * Nothing of it is visible before the commit (promise 2). Repeats of the command that arrive meanwhile join, and
 * answers that rest on it, such as queries, follow it.
 */
import type { Envelope, ReplySink } from '../core/envelope.js';
import type { TroupeError } from '../core/troupe-error.js';
import type { JournalEntry, Outcome, StoredOutcome, Stream } from '../journal/journal.js';
import type { DecidedEntry } from './decide.js';

/** Told how the commit of an entry ended. */
export interface EntryOwner {
  entryCommitted(entry: CommandEntry, firstPosition: number): void;
  entryFailed(entry: CommandEntry, error: TroupeError): void;
}

const NOBODY: readonly ReplySink[] = [];

export class CommandEntry implements JournalEntry {
  readonly stream: Stream;
  readonly baseVersion: number;
  readonly events: string;
  readonly eventCount: number;
  readonly commandId: string;
  readonly commandHash: number;
  readonly fingerprint: number;
  readonly explicitId: boolean;
  readonly reply: unknown;
  readonly rejection: TroupeError | undefined;
  readonly eventlessOutcome: StoredOutcome | undefined;
  readonly snapshot: JournalEntry['snapshot'];
  readonly envelope: Envelope;
  readonly #owner: EntryOwner;
  #joined: ReplySink[] | undefined;
  #followers: ((error: TroupeError | undefined) => void)[] | undefined;

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
    this.baseVersion = decided.baseVersion;
    this.events = decided.events;
    this.eventCount = decided.eventCount;
    this.commandId = decided.commandId;
    this.commandHash = decided.commandHash;
    this.fingerprint = decided.fingerprint;
    this.explicitId = decided.explicitId;
    this.reply = decided.reply;
    this.rejection = decided.rejection;
    this.eventlessOutcome = decided.eventlessOutcome;
    this.snapshot = snapshot;
  }

  /** Senders of repeats that came while the first was under way. */
  get joined(): readonly ReplySink[] {
    return this.#joined ?? NOBODY;
  }

  /** What repeats get. `position` is that of the last event. */
  outcomeAt(position: number): Outcome {
    if (this.eventlessOutcome?.outcome.kind === 'rejection') return this.eventlessOutcome.outcome;
    return { kind: 'reply', reply: this.reply, version: this.baseVersion + this.eventCount, position };
  }

  join(sink: ReplySink): void {
    (this.#joined ??= []).push(sink);
  }

  /** Calls back when this entry is durable, or with the error that it failed with. */
  follow(follower: (error: TroupeError | undefined) => void): void {
    (this.#followers ??= []).push(follower);
  }

  releaseFollowers(error: TroupeError | undefined): void {
    const followers = this.#followers;
    if (followers === undefined) return;
    this.#followers = undefined;
    for (const follower of followers) follower(error);
  }

  committed(firstPosition: number): void {
    this.#owner.entryCommitted(this, firstPosition);
  }

  failed(error: TroupeError): void {
    this.#owner.entryFailed(this, error);
  }
}
