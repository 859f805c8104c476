/**
 * Writes how far a reaction has come, now and then.
 *
 * What a crash repeats lies behind the last write and is harmless: command ids are derived. What the checkpoint
 * passes must be durable before: rejected commands that became dead letters, and the records of lanes that lag.
 */
import type { Clock, Timer } from '../core/clock.js';
import { LIMITS } from '../core/limits.js';
import type { Journal, RecordChange } from '../journal/journal.js';
import type { ThrottledLog } from '../streams/throttled-log.js';
import { planCheckpoint, type KeyChange } from './checkpoint-plan.js';
import type { LaneTable } from './lane-table.js';
import type { LetterFence } from './letter-fence.js';
import { checkpointRecord, keyErasure, keyRecord } from './reaction-records.js';

export interface CheckpointSurroundings {
  readonly name: string;
  readonly ordering: number;
  readonly journal: Pick<Journal, 'writeRecords'>;
  readonly fence: LetterFence;
  readonly clock: Clock;
  readonly warnings: ThrottledLog;
  readonly lanes: LaneTable;
  /** Every matching event up to here has been taken from the feed. */
  readonly taken: () => number;
}

export class ReactionCheckpoint {
  readonly #around: CheckpointSurroundings;
  #written: number;
  #round = 0;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #touched = false;
  #stopped = false;

  /** @param written position of the durable checkpoint */
  constructor(around: CheckpointSurroundings, written: number) {
    this.#around = around;
    this.#written = written;
  }

  /** Counts the writes, to tell how long something takes. */
  get round(): number {
    return this.#round;
  }

  /** There is progress: a write will follow. */
  touch(): void {
    this.#touched = true;
    if (this.#timer !== undefined || this.#writing !== undefined || this.#stopped) return;
    this.#timer = this.#around.clock.setTimer(LIMITS.checkpointEveryMs, () => {
      this.#timer = undefined;
      void this.#write();
    });
  }

  /** Writes the last one; no timer is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    await this.#write();
  }

  /** Never rejects: the next write contains what this one could not write. */
  #write(): Promise<void> {
    this.#touched = false;
    this.#writing = this.#writeNow()
      .catch((error: unknown) => {
        this.#touched = true;
        const { name, warnings } = this.#around;
        warnings.write('write failed', `reaction ${name}: the checkpoint could not be written; trying again`, {
          error,
        });
      })
      .finally(() => {
        this.#writing = undefined;
        if (this.#touched) this.touch();
      });
    return this.#writing;
  }

  async #writeNow(): Promise<void> {
    const { name, journal, fence, lanes } = this.#around;
    while (!fence.clear) await fence.clearing();
    // From here to the call of writeRecords nothing waits: what is planned on is what is written on.
    this.#round += 1;
    const { position, keys } = planCheckpoint(lanes.values(), this.#around.taken(), this.#written, this.#round);
    const changes: RecordChange[] = [];
    if (position > this.#written) changes.push(checkpointRecord(name, position));
    for (const change of keys) changes.push(this.#recordOf(change));
    if (changes.length === 0) return;
    const revisions = keys.map(doubt);
    await journal.writeRecords(changes);
    this.#written = Math.max(this.#written, position);
    keys.forEach(({ lane, after }, i) => {
      // Whoever has written the record meanwhile knows better what is there.
      if (lane.recordRevision !== revisions[i]) return;
      lane.recordedAfter = after;
      lane.recordInDoubt = false;
      if (after !== undefined) return;
      lane.finishedTo = 0;
      if (lane.phase === 'idle' && lane.forgettable) lanes.delete(lane);
    });
  }

  #recordOf({ lane, after }: KeyChange): RecordChange {
    const { name, ordering } = this.#around;
    if (after === undefined) return keyErasure(name, lane.key);
    return keyRecord({ reaction: name, key: lane.key, after, ordering });
  }
}

/**
 * While a write is under way, and for good when it fails, the record may be the old or the new one; the lane is not
 * forgotten, and the next checkpoint writes it anew. Returns the number of the write.
 */
function doubt({ lane, after }: KeyChange): number {
  lane.recordInDoubt = true;
  if (after !== undefined) lane.recordedAfter = Math.max(lane.recordedAfter ?? 0, after);
  lane.recordRevision += 1;
  return lane.recordRevision;
}
