/**
 * `system.reaction(definition)`: where a reaction stands, and the way back.
 */
import { LIMITS } from '../core/limits.js';
import { OptionReader } from '../core/option-reader.js';
import type { Duration } from '../core/duration.js';
import type { ReactionNumbers } from '../reactions/reaction-engine.js';

/** What the handle needs of the reactions of a system. */
export interface ReplayingReactions {
  metrics(): readonly ReactionNumbers[];
  replay(name: string, from: number, timeoutMs: number): Promise<void>;
}

/** Where a replay begins. */
export interface ReplayOptions {
  /** Position of the first event to be handled again, or `'beginning'`. */
  readonly from: number | 'beginning';
  /** How long handlers get that are at work now. Default 10 s; then they are left behind, and their events come again. */
  readonly timeout?: Duration;
}

export class ReactionHandle {
  readonly name: string;
  readonly #reactions: ReplayingReactions;

  constructor(name: string, reactions: ReplayingReactions) {
    this.name = name;
    this.#reactions = reactions;
  }

  /** Its position, how far behind the head that is, and how many keys are parked; at once. */
  status(): ReactionNumbers {
    const found = this.#reactions.metrics().find(({ name }) => name === this.name);
    if (found === undefined) throw new Error(`reaction ${this.name} has numbers as long as its system runs`);
    return found;
  }

  /**
   * Goes back, and handles the events from a position on again, in order by key; resolves when that is durable and has
   * begun. `settled()` tells when it is through.
   *
   * Its commands have the same derived ids as before, so **what has had an outcome is not done again**: a replay makes
   * up for what is missing, such as commands that a mended or extended handler sends now. Messages to plain actors are
   * sent again. Parked events from there on are delivered again and their dead letters are gone. To have all effects
   * anew, give the reaction a new name: that makes new ids.
   *
   * @throws TROUPE_INVALID_OPTIONS for a position that it has not come to yet: events are not skipped this way.
   * @throws TROUPE_SYSTEM_STOPPED, TROUPE_JOURNAL_WRITE_FAILED; it then goes on where it was.
   * @example
   * await system.reaction(reserveStock).replay({ from: 'beginning' });
   * await system.settled();
   */
  async replay(options: ReplayOptions): Promise<void> {
    const given = new OptionReader(`reaction ${this.name}: replay`, options, ['from', 'timeout']);
    const from = given.value('from') === 'beginning' ? 1 : given.integer('from', { min: 1 });
    const { position } = this.status();
    if (from > position + 1) {
      throw given.refusal(
        'from',
        `it has come to position ${position}, and a replay only goes back; give that or less`,
      );
    }
    await this.#reactions.replay(this.name, from, given.durationMs('timeout', LIMITS.stopTimeoutMs));
  }
}
