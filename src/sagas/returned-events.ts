/**
 * The events that the waits of one run have returned: each to one wait only, and in a replay the same ones again.
 *
 * It knows, too, up to where each wait has looked in vain in an earlier life.
 */
import type { RecordedEvent } from '../core/recorded-event.js';
import type { RunStart } from './run-surroundings.js';

export class ReturnedEvents {
  readonly #claimed = new Set<number>();
  /** By type: position of the last one. */
  readonly #claimedTo = new Map<string, number>();
  #recorded: RunStart['events'];
  #searchedTo: RunStart['searchedTo'];

  constructor({ events, searchedTo }: Pick<RunStart, 'events' | 'searchedTo'>) {
    this.#recorded = events;
    this.#searchedTo = searchedTo;
  }

  /** Takes an event for one wait; false: another wait has returned it. */
  claim({ position, type }: RecordedEvent): boolean {
    if (this.#claimed.has(position)) return false;
    this.#claimed.add(position);
    this.#claimedTo.set(type, Math.max(this.#claimedTo.get(type) ?? 0, position));
    return true;
  }

  /** The event at a position that the history names; it is taken. */
  again(position: number): RecordedEvent | undefined {
    const event = this.#recorded.get(position);
    if (event !== undefined) this.claim(event);
    return event;
  }

  /** No event up to there is the one that the wait with this number looks for. */
  searchedTo(step: number): number {
    return this.#searchedTo.get(step) ?? 0;
  }

  /** The replay is over, and needs no events any more. */
  dropRecorded(): void {
    this.#recorded = new Map();
  }

  /** The run begins anew; by type, the position behind which its waits look. */
  renew(): Record<string, number> {
    this.#searchedTo = new Map();
    return Object.fromEntries(this.#claimedTo);
  }
}
