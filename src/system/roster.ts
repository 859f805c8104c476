/**
 * The roster: the top-level actors of all workers, as the main thread keeps them.
 *
 * Here stands what has to outlive a worker: with what each actor was spawned, so that it begins anew, and whom it
 * watches. Here is the guardian, too, one for all workers: it supervises as with `workers: 0`, by functions that could
 * not cross to another thread. Reports come on the control lane.
 */
import { ActorFamily, type FamilySurroundings } from '../actors/actor-family.js';
import { type InstanceAddress, keyOf, type Ordinal, type Report } from '../actors/signal.js';
import type { SupervisionSettings } from '../actors/supervision-options.js';

/** One actor. */
export interface RosterEntry extends InstanceAddress {
  readonly ordinal: Ordinal;
  /** What it was spawned with, packed. */
  readonly args: Uint8Array;
  /** Workers that died while it began another life. */
  deaths: number;
  /** By key. */
  readonly watched: Map<string, InstanceAddress>;
}

export class Roster {
  readonly #guardian: ActorFamily;
  readonly #entries = new Map<Ordinal, RosterEntry>();
  /** Only those that live, or will: an id may be asked for twice. */
  readonly #living = new Map<string, RosterEntry>();

  constructor(around: Omit<FamilySurroundings, 'newOrdinal'>, supervision: SupervisionSettings) {
    let last = 0;
    const newOrdinal = (): Ordinal => (last += 1);
    this.#guardian = new ActorFamily({ ...around, newOrdinal }, supervision, (_, child) => {
      around.signals.signal(child, { kind: 'stop' });
    });
  }

  /** An actor is about to be spawned; whether its id is free, its worker will say. */
  enter(address: InstanceAddress, args: Uint8Array): RosterEntry {
    const ordinal = this.#guardian.add(address);
    const entry = { ...address, ordinal, args, deaths: 0, watched: new Map<string, InstanceAddress>() };
    this.#entries.set(ordinal, entry);
    return entry;
  }

  /** It has been spawned, and may have ended since. */
  spawned(entry: RosterEntry): void {
    if (this.#entries.has(entry.ordinal)) this.#living.set(keyOf(entry), entry);
  }

  /** It is no more, or has never begun. */
  strike(ordinal: Ordinal): void {
    const entry = this.#entries.get(ordinal);
    if (entry === undefined) return;
    this.#entries.delete(ordinal);
    if (this.#living.get(keyOf(entry)) === entry) this.#living.delete(keyOf(entry));
    this.#guardian.forget(ordinal);
  }

  /** It shall begin no other life, should its worker be lost now. */
  resign(address: InstanceAddress): void {
    this.#living.delete(keyOf(address));
  }

  /** What an actor says of itself to its supervisor. */
  report(report: Report): void {
    this.#guardian.take(report);
    if (report.kind === 'child-ended') this.strike(report.child);
  }

  /** An actor watches another one, or does so no more. */
  watches(ordinal: Ordinal, of: InstanceAddress, stands: boolean): void {
    const watched = this.#entries.get(ordinal)?.watched;
    if (stands) watched?.set(keyOf(of), of);
    else watched?.delete(keyOf(of));
  }

  /** A worker was lost: those of its actors that had been spawned will begin anew, the others are gone. */
  lost(wasThere: (address: InstanceAddress) => boolean): void {
    for (const entry of this.#entries.values()) {
      if (!wasThere(entry)) continue;
      if (this.#living.get(keyOf(entry)) === entry) this.#guardian.replaced(entry.ordinal);
      else this.strike(entry.ordinal);
    }
  }

  /** Those that have to begin anew on the successor. */
  of(isThere: (address: InstanceAddress) => boolean): RosterEntry[] {
    return [...this.#living.values()].filter(isThere);
  }

  /** Nobody is restarted any more. */
  close(): void {
    this.#guardian.close();
  }
}
