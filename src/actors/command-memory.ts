/**
 * What one instance remembers of handled commands, to give a repeat the first outcome.
 *
 * First level: the hashes of all command ids and given event ids (almost every id is new, and that is known by one look),
 * the commands under way, and the latest outcomes. Second level: the journal. A hash that hits is only a suspicion.
 * Hot path: an instance that handles a few commands in its life has no map of them (bench suite `end-to-end`).
 */
import { hashText } from '../core/fingerprint.js';
import { LIMITS } from '../core/limits.js';
import { type HashesNear, type Outcome, type StoredOutcome, WITHOUT_EVENTS } from '../journal/journal.js';
import type { CommandEntry } from './command-entry.js';
import { KnownHashes } from './known-hashes.js';

/** One of the latest outcomes. */
interface RecentOutcome extends StoredOutcome {
  readonly commandId: string;
}

export class CommandMemory {
  /** Of what is stored or under way. */
  #hashes = NONE;
  /** Under way: the entries decided, in order, each of which knows the next one. */
  #first: CommandEntry | undefined;
  #last: CommandEntry | undefined;
  /** A ring, once it is full: then the oldest one stands at `#oldest`. */
  #recent: RecentOutcome[] | undefined;
  #oldest = 0;

  /** @param hashes of the ids that the journal knows */
  load(hashes: readonly HashesNear[]): void {
    this.#hashes = hashes.length > 0 ? new KnownHashes(hashes) : NONE;
    this.#first = undefined;
    this.#last = undefined;
    this.#recent = undefined;
    this.#oldest = 0;
  }

  /** Whether this id may have come before; if not, nothing else needs to be asked. */
  mayBeKnown(id: string): boolean {
    return this.storedNear(id).length > 0;
  }

  /** The command of this id whose outcome is on its way to the journal. */
  entryOf(commandId: string): CommandEntry | undefined {
    let entry = this.#first;
    while (entry !== undefined && entry.commandId !== commandId) entry = entry.nextUnderWay;
    return entry;
  }

  /** The outcome of this id, if it is one of the latest. */
  outcomeOf(commandId: string): StoredOutcome | undefined {
    return this.#recent?.find((recent) => recent.commandId === commandId);
  }

  /** Where the journal may have an outcome for this id, or an event that was given it; empty if it has none. */
  storedNear(id: string): readonly number[] {
    return this.#hashes.near(hashText(id));
  }

  /** A command whose outcome is on its way to the journal. They are settled in the order in which they come. */
  underWay(entry: CommandEntry): void {
    if (this.#last === undefined) this.#first = entry;
    else this.#last.nextUnderWay = entry;
    this.#last = entry;
    this.addHash(entry.commandHash, entry.eventCount === 0 ? WITHOUT_EVENTS : entry.version);
  }

  /** Its outcome is durable. */
  settled(entry: CommandEntry, outcome: Outcome): void {
    this.#first = entry.nextUnderWay;
    if (this.#first === undefined) this.#last = undefined;
    entry.nextUnderWay = undefined;
    this.#keep({ commandId: entry.commandId, fingerprint: entry.fingerprint, outcome });
  }

  /** The hash of an id that is durable, or about to be. @param near version of the entry that it comes with */
  addHash(hash: number, near: number): void {
    if (this.#hashes === NONE) this.#hashes = new KnownHashes([]);
    this.#hashes.add(hash, near);
  }

  /** Keeps an outcome that was found in the journal for the repeats that tend to come soon. */
  remember(commandId: string, { fingerprint, outcome }: StoredOutcome): void {
    if (this.outcomeOf(commandId) === undefined) this.#keep({ commandId, fingerprint, outcome });
  }

  #keep(outcome: RecentOutcome): void {
    const recent = (this.#recent ??= []);
    if (recent.length < LIMITS.recentOutcomesPerInstance) {
      recent.push(outcome);
      return;
    }
    recent[this.#oldest] = outcome;
    this.#oldest = (this.#oldest + 1) % recent.length;
  }
}

/** Of the many instances whose commands have no ids; nothing is ever added. */
const NONE = new KnownHashes([]);
