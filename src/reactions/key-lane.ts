/**
 * The lane of one key: its events one at a time, in order.
 *
 * A few events wait in memory; when more come, or while the key is parked, they stay in the journal, and the lane
 * only knows from where to read (`behind`). A lane exists while there is something to know about its key; keys
 * whose events are finished cost nothing.
 */
import type { Timer } from '../core/clock.js';
import type { DeadLetter, DeadLetterTrace } from '../core/dead-letter.js';
import type { RecordedEvent } from '../core/recorded-event.js';
import { RingBuffer } from '../core/ring-buffer.js';

/** Events of one key that wait in memory; further ones stay in the journal. */
const MOST_WAITING = 64;

/**
 * What a lane is doing. `ready`: waits for its turn. `running`: its event is handled. `backing-off`: waits for the
 * next attempt. `writing`: what happened to its event is being made durable. `reading`: waits for the journal.
 */
export type LanePhase = 'idle' | 'ready' | 'running' | 'backing-off' | 'writing' | 'reading';

/** What somebody asked to be done with a parked event. */
export interface ParkedJob {
  readonly letter: DeadLetter;
  readonly trace: DeadLetterTrace;
  /** The event to handle again; undefined: give it up. */
  readonly event: RecordedEvent | undefined;
  done(): void;
  failed(error: Error): void;
}

export class KeyLane {
  readonly key: string;
  phase: LanePhase = 'idle';
  /** The event being handled, or waiting for its next attempt. */
  current: RecordedEvent | undefined;
  /** Attempts at the current event so far. */
  attempts = 0;
  /** The job that is being done, if `current` is no event of the feed. */
  job: ParkedJob | undefined;
  backoff: Timer | undefined;
  /** Id of the dead letter that holds the key. */
  parked: string | undefined;
  /** Events of the key behind this position, up to where the feed has come, are in the journal; undefined: none. */
  behind: number | undefined;
  /** Events of the feed up to here were finished by an earlier run. */
  finishedTo = 0;
  /** `after` of the key's durable record; undefined: it has none. */
  recordedAfter: number | undefined;
  /** A write of the record is under way or has failed: the old one may be there, or the new one. */
  recordInDoubt = false;
  /** Grows with each write of the record, so that the end of an older write can be told. */
  recordRevision = 0;
  /** Round of the checkpoint in which the current event began. */
  sinceRound = 0;
  #waiting: RingBuffer<RecordedEvent> | undefined;
  #jobs: ParkedJob[] | undefined;

  constructor(key: string) {
    this.key = key;
  }

  /** Takes an event of the feed, unless it is finished, or waits in the journal. */
  offer(event: RecordedEvent): void {
    if (event.position <= this.finishedTo || this.behind !== undefined) return;
    this.#waiting ??= new RingBuffer();
    if (this.parked === undefined && this.#waiting.size < MOST_WAITING) this.#waiting.push(event);
    else this.behind = event.position - 1;
  }

  /** Takes events that were read from the journal; `behind` says whether there are more. */
  refill(events: readonly RecordedEvent[], behind: number | undefined): void {
    this.#waiting ??= new RingBuffer();
    for (const event of events) this.#waiting.push(event);
    this.behind = behind;
  }

  addJob(job: ParkedJob): void {
    (this.#jobs ??= []).push(job);
  }

  /** Takes the next job, else the next event; false: there is none at hand. */
  advance(): boolean {
    this.attempts = 0;
    this.current = undefined;
    this.job = this.#jobs?.shift();
    if (this.job !== undefined) {
      this.current = this.job.event;
      return true;
    }
    if (this.parked !== undefined || this.#waiting === undefined) return false;
    this.current = this.#waiting.shift();
    return this.current !== undefined;
  }

  /** The current event is a dead letter; `letter` holds the key, or is undefined when later events go on. */
  park(position: number, letter: string | undefined): void {
    this.recordedAfter = position;
    this.recordInDoubt = false;
    if (letter === undefined) return;
    this.parked = letter;
    const waits = this.behind !== undefined || (this.#waiting?.size ?? 0) > 0;
    this.behind = waits ? position : undefined;
    this.#waiting = undefined;
  }

  /** Ends the jobs that nobody will do any more. */
  failJobs(error: Error): void {
    this.job?.failed(error);
    for (const job of this.#jobs ?? []) job.failed(error);
    this.#jobs = undefined;
  }

  /** Whether its events have to be read from the journal before it can go on. */
  get hungry(): boolean {
    return this.behind !== undefined && this.parked === undefined && (this.#waiting?.size ?? 0) === 0;
  }

  /** Whether nothing has to be known about this key any more. */
  get forgettable(): boolean {
    return (
      this.recordedAfter === undefined && !this.recordInDoubt && this.parked === undefined && this.finishedTo === 0
    );
  }

  /** Position of the first event that is not finished; Infinity if there is none. Parked ones count as finished. */
  get unfinishedFrom(): number {
    if (this.current !== undefined && this.job === undefined) return this.current.position;
    const waiting = this.#waiting?.peek();
    if (waiting !== undefined) return waiting.position;
    return this.behind === undefined ? Infinity : this.behind + 1;
  }
}
