/**
 * Looks through the journal for events that came before the index had them: one pass for all who ask.
 *
 * A pass begins at the earliest place that anybody in it asks for and ends where the index is; whoever has not found
 * its event then is handed to the index within the same turn, so that no event falls between the two. Who asks
 * while a pass is under way is in the next one.
 */
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { Journal } from '../journal/journal.js';
import { backoffMs } from '../reactions/backoff.js';
import type { Pauses } from '../reactions/pauses.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import { fits, keyOf, keysOf, type WaitIndex, type Waiter } from './wait-index.js';

export interface SearchSurroundings {
  readonly journal: Pick<Journal, 'read'>;
  readonly index: WaitIndex;
  readonly pauses: Pauses;
  readonly warnings: ThrottledLog;
  /** A pass is over, or something was found. */
  readonly moved: () => void;
}

/** A waiter, and behind which position it looks. */
interface Search {
  readonly waiter: Waiter;
  readonly after: number;
}

export class WaitSearch {
  readonly #around: SearchSurroundings;
  #asked = new Map<Waiter, Search>();
  #searching = new Map<Waiter, Search>();
  #running = false;

  constructor(around: SearchSurroundings) {
    this.#around = around;
  }

  /** Whether nobody is looking for anything. */
  get idle(): boolean {
    return !this.#running;
  }

  add(waiter: Waiter, after: number): void {
    this.#asked.set(waiter, { waiter, after });
    if (this.#running) return;
    this.#running = true;
    // Those who ask within this turn share the pass.
    setImmediate(() => void this.#run());
  }

  remove(waiter: Waiter): void {
    this.#asked.delete(waiter);
    this.#searching.delete(waiter);
  }

  async #run(): Promise<void> {
    const { pauses, moved } = this.#around;
    while (this.#asked.size > 0 && !pauses.ended) {
      this.#searching = this.#asked;
      this.#asked = new Map();
      await this.#pass();
      moved();
    }
    this.#running = false;
    moved();
  }

  async #pass(): Promise<void> {
    const { index, pauses } = this.#around;
    let position = Infinity;
    const byKey = new Map<string, Search[]>();
    const types = new Set<string>();
    for (const search of this.#searching.values()) {
      position = Math.min(position, search.after);
      types.add(search.waiter.type);
      const key = keyOf(search.waiter);
      const others = byKey.get(key);
      if (others === undefined) byKey.set(key, [search]);
      else others.push(search);
    }
    while (this.#searching.size > 0 && position < index.position) {
      const page = await this.#read(position, [...types]);
      if (page === undefined || pauses.ended) return;
      for (const event of page.events) {
        if (event.position > index.position) break;
        this.#offer(event, byKey);
      }
      position = page.searchedTo;
    }
    for (const { waiter } of this.#searching.values()) {
      index.list(waiter);
      waiter.listed?.();
    }
    this.#searching = new Map();
  }

  #offer(event: RecordedEvent, byKey: ReadonlyMap<string, readonly Search[]>): void {
    for (const key of keysOf(event)) {
      for (const { waiter, after } of byKey.get(key) ?? []) {
        if (event.position <= after || !fits(waiter, event) || !this.#searching.has(waiter)) continue;
        if (waiter.offer(event)) this.#searching.delete(waiter);
      }
    }
  }

  async #read(after: number, types: readonly string[]) {
    const { journal, pauses, warnings } = this.#around;
    for (let failures = 1; ; failures += 1) {
      try {
        return await journal.read({ after, limit: LIMITS.readPage, types });
      } catch (error) {
        warnings.write('search', 'sagas: events behind position can not be read; trying again', { error, after });
        await pauses.wait(backoffMs(failures, LIMITS.loadBackoffMinMs, LIMITS.loadBackoffMaxMs));
        if (pauses.ended) return undefined;
      }
    }
  }
}
