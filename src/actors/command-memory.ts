/**
 * What one instance remembers of handled commands, to give a repeat the first outcome.
 *
 * First level: the hashes of all command ids (almost every id is new, and that is known without a read), the
 * commands under way, and the latest outcomes. Second level: the journal. A hash that hits is only a suspicion.
 */
import { hashText } from '../core/fingerprint.js';
import { LIMITS } from '../core/limits.js';
import type { Outcome } from '../journal/journal.js';
import type { CommandEntry } from './command-entry.js';

/** A command that is known: still under way, or with its outcome. */
export interface RememberedCommand {
  readonly fingerprint: number;
  readonly entry: CommandEntry | undefined;
  readonly outcome: Outcome | undefined;
}

export class CommandMemory {
  #hashes: Set<number> | undefined;
  #known: Map<string, RememberedCommand> | undefined;
  #settled = 0;

  /** @param hashes of the commands in the journal */
  load(hashes: readonly number[]): void {
    this.#hashes = hashes.length > 0 ? new Set(hashes) : undefined;
    this.#known = undefined;
    this.#settled = 0;
  }

  find(commandId: string): RememberedCommand | undefined {
    return this.#known?.get(commandId);
  }

  /** Whether the journal may have an outcome for this id. */
  mayBeStored(commandId: string): boolean {
    return this.#hashes !== undefined && this.#hashes.has(hashText(commandId));
  }

  /** A command whose outcome is on its way to the journal. */
  underWay(entry: CommandEntry): void {
    this.#known ??= new Map();
    this.#known.set(entry.commandId, { fingerprint: entry.fingerprint, entry, outcome: undefined });
  }

  /** Its outcome is durable. */
  settled(entry: CommandEntry, outcome: Outcome): void {
    this.#hashes ??= new Set();
    this.#hashes.add(entry.commandHash);
    this.remember(entry.commandId, entry.fingerprint, outcome);
  }

  /** Keeps an outcome in memory for the repeats that tend to come soon. */
  remember(commandId: string, fingerprint: number, outcome: Outcome): void {
    const known = (this.#known ??= new Map<string, RememberedCommand>());
    known.delete(commandId);
    known.set(commandId, { fingerprint, entry: undefined, outcome });
    this.#settled += 1;
    if (this.#settled <= LIMITS.recentOutcomesPerInstance) return;
    for (const [id, command] of known) {
      if (command.entry !== undefined) continue;
      known.delete(id);
      this.#settled -= 1;
      if (this.#settled <= LIMITS.recentOutcomesPerInstance) return;
    }
  }
}
