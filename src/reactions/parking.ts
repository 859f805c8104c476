/**
 * Parking: an event whose attempts are used up becomes a dead letter, and what is done with it later.
 *
 * The letter and the record of its key are one write, so that after a crash both are there or neither; the
 * checkpoint passes the event only then. A retried event is handled by its lane like any other, before what waits;
 * when it is good, or given up, letter and hold go in one write too. A crash in between repeats the retry.
 */
import { describeError } from '../actors/undeliverable.js';
import type { DeadLetter } from '../core/dead-letter.js';
import type { RecordChange } from '../journal/journal.js';
import type { DurableRecords } from './durable-records.js';
import type { KeyLane } from './key-lane.js';
import type { LaneTable } from './lane-table.js';
import { asTroupeError } from './letter-error.js';
import type { ParkedLetters } from './parked-letters.js';
import type { AttemptResult } from './reaction-attempt.js';
import { keyRecord } from './reaction-records.js';

/** A parked event, for people. */
export interface ParkedEvent {
  readonly name: string;
  readonly key: string;
  readonly position: number;
  readonly error: string;
}

export interface ParkingSurroundings {
  readonly name: string;
  readonly ordering: number;
  /** Whether a parked event holds later ones of its key. */
  readonly holds: boolean;
  readonly letters: ParkedLetters;
  readonly records: DurableRecords;
  readonly lanes: LaneTable;
  /** What was written is durable; the lane may go on. */
  written(lane: KeyLane): void;
}

export class Parking {
  readonly #around: ParkingSurroundings;
  /** By id of the letter. */
  readonly #parked = new Map<string, ParkedEvent>();

  constructor(around: ParkingSurroundings) {
    this.#around = around;
    for (const { letter } of around.letters.parkedOf(around.name)) this.#list(letter);
  }

  /** The parked events, in the order they were parked. */
  list(): ParkedEvent[] {
    return [...this.#parked.values()];
  }

  /** Keys with parked events. */
  get keys(): number {
    if (this.#parked.size === 0) return 0;
    return new Set(Array.from(this.#parked.values(), ({ key }) => key)).size;
  }

  /** The current event of the lane becomes a dead letter. */
  async park(lane: KeyLane, result: AttemptResult): Promise<void> {
    const { name, ordering, holds, letters } = this.#around;
    const event = lane.current;
    if (event === undefined) return;
    const { position } = event;
    const error = describeError(
      asTroupeError(result.error, `reaction ${name}, event ${event.type} at position ${position}`),
    );
    const draft = letters.draft(
      {
        id: letterId(name, position),
        target: { name, id: lane.key },
        type: event.type,
        payload: event.data,
        error,
        position,
      },
      {
        commandId: result.refusedId,
        correlationId: event.correlationId,
        causationId: event.id,
        metadata: event.metadata,
      },
    );
    const { job } = lane;
    const hold = holds ? draft.letter.id : undefined;
    const changes: RecordChange[] = [draft.record];
    // When a retry has failed, the key's record is as it should be.
    if (job === undefined)
      changes.push(keyRecord({ reaction: name, key: lane.key, after: position, ordering, letter: hold }));
    if (!(await this.#write(lane, changes))) return;
    letters.keep(draft);
    this.#list(draft.letter);
    if (job === undefined) lane.park(position, hold);
    this.#around.written(lane);
    job?.done();
  }

  /** The job of the lane is done: its event was handled, or given up. */
  async release(lane: KeyLane): Promise<void> {
    const { name, ordering, letters } = this.#around;
    const { job } = lane;
    if (job === undefined) return;
    const { id } = job.letter;
    const changes: RecordChange[] = [letters.erasure(id)];
    const held = lane.parked === id;
    if (held) changes.push(keyRecord({ reaction: name, key: lane.key, after: lane.recordedAfter ?? 0, ordering }));
    if (!(await this.#write(lane, changes))) return;
    letters.forget(id);
    this.#parked.delete(id);
    if (held) lane.parked = undefined;
    this.#around.written(lane);
    job.done();
  }

  async #write(lane: KeyLane, changes: readonly RecordChange[]): Promise<boolean> {
    const { lanes, records } = this.#around;
    lanes.enter(lane, 'writing');
    lane.recordRevision += 1;
    return records.write(changes);
  }

  #list(letter: DeadLetter): void {
    const { name } = this.#around;
    const { id, target, position = 0, error } = letter;
    this.#parked.set(id, { name, key: target.id, position, error: error?.message ?? '' });
  }
}

/** The same for each parking of one event. */
export function letterId(reaction: string, position: number): string {
  return `parked>${reaction}>${position}`;
}
