/**
 * What one instance remembers of handled commands, to give a repeat the first outcome.
 *
 * First level: the hashes of all command ids and given event ids (almost every id is new, and that is known without a read), the
 * commands under way, and the latest outcomes. Second level: the journal. A hash that hits is only a suspicion.
 */
import { hashText } from '../core/fingerprint.js';
import { LIMITS } from '../core/limits.js';
import type { Outcome, StoredOutcome } from '../journal/journal.js';
import type { CommandEntry } from './command-entry.js';

export class CommandMemory {
  #hashes: Set<number> | undefined;
  #underWay: Map<string, CommandEntry> | undefined;
  /** Oldest first. */
  #recent: Map<string, StoredOutcome> | undefined;

  /** @param hashes of the commands in the journal */
  load(hashes: readonly number[]): void {
    this.#hashes = hashes.length > 0 ? new Set(hashes) : undefined;
    this.#underWay = undefined;
    this.#recent = undefined;
  }

  /** The command of this id whose outcome is on its way to the journal. */
  entryOf(commandId: string): CommandEntry | undefined {
    return this.#underWay?.get(commandId);
  }

  /** The outcome of this id, if it is one of the latest. */
  outcomeOf(commandId: string): StoredOutcome | undefined {
    return this.#recent?.get(commandId);
  }

  /** Whether the journal may have an outcome for this id, or an event that was given it. */
  mayBeStored(commandId: string): boolean {
    return this.#hashes !== undefined && this.#hashes.has(hashText(commandId));
  }

  /** A command whose outcome is on its way to the journal. */
  underWay(entry: CommandEntry): void {
    this.#underWay ??= new Map();
    this.#underWay.set(entry.commandId, entry);
  }

  /** Its outcome is durable. */
  settled(entry: CommandEntry, outcome: Outcome): void {
    this.#underWay?.delete(entry.commandId);
    this.addHash(entry.commandHash);
    this.remember(entry.commandId, { fingerprint: entry.fingerprint, outcome });
  }

  /** The hash of an id that is durable. */
  addHash(hash: number): void {
    this.#hashes ??= new Set();
    this.#hashes.add(hash);
  }

  /** Keeps an outcome in memory for the repeats that tend to come soon. */
  remember(commandId: string, stored: StoredOutcome): void {
    const recent = (this.#recent ??= new Map<string, StoredOutcome>());
    recent.delete(commandId);
    recent.set(commandId, stored);
    if (recent.size <= LIMITS.recentOutcomesPerInstance) return;
    for (const oldest of recent.keys()) {
      recent.delete(oldest);
      return;
    }
  }
}
