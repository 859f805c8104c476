/**
 * Writes records that the reaction can't go on without: again and again until they are durable.
 *
 * A journal that can't be written (a full disk) holds up the keys concerned and nothing else; when the fault is
 * over they go on without a restart.
 */
import { LIMITS } from '../core/limits.js';
import type { Journal, RecordChange } from '../journal/journal.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import { backoffMs } from './backoff.js';
import type { LetterFence } from './letter-fence.js';
import type { Pauses } from './pauses.js';

export interface DurableSurroundings {
  readonly name: string;
  readonly journal: Pick<Journal, 'writeRecords'>;
  readonly fence: LetterFence;
  readonly pauses: Pauses;
  readonly warnings: ThrottledLog;
}

export class DurableRecords {
  readonly #around: DurableSurroundings;

  constructor(around: DurableSurroundings) {
    this.#around = around;
  }

  /** Resolves with true when the changes are durable, with false when the reaction has stopped before. */
  async write(changes: readonly RecordChange[]): Promise<boolean> {
    const { name, journal, fence, pauses, warnings } = this.#around;
    for (let failures = 1; ; failures += 1) {
      try {
        while (!fence.clear) await fence.clearing();
        await journal.writeRecords(changes);
        return true;
      } catch (error) {
        if (pauses.ended) return false;
        warnings.write(
          'write failed',
          `reaction ${name}: what happened to an event could not be written yet; trying again`,
          {
            error,
          },
        );
        await pauses.wait(backoffMs(failures, LIMITS.loadBackoffMinMs, LIMITS.loadBackoffMaxMs));
        if (pauses.ended) return false;
      }
    }
  }
}
