/**
 * Brings lanes the events that wait for them in the journal, one lane and one page at a time.
 *
 * The feed may pass a lane's events while it is behind: they stay in the journal and are found here. Events that
 * the feed has yet to bring are left to it, so that none comes twice and none is missed.
 */
import { LIMITS } from '../core/limits.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import type { Journal } from '../journal/journal.js';
import { RingBuffer } from '../core/ring-buffer.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import type { EventKeys } from './event-keys.js';
import type { KeyLane } from './key-lane.js';
import type { Pauses } from './pauses.js';

export interface RefillSurroundings {
  readonly name: string;
  readonly journal: Pick<Journal, 'read'>;
  readonly keys: EventKeys;
  /** Undefined: any. */
  readonly types: readonly string[] | undefined;
  readonly pauses: Pauses;
  readonly warnings: ThrottledLog;
  /** Every matching event up to here has been taken from the feed. */
  readonly taken: () => number;
  /** Whether the reaction handles the event at all. */
  concerns(event: RecordedEvent): boolean;
  /** The lane may go on. */
  refilled(lane: KeyLane): void;
}

export class LaneRefill {
  readonly #around: RefillSurroundings;
  readonly #hungry = new RingBuffer<KeyLane>();
  #running = false;

  constructor(around: RefillSurroundings) {
    this.#around = around;
  }

  /** Reads for this lane when it is its turn. */
  add(lane: KeyLane): void {
    this.#hungry.push(lane);
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { pauses, warnings, name } = this.#around;
    for (let lane = this.#hungry.shift(); lane !== undefined; lane = this.#hungry.shift()) {
      try {
        await this.#read(lane);
      } catch (error) {
        warnings.write('read failed', `reaction ${name}: events of key ${lane.key} can't be read; trying again`, {
          error,
        });
        this.#hungry.push(lane);
        await pauses.wait(LIMITS.loadBackoffMaxMs);
      }
      if (pauses.ended) return;
    }
    this.#running = false;
  }

  async #read(lane: KeyLane): Promise<void> {
    const { journal, keys, types, pauses } = this.#around;
    const after = lane.behind ?? 0;
    const limit = LIMITS.reactionConcurrency;
    const page = await journal.read({ after, limit, types, ...keys.selection(lane.key) });
    if (pauses.ended) return;
    // Behind `after` there is at least one event: the one that was left there.
    if (page.searchedTo <= after) throw new Error(`the journal has searched nothing behind position ${after}`);
    // Asked now, not before the read: meanwhile the feed has gone on, and left the lane's events in the journal.
    const taken = this.#around.taken();
    const events = page.events.filter(
      (event) => event.position <= taken && this.#around.concerns(event) && keys.belongs(lane.key, event),
    );
    lane.refill(events, page.searchedTo < taken ? page.searchedTo : undefined);
    this.#around.refilled(lane);
  }
}
